# These runs have their own file: after the apply of plan.tftest.hcl, they would plan what is destroyed.
mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alert_emails       = ["ops@example.com"]
  packages_directory = "../../testing/packages"
}

run "defaults" {
  command = plan

  assert {
    condition = (
      output.platform.quicksight == null && output.platform.sign_in == null && output.platform.warehouse == null
    )
    error_message = "A first apply makes no public page, and nothing that needs a subscription or exceeds the budget."
  }
}

run "without_a_budget" {
  command = plan

  variables {
    budget_usd_a_month = 0
    warehouse          = { enabled = true }
  }

  assert {
    condition     = output.platform.warehouse.workgroup == "player-analytics-prod-warehouse"
    error_message = "An account that AWS Budgets refuses can have everything else."
  }
}
