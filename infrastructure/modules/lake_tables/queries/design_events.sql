-- Design events of a game in the last 14 days, by name: how often, and the mean of their values. Choose a depth of names.
SELECT
  depth,
  name,
  sum(design_events) AS design_events,
  sum(value_sum) AS value_sum,
  CAST(sum(value_sum) AS double) / nullif(sum(valued_events), 0) AS value_mean
FROM design
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '14' DAY
GROUP BY depth, name
ORDER BY depth, design_events DESC
