-- What the players of each source and campaign brought by each day after install, of the cohorts of the last 90 days.
-- Purchases are in minor units, and purchases with ads in millionths, before and after refunds.
SELECT
  install_source,
  campaign,
  currency,
  day_number,
  sum(cohort_players) AS cohort_players,
  sum(lifetime_gross_minor) AS lifetime_gross_minor,
  sum(lifetime_refunded_minor) AS lifetime_refunded_minor,
  sum(lifetime_net_minor) AS lifetime_net_minor,
  CAST(sum(lifetime_gross_minor) AS double) / nullif(sum(cohort_players), 0) AS ltv_minor,
  CAST(sum(lifetime_net_minor) AS double) / nullif(sum(cohort_players), 0) AS net_ltv_minor,
  CAST(sum(lifetime_total_micros) AS double) / nullif(sum(cohort_players), 0) AS total_ltv_micros,
  CAST(sum(lifetime_net_total_micros) AS double) / nullif(sum(cohort_players), 0) AS net_total_ltv_micros
FROM acquisition_value
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND cohort_date >= current_date - INTERVAL '90' DAY
GROUP BY install_source, campaign, currency, day_number
ORDER BY install_source, campaign, currency, day_number
