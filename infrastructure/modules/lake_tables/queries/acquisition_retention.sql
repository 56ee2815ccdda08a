-- How many players of each install source and campaign came back, of the cohorts of the last 90 days.
SELECT
  install_source,
  campaign,
  day_number,
  sum(cohort_players) AS cohort_players,
  sum(retained_players) AS retained_players,
  CAST(sum(retained_players) AS double) / nullif(sum(cohort_players), 0) AS retention
FROM acquisition
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND cohort_date >= current_date - INTERVAL '90' DAY
GROUP BY install_source, campaign, day_number
ORDER BY install_source, campaign, day_number
