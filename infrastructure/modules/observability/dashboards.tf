locals {
  own = { for service in ["ingest", "player_state", "processor", "realtime_windows"] : service => ["service", service] }

  rest  = ["ApiName", var.apis.ingest.name, "Stage", var.apis.ingest.stage]
  http  = ["ApiId", var.apis.metrics.id, "Stage", var.apis.metrics.stage]
  flink = ["Application", var.flink_application]

  # A widget has a title, a statistic, and metrics (namespace, name, dimensions) or an expression. It names its region
  # where that is not the environment's.
  dashboards = {
    pipeline = [
      {
        title   = "Requests"
        metrics = [for name in ["Count", "4XXError", "5XXError"] : concat(["AWS/ApiGateway", name], local.rest)]
      },
      {
        title   = "Latency of one request in a hundred, ms"
        stat    = "p99"
        metrics = [for name in ["Latency", "IntegrationLatency"] : concat(["AWS/ApiGateway", name], local.rest)]
      },
      {
        title = "Events in requests, requests refused"
        metrics = [
          for name in ["RequestEvents", "RequestsRefused"] :
          concat([var.name_prefix, name], local.own.ingest)
        ]
      },
      {
        title = "Events accepted and rejected"
        metrics = [
          for name in ["EventsAccepted", "EventsRejected"] :
          concat([var.name_prefix, name], local.own.processor)
        ]
      },
      {
        title      = "Rejected events by reason"
        expression = "SEARCH('{${var.name_prefix},reason,service} MetricName=\"EventsRejectedByReason\"', 'Sum', 300)"
      },
      {
        title = "Records in"
        metrics = [
          for name in ["IncomingRecords", "WriteProvisionedThroughputExceeded"] :
          ["AWS/Kinesis", name, "StreamName", var.streams.raw]
        ]
      },
      {
        title = "Age of what is read, ms"
        stat  = "Maximum"
        metrics = [
          for consumer in var.consumers :
          ["AWS/Lambda", "IteratorAge", "FunctionName", consumer.function_name]
        ]
      },
      {
        title = "Batches given up"
        stat  = "Maximum"
        metrics = [
          for consumer in var.consumers :
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", consumer.queue_name]
        ]
      },
      {
        title   = "Errors of functions"
        metrics = [for name in sort(var.functions) : ["AWS/Lambda", "Errors", "FunctionName", name]]
      },
      {
        title   = "Throttles of functions"
        metrics = [for name in sort(var.functions) : ["AWS/Lambda", "Throttles", "FunctionName", name]]
      },
      {
        title = "Age of undelivered records, s"
        stat  = "Maximum"
        metrics = [
          for name in values(var.delivery_streams) :
          ["AWS/Firehose", "DeliveryToS3.DataFreshness", "DeliveryStreamName", name]
        ]
      },
      {
        title = "Flink: restarts, failed checkpoints"
        stat  = "Maximum"
        metrics = [
          for name in ["fullRestarts", "numberOfFailedCheckpoints"] :
          concat(["AWS/KinesisAnalytics", name], local.flink)
        ]
      },
      {
        title = "Batch runs"
        metrics = [
          for name in ["ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut"] :
          ["AWS/States", name, "StateMachineArn", var.state_machine_arn]
          if var.state_machine_arn != ""
        ]
      },
      { title = "Events that count", metrics = [concat([var.name_prefix, "EventsApplied"], local.own.player_state)] },
      {
        title      = "Rejected events by game, %"
        expression = "SEARCH('{${var.name_prefix},game_id,service} MetricName=\"RejectRate\"', 'Average', 300)"
      },
      { title = "Events repeated", metrics = [concat([var.name_prefix, "EventsRepeated"], local.own.player_state)] },
      {
        title   = "Windows and alerts kept"
        metrics = [concat([var.name_prefix, "WindowsKept"], local.own.realtime_windows)]
      },
    ]
    serving = [
      {
        title   = "Requests"
        metrics = [for name in ["Count", "4xx", "5xx"] : concat(["AWS/ApiGateway", name], local.http)]
      },
      {
        title   = "Latency of one request in a hundred, ms"
        stat    = "p99"
        metrics = [concat(["AWS/ApiGateway", "Latency"], local.http)]
      },
      {
        title = "Events shown, and shown late"
        metrics = [
          for name in ["EventsShown", "EventsShownLate"] :
          concat([var.name_prefix, name], local.own.player_state)
        ]
      },
      {
        title   = "Until shown, slowest of a batch, s"
        stat    = "Maximum"
        metrics = [concat([var.name_prefix, "ShownAfter"], local.own.player_state)]
      },
      {
        title   = "Reads refused"
        metrics = [for name in sort(var.tables) : ["AWS/DynamoDB", "ReadThrottleEvents", "TableName", name]]
      },
      {
        title   = "Writes refused"
        metrics = [for name in sort(var.tables) : ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", name]]
      },
    ]
    cost = [
      {
        title   = "The month's charges so far, USD"
        region  = "us-east-1"
        stat    = "Maximum"
        period  = 21600
        metrics = [["AWS/Billing", "EstimatedCharges", "Currency", "USD"]]
      },
      {
        title   = "Milliseconds of functions"
        metrics = [for name in sort(var.functions) : ["AWS/Lambda", "Duration", "FunctionName", name]]
      },
      {
        title   = "Bytes into streams"
        metrics = [for name in values(var.streams) : ["AWS/Kinesis", "IncomingBytes", "StreamName", name]]
      },
      {
        title = "Bytes into the lake"
        metrics = [
          for name in values(var.delivery_streams) :
          ["AWS/Firehose", "DeliveryToS3.Bytes", "DeliveryStreamName", name]
        ]
      },
      {
        title = "Write units of tables"
        metrics = [
          for name in sort(var.tables) :
          ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", name]
        ]
      },
      {
        title = "Bytes into logs"
        metrics = [
          for name in sort(var.functions) :
          ["AWS/Logs", "IncomingBytes", "LogGroupName", "/aws/lambda/${name}"]
        ]
      },
    ]
  }

  # Widgets without metrics are left out.
  shown_widgets = {
    for name, widgets in local.dashboards : name => [
      for widget in widgets : widget
      if can(widget.expression) ? true : length(widget.metrics) > 0
    ]
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each = local.shown_widgets

  dashboard_name = "${var.name_prefix}-${each.key}"

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in each.value : {
        type   = "metric"
        x      = index % 3 * 8
        y      = floor(index / 3) * 6
        width  = 8
        height = 6

        properties = {
          metrics = try(widget.metrics, [[{ expression = widget.expression }]])
          period  = try(widget.period, 300)
          region  = try(widget.region, var.region)
          stat    = try(widget.stat, "Sum")
          title   = widget.title
          view    = "timeSeries"
        }
      }
    ]
  })
}
