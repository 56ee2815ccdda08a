locals {
  policy_statements = {
    CountDays = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [aws_dynamodb_table.game_days.arn]
    }
    DecryptPlayers = {
      actions   = ["kms:Decrypt"]
      resources = [var.settings.kms_key_arns.players]
    }
    KeepPlayers = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      resources = [aws_dynamodb_table.players.arn]
    }
    RankPlayers = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:PutItem"]
      resources = [aws_dynamodb_table.leaderboards.arn]
    }
    ReadBoards = {
      actions   = ["dynamodb:Query"]
      resources = [aws_dynamodb_table.boards.arn]
    }
  }
}
