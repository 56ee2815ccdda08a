# Routes for people: pages without data that anybody opens, and data for the tokens of people who signed in. Each path
# of a route has one authorizer, so the paths for tokens begin with /signed-in (docs/adr/0032).
locals {
  # tests/plan/test_environments.py holds them to the app.
  pages = toset([
    "/", "/dashboard", "/economy", "/events", "/experiments", "/explore", "/overview", "/players", "/quality",
    "/retention", "/revenue", "/stability",
  ])

  public_routes = toset(
    length(var.sign_in) == 0 ? [] : concat(["GET /page/{proxy+}"], [for path in local.pages : "GET ${path}"])
  )
  signed_in_routes = toset(length(var.sign_in) == 0 ? [] : [
    "DELETE /signed-in/v1/games/{game_id}/queries/{id}",
    "DELETE /signed-in/v1/games/{game_id}/questions/{name}",
    "GET /signed-in/v1/{proxy+}",
    "POST /signed-in/v1/games/{game_id}/explore",
    "PUT /signed-in/v1/games/{game_id}/annotations",
    "PUT /signed-in/v1/games/{game_id}/dashboard",
    "PUT /signed-in/v1/games/{game_id}/questions/{name}",
  ])
}

resource "aws_apigatewayv2_authorizer" "people" {
  count = length(var.sign_in)

  api_id           = aws_apigatewayv2_api.this.id
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  name             = "people"

  jwt_configuration {
    audience = [var.sign_in[0].id]
    issuer   = var.sign_in[0].issuer
  }
}

resource "aws_apigatewayv2_route" "page" {
  #checkov:skip=CKV_AWS_309:A browser opens the page before somebody signs in. It holds no data.
  for_each = local.public_routes

  api_id             = aws_apigatewayv2_api.this.id
  authorization_type = "NONE"
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_apigatewayv2_route" "signed_in" {
  for_each = local.signed_in_routes

  api_id               = aws_apigatewayv2_api.this.id
  authorization_scopes = [var.sign_in[0].scope]
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.people[0].id
  route_key            = each.key
  target               = "integrations/${aws_apigatewayv2_integration.this.id}"
}
