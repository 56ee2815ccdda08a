"""The state of each player and game day, from the enriched stream."""
