-- Design events of the players of each experiment by variant and the first part of the name, on some days after the exposure, of
-- the exposures of the last 90 days.
SELECT
  experiment,
  variant,
  day_number,
  name,
  sum(exposed_players) AS exposed_players,
  sum(exposed_senders) AS exposed_senders,
  CAST(sum(exposed_senders) AS double) / nullif(sum(exposed_players), 0) AS exposed_sender_share,
  sum(exposed_design_events) AS exposed_design_events,
  sum(exposed_design_squared) AS exposed_design_squared,
  CAST(sum(exposed_design_events) AS double) / nullif(sum(exposed_players), 0) AS exposed_design_mean,
  sum(exposed_valued_events) AS exposed_valued_events,
  sum(exposed_value_sum) AS exposed_value_sum,
  sum(exposed_value_squared) AS exposed_value_squared,
  CAST(sum(exposed_value_sum) AS double) / nullif(sum(exposed_players), 0) AS exposed_value_mean,
  CAST(sum(exposed_value_sum) AS double) / nullif(sum(exposed_valued_events), 0) AS exposed_event_value
FROM experiment_design
WHERE game_id = ?
  AND depth = '1'
  AND day_number IN (1, 7, 14, 30)
  AND exposure_date >= current_date - INTERVAL '90' DAY
GROUP BY experiment, variant, day_number, name
ORDER BY experiment, day_number, name, variant
