-- Players of a game by each value of its custom dimensions, day by day of the last 30 days: a row tells one dimension apart.
SELECT event_date, custom_1, custom_2, active_players, new_players, sessions, payers, payer_conversion
FROM daily
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*'
  AND (custom_1 <> '*' OR custom_2 <> '*')
  AND event_date >= current_date - INTERVAL '30' DAY
ORDER BY event_date, custom_1, custom_2
