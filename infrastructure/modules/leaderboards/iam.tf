locals {
  policy_statements = {
    # Of a game's items it keeps one: the names of boards, which are for all days.
    AdmitNames = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["*#9999-12-31#names"] } }
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
