"""The metrics API: real-time metrics, players and leaderboards over HTTP."""
