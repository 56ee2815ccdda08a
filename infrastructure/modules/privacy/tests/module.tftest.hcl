mock_provider "aws" {
  override_during = plan
  source          = "../../testing"
}

variables {
  account            = { id = "111122223333", partition = "aws", region = "eu-west-1" }
  lake               = { arn = "arn:aws:s3:::demo-test-lake", name = "demo-test-lake" }
  warehouse_function = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:warehouse", name = "warehouse" }

  silver = {
    database        = "demo_test_lake"
    personal_tables = ["events", "kept_players"]
    workgroup       = "demo-test"
  }

  tables = {
    games         = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/games", name = "games" }
    leaderboards  = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/leaderboards", name = "leaderboards" }
    players       = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/players", name = "players" }
    recent_events = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/recent-events", name = "recent-events" }
  }
}

run "permissions" {
  command = plan

  assert {
    condition = { for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Action } == {
      AskAthena      = ["athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"]
      AskWarehouse   = ["lambda:InvokeFunction"]
      DecryptAtRest  = ["kms:Decrypt"]
      DecryptPlayers = ["kms:Decrypt"]
      Encrypt        = ["kms:GenerateDataKey"]
      EncryptLake    = ["kms:Decrypt", "kms:GenerateDataKey"]
      FindLake       = ["s3:GetBucketLocation"]
      FindObjects    = ["s3:ListBucket", "s3:ListBucketVersions"]
      ForgetBatches  = ["dynamodb:DeleteItem", "dynamodb:Query"]
      ForgetEntries  = ["dynamodb:DeleteItem", "dynamodb:Scan"]
      ForgetLines    = ["s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      ForgetProfiles = ["dynamodb:DeleteItem", "dynamodb:GetItem"]
      ForgetRows     = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      KeepReceipts   = ["s3:PutObject"]
      ReadGames      = ["dynamodb:Scan"]
      ReadSearched   = ["s3:GetObject"]
      ReportFailures = ["sqs:SendMessage"]
      UseSilver      = ["glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"]
      WriteLogs      = ["logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The function must have these actions and no others."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(output.policy).Statement :
      alltrue([
        for resource in flatten([statement.Resource]) :
        !can(regex("/(gold|batch|reports)/|lake/\\*$|privacy/\\*$", resource))
      ])
    ])
    error_message = "It reaches no counts, no reports, and of the receipts only to add one."
  }

  assert {
    condition = (
      {
        for statement in jsondecode(output.policy).Statement :
        statement.Sid => statement.Resource
        if statement.Sid == "UseSilver"
      } ==
      {
        UseSilver = concat(
          [
            "arn:aws:glue:eu-west-1:111122223333:catalog",
            "arn:aws:glue:eu-west-1:111122223333:database/demo_test_lake",
          ],
          [
            for table in ["events", "kept_players"] :
            "arn:aws:glue:eu-west-1:111122223333:table/demo_test_lake/${table}"
          ]
        )
      }
    )
    error_message = "It changes the tables that name players, and no others."
  }
}

run "without_silver_and_warehouse" {
  command = plan

  variables {
    silver             = { database = "", personal_tables = [], workgroup = "" }
    warehouse_function = { arn = "", name = "" }
  }

  assert {
    condition     = !can(regex("athena|glue|lambda:", output.policy))
    error_message = "Where there is neither silver nor a warehouse, it may ask neither."
  }
}
