-- Where players of a game stop: starts, completions and attempts of each level in the last 30 days.
SELECT
  level_1,
  level_2,
  level_3,
  sum(starts) AS starts,
  sum(completes) AS completes,
  sum(fails) AS fails,
  CAST(least(sum(completes), sum(starts)) AS double) / nullif(sum(starts), 0) AS completion,
  CAST(sum(attempts) AS double) / nullif(sum(completes), 0) AS attempts_per_completion
FROM progression
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '30' DAY
GROUP BY level_1, level_2, level_3
ORDER BY level_1, level_2, level_3
