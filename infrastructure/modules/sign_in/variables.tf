variable "account" {
  type        = object({ id = string, region = string })
  description = "Account and region of the environment."
  nullable    = false
}

variable "alerts_topic_arn" {
  type        = string
  description = "SNS topic that alarms report to."
  nullable    = false
}

variable "api" {
  type        = object({ pages = set(string), url = string })
  description = "HTTP API of the pages: its base URL, and the paths to which people come back when they signed in."
  nullable    = false

  validation {
    condition = (
      can(regex("^(https://|http://[a-z0-9.-]*localhost(:[0-9]+)?$)", var.api.url)) && !endswith(var.api.url, "/")
    )
    error_message = "Cognito sends codes to https addresses and to localhost only. The URL ends without a slash."
  }
}

variable "deletion_protection" {
  type        = bool
  description = "Whether the user pool refuses deletion."
  default     = true
  nullable    = false
}

variable "identity_providers" {
  type = map(object({
    client_id       = optional(string, "")
    client_secret   = optional(string, "")
    email_attribute = optional(string, "")
    issuer_url      = optional(string, "")
    metadata_url    = optional(string, "")
  }))
  description = <<-EOT
    Identity providers of the studio by name: SAML has a metadata_url; OIDC has an issuer_url, a client_id and a
    client_secret. email_attribute names what holds the e-mail address. With any, nobody signs in with a password.
  EOT
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for provider in values(var.identity_providers) :
      (provider.metadata_url == "") != (provider.issuer_url == "")
      && (provider.issuer_url == "") == (provider.client_id == "")
      && (provider.issuer_url == "") == (provider.client_secret == "")
    ])
    error_message = "A provider has a metadata_url (SAML), or an issuer_url with client_id and client_secret (OIDC)."
  }

  validation {
    condition = alltrue([
      for provider in values(var.identity_providers) :
      startswith("${provider.metadata_url}${provider.issuer_url}", "https://")
    ])
    error_message = "An identity provider is reached by https."
  }

  validation {
    condition = alltrue([
      for name in keys(var.identity_providers) : can(regex("^[A-Za-z0-9][A-Za-z0-9-]{2,31}$", name))
    ])
    error_message = "The name of an identity provider has 3 to 32 letters, digits and hyphens."
  }
}

variable "managed_login" {
  type        = bool
  description = "Whether the sign-in page is Cognito's managed login. Otherwise it is the classic hosted UI."
  default     = true
  nullable    = false
}

variable "mfa" {
  type        = string
  description = <<-EOT
    Whether people with a password need a code of an authenticator app: ON, OPTIONAL or OFF. People of an identity
    provider have its second factor.
  EOT
  default     = "ON"
  nullable    = false

  validation {
    condition     = contains(["OFF", "ON", "OPTIONAL"], var.mfa)
    error_message = "mfa is ON, OPTIONAL or OFF."
  }
}

variable "name_prefix" {
  type        = string
  description = "Start of every name: <project>-<environment>."
  nullable    = false

  validation {
    condition     = !can(regex("aws|amazon|cognito", var.name_prefix))
    error_message = "Cognito accepts no domain with aws, amazon or cognito in it: choose another project name."
  }
}

variable "session" {
  type = object({
    hours         = optional(number, 12)
    renew_once    = optional(bool, true)
    token_minutes = optional(number, 30)
  })
  description = <<-EOT
    Hours after which a person signs in again, whether a refresh token renews a session once only, and minutes that a
    token is valid. Who is taken out of a group reads on until the token ends.
  EOT
  default     = {}
  nullable    = false

  validation {
    condition     = var.session.token_minutes >= 5 && var.session.token_minutes <= 60
    error_message = "A token is valid for 5 to 60 minutes."
  }

  validation {
    condition     = var.session.hours >= 1 && var.session.hours <= 168 && floor(var.session.hours) == var.session.hours
    error_message = "A session lasts 1 to 168 whole hours."
  }
}

variable "web_acl_arns" {
  type        = list(string)
  description = "Web ACL in front of the sign-in page. Empty: none."
  default     = []
  nullable    = false

  validation {
    condition     = length(var.web_acl_arns) <= 1
    error_message = "A user pool has one web ACL."
  }
}
