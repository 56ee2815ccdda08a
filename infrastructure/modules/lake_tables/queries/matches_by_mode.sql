-- Matches of a game in the last 30 days, by day and mode: how many, how large, how long, and how they ended.
SELECT
  event_date,
  mode,
  matches,
  players,
  match_entries,
  players_per_match,
  match_ends,
  win_share,
  abandon_share,
  match_seconds_mean,
  queue_seconds_mean
FROM matches
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '30' DAY
ORDER BY event_date DESC, match_entries DESC
