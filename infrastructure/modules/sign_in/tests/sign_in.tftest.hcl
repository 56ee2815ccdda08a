mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account          = { id = "111122223333", region = "eu-west-1" }
  alerts_topic_arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
  api              = { pages = ["/", "/history"], url = "https://mockhttp.execute-api.eu-west-1.amazonaws.com" }
  name_prefix      = "demo-test"
}

run "passwords" {
  command = plan

  assert {
    condition = (
      aws_cognito_user_pool.this.name == "demo-test-sign-in"
      && aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
      && aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    )
    error_message = "Only the studio adds people, and nobody deletes them all by mistake."
  }

  assert {
    condition = (
      aws_cognito_user_pool.this.mfa_configuration == "ON"
      && aws_cognito_user_pool.this.software_token_mfa_configuration[0].enabled
      && length(aws_cognito_user_pool.this.sms_configuration) == 0
      && aws_cognito_user_pool.this.password_policy[0].minimum_length == 14
    )
    error_message = "A stolen password must not be enough, and neither must a taken over phone number."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.page.allowed_oauth_flows == toset(["code"])
      && coalesce(aws_cognito_user_pool_client.page.generate_secret, false) == false
      && aws_cognito_user_pool_client.page.explicit_auth_flows == toset(["ALLOW_USER_SRP_AUTH"])
      && aws_cognito_user_pool_client.page.supported_identity_providers == toset(["COGNITO"])
      && aws_cognito_user_pool_client.page.prevent_user_existence_errors == "ENABLED"
    )
    error_message = "Tokens come for codes only, and no password goes past the sign-in page."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.page.allowed_oauth_scopes == toset(["email", "metrics/use", "openid"])
      && aws_cognito_resource_server.metrics.identifier == "metrics"
      && one(aws_cognito_resource_server.metrics.scope).scope_name == "use"
    )
    error_message = "A token must carry the scope that the API asks for, and none to change the account."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.page.callback_urls == toset([
        "https://mockhttp.execute-api.eu-west-1.amazonaws.com/",
        "https://mockhttp.execute-api.eu-west-1.amazonaws.com/history",
      ])
      && aws_cognito_user_pool_client.page.logout_urls
      == toset(["https://mockhttp.execute-api.eu-west-1.amazonaws.com/"])
    )
    error_message = "Codes go to the pages and to no other address."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.page.access_token_validity == 30
      && aws_cognito_user_pool_client.page.id_token_validity == 30
      && aws_cognito_user_pool_client.page.refresh_token_validity == 12
      && aws_cognito_user_pool_client.page.token_validity_units[0].access_token == "minutes"
      && aws_cognito_user_pool_client.page.token_validity_units[0].refresh_token == "hours"
      && aws_cognito_user_pool_client.page.refresh_token_rotation[0].feature == "ENABLED"
      && aws_cognito_user_pool_client.page.enable_token_revocation
    )
    error_message = "A session must end, and a token soon."
  }

  assert {
    condition = (
      output.client == {
        id     = "3ho4ek12345678909nh3fmhpko"
        issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI"
        scope  = "metrics/use"
        url    = "https://demo-test-111122223333.auth.eu-west-1.amazoncognito.com"
      }
      && output.user_pool_id == "eu-west-1_AbCdEfGhI"
    )
    error_message = "The API must take the tokens of this pool."
  }

  assert {
    condition = (
      aws_cognito_user_pool_domain.this.managed_login_version == 2
      && [for one in values(jsondecode(aws_cloudformation_stack.style[0].template_body).Resources) : one.Type]
      == ["AWS::Cognito::ManagedLoginBranding"]
    )
    error_message = "Managed login shows an error without a style."
  }

  assert {
    condition = (
      length(aws_cognito_identity_provider.this) == 0 && length(aws_wafv2_web_acl_association.this) == 0
    )
    error_message = "Without settings there is neither a provider nor a web ACL."
  }

  assert {
    condition = (
      {
        for query in aws_cloudwatch_metric_alarm.refused.metric_query :
        query.id => try("${query.metric[0].stat} of ${query.metric[0].metric_name}", query.expression)
      } ==
      {
        refused   = "tried - succeeded"
        succeeded = "Sum of SignInSuccesses"
        tried     = "SampleCount of SignInSuccesses"
      }
      && aws_cloudwatch_metric_alarm.throttled.metric_name == "SignInThrottles"
    )
    error_message = "Guessed passwords must ring, and so must a throttled sign-in."
  }

  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.refused, aws_cloudwatch_metric_alarm.throttled] :
      alarm.alarm_actions == toset([var.alerts_topic_arn])
      && endswith(alarm.alarm_description, ": docs/runbooks/sign-in.md")
    ])
    error_message = "Each alarm must report, and name its runbook."
  }
}

run "providers_of_the_studio" {
  command = plan

  variables {
    identity_providers = {
      Entra = { email_attribute = "mail", metadata_url = "https://login.example.com/metadata.xml" }
      Okta  = { client_id = "0oa1", client_secret = "s3cret", issuer_url = "https://studio.okta.example.com" }
    }

    web_acl_arns = ["arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/x/00000000-0000-4000-8000-000000000000"]
  }

  assert {
    condition     = aws_cognito_user_pool_client.page.supported_identity_providers == toset(["Entra", "Okta"])
    error_message = "Who leaves the studio leaves its provider, so no password may go round it."
  }

  assert {
    condition = (
      aws_cognito_identity_provider.this["Entra"].provider_type == "SAML"
      && aws_cognito_identity_provider.this["Entra"].attribute_mapping == tomap({ email = "mail" })
      && aws_cognito_identity_provider.this["Okta"].provider_type == "OIDC"
      && aws_cognito_identity_provider.this["Okta"].attribute_mapping == tomap({ email = "email", username = "sub" })
    )
    error_message = "A provider may set the address of a person, and never a group."
  }

  assert {
    condition     = issensitive(aws_cognito_identity_provider.this["Okta"].provider_details["client_secret"])
    error_message = "No plan may print the secret."
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this[0].resource_arn == aws_cognito_user_pool.this.arn
    error_message = "The web ACL must stand before the pool."
  }
}

run "classic_page" {
  command = plan

  variables {
    deletion_protection = false
    managed_login       = false
    mfa                 = "OFF"
    session             = { renew_once = false }
  }

  assert {
    condition = (
      aws_cognito_user_pool_domain.this.managed_login_version == 1 && length(aws_cloudformation_stack.style) == 0
      && length(aws_cognito_user_pool.this.software_token_mfa_configuration) == 0
      && aws_cognito_user_pool.this.deletion_protection == "INACTIVE"
      && length(aws_cognito_user_pool_client.page.refresh_token_rotation) == 0
      && contains(aws_cognito_user_pool_client.page.explicit_auth_flows, "ALLOW_REFRESH_TOKEN_AUTH")
    )
    error_message = "The emulator has the classic page only, and does not rotate tokens."
  }
}

run "address_without_tls" {
  command         = plan
  expect_failures = [var.api]

  variables {
    api = { pages = ["/"], url = "http://analytics.example.com" }
  }
}

run "address_that_only_ends_like_this_machine" {
  command         = plan
  expect_failures = [var.api]

  variables {
    api = { pages = ["/"], url = "http://localhost.example.com" }
  }
}

run "provider_of_both_kinds" {
  command         = plan
  expect_failures = [var.identity_providers]

  variables {
    identity_providers = {
      Entra = { issuer_url = "https://login.example.com", metadata_url = "https://login.example.com/metadata.xml" }
    }
  }
}

run "provider_without_its_secret" {
  command         = plan
  expect_failures = [var.identity_providers]

  variables {
    identity_providers = { Okta = { client_id = "0oa1", issuer_url = "https://studio.okta.example.com" } }
  }
}

run "provider_without_tls" {
  command         = plan
  expect_failures = [var.identity_providers]

  variables {
    identity_providers = { Entra = { metadata_url = "http://login.example.com/metadata.xml" } }
  }
}

run "provider_with_a_name_that_cognito_refuses" {
  command         = plan
  expect_failures = [var.identity_providers]

  variables {
    identity_providers = { "our idp" = { metadata_url = "https://login.example.com/metadata.xml" } }
  }
}

run "a_second_factor_by_text_message" {
  command         = plan
  expect_failures = [var.mfa]

  variables {
    mfa = "SMS"
  }
}

run "domain_that_cognito_refuses" {
  command         = plan
  expect_failures = [var.name_prefix]

  variables {
    name_prefix = "my-aws-games-prod"
  }
}

run "token_for_a_day" {
  command         = plan
  expect_failures = [var.session]

  variables {
    session = { token_minutes = 1440 }
  }
}

run "session_without_an_end" {
  command         = plan
  expect_failures = [var.session]

  variables {
    session = { hours = 8760 }
  }
}

run "two_web_acls" {
  command         = plan
  expect_failures = [var.web_acl_arns]

  variables {
    web_acl_arns = ["arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/x/1", "another"]
  }
}
