locals {
  policy_statements = {
    CountDays = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
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
