locals {
  policy_statements = {
    AdmitNames = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [var.game_days_table.arn]
    }
    DecryptPlayers = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.players]
    }
    RankPlayers = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      resources = [module.leaderboards.table.arn]
    }
    ReadBoards = {
      actions   = ["dynamodb:Query"]
      resources = [module.boards.table.arn]
    }
  }
}
