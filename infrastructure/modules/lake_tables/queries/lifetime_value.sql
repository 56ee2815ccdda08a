-- What players of a game have paid by day N after install, over all install days whose day N is over, in minor units.
SELECT
  currency,
  day_number,
  sum(cohort_players) AS players,
  CAST(sum(lifetime_gross_minor) AS double) / nullif(sum(cohort_players), 0) AS ltv_minor,
  CAST(sum(lifetime_net_minor) AS double) / nullif(sum(cohort_players), 0) AS net_ltv_minor
FROM lifetime_value
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND cohort_date >= current_date - INTERVAL '180' DAY
GROUP BY currency, day_number
ORDER BY currency, day_number
