-- Where players of a game left the tutorial in the last 30 days: who reached and completed each step, and when.
SELECT
  step,
  sum(reached_players) AS reached_players,
  sum(completed_players) AS completed_players,
  sum(skipped_players) AS skipped_players,
  CAST(least(sum(completed_players), sum(reached_players)) AS double) / nullif(sum(reached_players), 0) AS step_completion,
  sum(timed_players) AS timed_players,
  CAST(sum(step_seconds) AS double) / nullif(sum(timed_players), 0) AS step_seconds_mean,
  sum(within_10_seconds) AS within_10_seconds,
  sum(within_30_seconds) AS within_30_seconds,
  sum(within_60_seconds) AS within_60_seconds,
  sum(within_300_seconds) AS within_300_seconds,
  sum(within_1800_seconds) AS within_1800_seconds
FROM tutorial
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '30' DAY
GROUP BY step
ORDER BY step
