locals {
  policy_statements = {
    # Its items have as many kinds of keys as there are kinds of counters. What does not come from events is not among
    # them: uploaded costs of advertising. The names of boards are those of leaderboards.
    CountDays = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      condition = { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["*#9999-12-31#names", "*#spend"] } }
      resources = [module.game_days.table.arn]
    }
    DecryptPlayers = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.players]
    }
    KeepPlayers = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      resources = [module.players.table.arn]
    }
  }
}
