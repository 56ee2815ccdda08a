-- Who sent each design event of a game, day by day of the last 14 days: unique players, events and the mean value.
SELECT event_date, depth, name, design_events, players, value_sum, value_mean
FROM design
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '14' DAY
ORDER BY event_date, depth, design_events DESC
