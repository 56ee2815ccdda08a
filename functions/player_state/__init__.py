"""The state of each player, game day and leaderboard, from the enriched stream."""
