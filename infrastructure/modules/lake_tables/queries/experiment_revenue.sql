-- What players of each experiment had paid by some days after the exposure, of the exposures of the last 90 days.
SELECT
  experiment,
  variant,
  currency,
  day_number,
  sum(exposed_players) AS exposed_players,
  sum(exposed_gross_minor) AS exposed_gross_minor,
  sum(exposed_unverified_minor) AS exposed_unverified_minor,
  sum(exposed_refunded_minor) AS exposed_refunded_minor,
  sum(exposed_net_minor) AS exposed_net_minor,
  sum(exposed_net_squared) AS exposed_net_squared,
  CAST(sum(exposed_net_minor) AS double) / nullif(sum(exposed_players), 0) AS exposed_net_mean_minor,
  CAST(sum(exposed_unverified_minor) AS double) / nullif(sum(exposed_gross_minor), 0) AS exposed_unverified_share
FROM experiment_revenue
WHERE game_id = ?
  AND day_number IN (1, 7, 14, 30)
  AND exposure_date >= current_date - INTERVAL '90' DAY
GROUP BY experiment, variant, currency, day_number
ORDER BY experiment, currency, day_number, variant
