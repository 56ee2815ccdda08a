mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  alerts_topic_arn  = "arn:aws:sns:eu-west-1:111122223333:alerts"
  budget            = { email_addresses = ["oncall@example.com"], usd_a_month = 500 }
  delivery_streams  = { bronze = "demo-test-bronze", rejected = "demo-test-rejected" }
  flink_application = "demo-test-realtime-analytics"
  functions         = ["demo-test-ingest"]
  name_prefix       = "demo-test"
  region            = "eu-west-1"
  streams           = { enriched = "demo-test-enriched", raw = "demo-test-raw" }
  tables            = ["demo-test-players"]

  apis = {
    ingest  = { name = "demo-test-ingest", stage = "live" }
    metrics = { id = "mockhttp", stage = "$default" }
  }

  consumers = {
    leaderboards = {
      function_name = "demo-test-leaderboards"
      mapping_id    = "c3"
      queue_name    = "demo-test-leaderboards-failures"
    }
    player_state = {
      function_name = "demo-test-player-state"
      mapping_id    = "b2"
      queue_name    = "demo-test-player-state-failures"
    }
    processor = {
      function_name = "demo-test-processor"
      mapping_id    = "a1"
      queue_name    = "demo-test-processor-failures"
    }
  }
}

run "resources" {
  command = plan

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.burn : name => format("%.5f", alarm.threshold) } == {
      availability-fast-long    = "0.01440"
      availability-fast-short   = "0.01440"
      availability-slow-long    = "0.00600"
      availability-slow-short   = "0.00600"
      availability-ticket-long  = "0.00100"
      availability-ticket-short = "0.00100"
      completeness-fast-long    = "0.00144"
      completeness-fast-short   = "0.00144"
      completeness-slow-long    = "0.00060"
      completeness-slow-short   = "0.00060"
      completeness-ticket-long  = "0.00010"
      completeness-ticket-short = "0.00010"
      latency-fast-long         = "0.14400"
      latency-fast-short        = "0.14400"
      latency-slow-long         = "0.06000"
      latency-slow-short        = "0.06000"
      latency-ticket-long       = "0.01000"
      latency-ticket-short      = "0.01000"
    }
    error_message = "A threshold is the burn rate times what the objective leaves."
  }

  assert {
    condition = (
      {
        for name, alarm in aws_cloudwatch_metric_alarm.burn :
        trimprefix(name, "availability-") => join(
          ", ",
          distinct(flatten([for query in alarm.metric_query : [for metric in query.metric : tostring(metric.period)]]))
        )
        if startswith(name, "availability-")
      } ==
      {
        fast-long    = "3600"
        fast-short   = "300"
        slow-long    = "21600"
        slow-short   = "1800"
        ticket-long  = "259200"
        ticket-short = "21600"
      }
    )
    error_message = "An hour and five minutes, six hours and half an hour, three days and six hours."
  }

  assert {
    condition = (
      {
        for name in ["availability", "completeness", "latency"] :
        name => join(
          ", ",
          sort(
            flatten([
              for query in aws_cloudwatch_metric_alarm.burn["${name}-fast-long"].metric_query :
              [
                for metric in query.metric :
                "${query.id} ${metric.namespace} ${metric.metric_name} ${join("/", values(metric.dimensions))}"
              ]
            ])
          )
        )
      } ==
      {
        availability = "bad0 AWS/ApiGateway 5XXError demo-test-ingest/live, total AWS/ApiGateway Count demo-test-ingest/live"
        completeness = "bad0 AWS/Lambda DroppedEventCount a1, bad1 AWS/Lambda OnFailureDestinationDeliveredEventCount a1, total AWS/Lambda PolledEventCount a1"
        latency      = "bad0 demo-test EventsShownLate player_state, total demo-test EventsShown player_state"
      }
    )
    error_message = "Each objective has its metrics."
  }

  assert {
    condition = (
      aws_cloudwatch_composite_alarm.slo["latency-slow"].alarm_rule ==
      "ALARM(\"demo-test-slo-latency-slow-long\") AND ALARM(\"demo-test-slo-latency-slow-short\")"
    )
    error_message = "Both windows must burn."
  }

  assert {
    condition = (
      length(aws_cloudwatch_composite_alarm.slo) == 9
      && alltrue([
        for alarm in aws_cloudwatch_composite_alarm.slo :
        alarm.alarm_actions == toset([var.alerts_topic_arn])
        && endswith(alarm.alarm_description, ": docs/runbooks/observability.md")
      ])
    )
    error_message = "Each pair must report, and name its runbook."
  }

  assert {
    condition = (
      [
        aws_cloudwatch_metric_alarm.concurrency.metric_name,
        tostring(aws_cloudwatch_metric_alarm.concurrency.threshold),
      ] ==
      ["ConcurrentExecutions", "800"]
      && aws_cloudwatch_metric_alarm.concurrency.alarm_actions == toset([var.alerts_topic_arn])
    )
    error_message = "The account's executions must be watched."
  }

  assert {
    condition = (
      one(aws_budgets_budget.this).limit_amount == "500"
      && toset([
        for notification in one(aws_budgets_budget.this).notification :
        "${notification.notification_type} ${notification.threshold}"
      ]) ==
      toset(["ACTUAL 50", "ACTUAL 80", "FORECASTED 100"])
    )
    error_message = "The budget must tell at 50 and 80 %, and when the month will exceed it."
  }
}

run "without_budget" {
  command = plan

  variables {
    budget = {}
  }

  assert {
    condition     = length(aws_budgets_budget.this) == 0
    error_message = "No amount, no budget."
  }
}

run "negative_budget" {
  command         = plan
  expect_failures = [var.budget]

  variables {
    budget = { usd_a_month = -1 }
  }
}

run "objective_of_all" {
  command         = plan
  expect_failures = [var.objectives]

  variables {
    objectives = { availability = 1 }
  }
}

run "unknown_consumer" {
  command         = plan
  expect_failures = [var.consumers]

  variables {
    consumers = { processor = { function_name = "demo-test-processor", mapping_id = "a1", queue_name = "q" } }
  }
}
