"""The entries of leaderboards, from the scores of the enriched stream."""
