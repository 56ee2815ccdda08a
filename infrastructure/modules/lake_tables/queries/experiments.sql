-- Players of each experiment by variant on some days after the exposure, of the exposures of the last 90 days.
SELECT
  experiment,
  variant,
  day_number,
  sum(exposed_players) AS exposed_players,
  sum(returned_players) AS returned_players,
  CAST(sum(returned_players) AS double) / nullif(sum(exposed_players), 0) AS exposed_retention,
  sum(exposed_payers) AS exposed_payers,
  CAST(sum(exposed_payers) AS double) / nullif(sum(exposed_players), 0) AS exposed_conversion,
  sum(exposed_sessions) AS exposed_sessions,
  sum(exposed_sessions_squared) AS exposed_sessions_squared,
  CAST(sum(exposed_sessions) AS double) / nullif(sum(exposed_players), 0) AS exposed_sessions_mean
FROM experiments
WHERE game_id = ?
  AND day_number IN (1, 7, 14, 30)
  AND exposure_date >= current_date - INTERVAL '90' DAY
GROUP BY experiment, variant, day_number
ORDER BY experiment, day_number, variant
