locals {
  # Cognito takes no rotation of refresh tokens beside the flow that renews without it.
  auth_flows = concat(["ALLOW_USER_SRP_AUTH"], var.session.renew_once ? [] : ["ALLOW_REFRESH_TOKEN_AUTH"])

  domain  = "${var.name_prefix}-${var.account.id}"
  issuer  = "https://cognito-idp.${var.account.region}.amazonaws.com/${aws_cognito_user_pool.this.id}"
  scope   = "${aws_cognito_resource_server.metrics.identifier}/use"
  returns = [for path in sort(var.api.pages) : "${var.api.url}${path}"]
}

resource "aws_cognito_user_pool" "this" {
  name                     = "${var.name_prefix}-sign-in"
  auto_verified_attributes = ["email"]
  deletion_protection      = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration        = var.mfa
  user_pool_tier           = "ESSENTIALS"
  username_attributes      = ["email"]

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  admin_create_user_config {
    allow_admin_create_user_only = true

    invite_message_template {
      email_message = "Open ${var.api.url}/ and sign in as {username}. Your first password is {####}, for 3 days."
      email_subject = "Your account for player analytics"
      sms_message   = "Sign in as {username} with the password {####}"
    }
  }

  password_policy {
    minimum_length                   = 14
    password_history_size            = 5
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  # Without a phone nobody takes over a number, and no role may send messages.
  dynamic "software_token_mfa_configuration" {
    for_each = var.mfa == "OFF" ? [] : ["app"]

    content {
      enabled = true
    }
  }

  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  username_configuration {
    case_sensitive = false
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  domain                = local.domain
  managed_login_version = var.managed_login ? 2 : 1
  user_pool_id          = aws_cognito_user_pool.this.id
}

# A token of the sign-in page has the scope. One that a program gets with a password alone has not.
resource "aws_cognito_resource_server" "metrics" {
  name         = "Metrics API"
  identifier   = "metrics"
  user_pool_id = aws_cognito_user_pool.this.id

  scope {
    scope_description = "Use the metrics API"
    scope_name        = "use"
  }
}

resource "aws_cognito_user_pool_client" "page" {
  name                                 = "page"
  access_token_validity                = var.session.token_minutes
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_scopes                 = ["email", local.scope, "openid"]
  callback_urls                        = local.returns
  enable_token_revocation              = true
  explicit_auth_flows                  = local.auth_flows
  id_token_validity                    = var.session.token_minutes
  logout_urls                          = ["${var.api.url}/"]
  prevent_user_existence_errors        = "ENABLED"
  refresh_token_validity               = var.session.hours
  user_pool_id                         = aws_cognito_user_pool.this.id

  supported_identity_providers = (
    length(var.identity_providers) == 0
    ? ["COGNITO"]
    : sort([for provider in aws_cognito_identity_provider.this : provider.provider_name])
  )

  # A refresh token that somebody took is of no use after the page's next renewal.
  dynamic "refresh_token_rotation" {
    for_each = var.session.renew_once ? [10] : []

    content {
      feature                    = "ENABLED"
      retry_grace_period_seconds = refresh_token_rotation.value
    }
  }

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "hours"
  }
}

# Groups of a game are made when the first person joins one (docs/people.md).
resource "aws_cognito_user_group" "admin" {
  name         = "admin"
  description  = "Reads every game, and events whose game could not be told."
  precedence   = 1
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_identity_provider" "this" {
  for_each = var.identity_providers

  attribute_mapping = merge(
    each.value.issuer_url == "" ? {} : { username = "sub" },
    {
      email = coalesce(each.value.email_attribute, (
        each.value.issuer_url == "" ? "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress" : "email"
      ))
    },
  )
  provider_details = (
    each.value.issuer_url == ""
    ? { MetadataURL = each.value.metadata_url, RequestSigningAlgorithm = "rsa-sha256" }
    : {
      attributes_request_method = "GET"
      authorize_scopes          = "openid email"
      client_id                 = each.value.client_id
      client_secret             = sensitive(each.value.client_secret)
      oidc_issuer               = each.value.issuer_url
    }
  )
  provider_name = each.key
  provider_type = each.value.issuer_url == "" ? "SAML" : "OIDC"
  user_pool_id  = aws_cognito_user_pool.this.id

  # Cognito adds what it finds at the provider.
  lifecycle {
    ignore_changes = [
      provider_details["ActiveEncryptionCertificate"], provider_details["SLORedirectBindingURI"],
      provider_details["SSORedirectBindingURI"], provider_details["attributes_url"],
      provider_details["attributes_url_add_attributes"], provider_details["authorize_url"],
      provider_details["jwks_uri"], provider_details["token_url"],
    ]
  }
}

# Managed login shows an error until its client has a style, and this provider has no resource for one.
resource "aws_cloudformation_stack" "style" {
  #checkov:skip=CKV_AWS_124: Terraform waits for the stack and reports how it ended.
  count = var.managed_login ? 1 : 0

  name = "${var.name_prefix}-sign-in-style"

  template_body = jsonencode({
    Resources = {
      Style = {
        Type = "AWS::Cognito::ManagedLoginBranding"
        Properties = {
          ClientId                 = aws_cognito_user_pool_client.page.id
          UseCognitoProvidedValues = true
          UserPoolId               = aws_cognito_user_pool.this.id
        }
      }
    }
  })
}

resource "aws_wafv2_web_acl_association" "this" {
  count = length(var.web_acl_arns)

  resource_arn = aws_cognito_user_pool.this.arn
  web_acl_arn  = var.web_acl_arns[count.index]
}
