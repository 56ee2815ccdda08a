locals {
  # With fewer events, a share is chance.
  least_total = 100

  objectives = {
    availability = {
      objective = var.objectives.availability
      bad       = [local.ingest_5xx]
      total     = local.ingest_requests
    }
    # A failed record is counted as dropped, as sent to the failure queue, or as both.
    completeness = {
      objective = var.objectives.completeness
      bad       = [local.mapping.DroppedEventCount, local.mapping.OnFailureDestinationDeliveredEventCount]
      total     = local.mapping.PolledEventCount
    }
    latency = {
      objective = var.objectives.latency
      bad       = [merge(local.shown, { name = "EventsShownLate" })]
      total     = local.shown
    }
  }

  api             = { ApiName = var.apis.ingest.name, Stage = var.apis.ingest.stage }
  ingest_5xx      = { namespace = "AWS/ApiGateway", name = "5XXError", dimensions = local.api }
  ingest_requests = { namespace = "AWS/ApiGateway", name = "Count", dimensions = local.api }
  shown           = { namespace = var.name_prefix, name = "EventsShown", dimensions = { service = "player_state" } }

  mapping = {
    for name in ["DroppedEventCount", "OnFailureDestinationDeliveredEventCount", "PolledEventCount"] : name => {
      namespace  = "AWS/Lambda"
      name       = name
      dimensions = { EventSourceMappingUUID = var.consumers.processor.mapping_id }
    }
  }

  # The long window shows that it matters, the short one that it still goes on (Google's SRE workbook, chapter 5).
  # Windows are in seconds.
  burns = {
    fast = {
      means   = "2 % of the month's budget in an hour"
      rate    = 14.4
      windows = { long = 3600, short = 300 }
    }
    slow = {
      means   = "5 % of the month's budget in six hours"
      rate    = 6
      windows = { long = 21600, short = 1800 }
    }
    ticket = {
      means   = "10 % of the month's budget in three days"
      rate    = 1
      windows = { long = 259200, short = 21600 }
    }
  }

  burn_alarms = merge(flatten([
    for name, objective in local.objectives : [
      for speed, burn in local.burns : {
        for window, seconds in burn.windows : "${name}-${speed}-${window}" => {
          name      = name
          objective = objective
          seconds   = seconds
          threshold = burn.rate * (1 - objective.objective)
        }
      }
    ]
  ])...)

  bad_sums = {
    for name, objective in local.objectives :
    name => join(" + ", [for index in range(length(objective.bad)) : "FILL(bad${index}, 0)"])
  }

  slo_alarms = merge([
    for name in keys(local.objectives) : {
      for speed, burn in local.burns : "${name}-${speed}" => { means = burn.means, name = name }
    }
  ]...)
}

# Each is half of a pair and reports to nobody. Missing data is not an alarm: without traffic, no budget burns.
resource "aws_cloudwatch_metric_alarm" "burn" {
  for_each = local.burn_alarms

  alarm_name          = "${var.name_prefix}-slo-${each.key}"
  alarm_description   = "One window of the objective's alarm: docs/runbooks/observability.md"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "burnt"
    expression  = "IF(total >= ${local.least_total}, (${local.bad_sums[each.value.name]}) / total, 0)"
    label       = "Share that failed"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = merge(
      { total = each.value.objective.total },
      { for index, metric in each.value.objective.bad : "bad${index}" => metric },
    )

    content {
      id = metric_query.key

      metric {
        dimensions  = metric_query.value.dimensions
        metric_name = metric_query.value.name
        namespace   = metric_query.value.namespace
        period      = each.value.seconds
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "slo" {
  for_each = local.slo_alarms

  alarm_name        = "${var.name_prefix}-slo-${each.key}"
  alarm_actions     = [var.alerts_topic_arn]
  alarm_description = "The objective ${each.value.name} burns ${each.value.means}: docs/runbooks/observability.md"
  ok_actions        = [var.alerts_topic_arn]

  alarm_rule = join(" AND ", [
    for window in ["long", "short"] :
    "ALARM(\"${aws_cloudwatch_metric_alarm.burn["${each.key}-${window}"].alarm_name}\")"
  ])
}
