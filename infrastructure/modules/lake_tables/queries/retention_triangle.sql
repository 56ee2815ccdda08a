-- Retention of each install day of a game on days 1, 3, 7, 14 and 30; null where the day is not over.
SELECT
  cohort_date,
  max(cohort_players) AS players,
  max(CASE WHEN day_number = 1 THEN retention END) AS d1,
  max(CASE WHEN day_number = 3 THEN retention END) AS d3,
  max(CASE WHEN day_number = 7 THEN retention END) AS d7,
  max(CASE WHEN day_number = 14 THEN retention END) AS d14,
  max(CASE WHEN day_number = 30 THEN retention END) AS d30
FROM retention
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND cohort_date >= current_date - INTERVAL '90' DAY
GROUP BY cohort_date
ORDER BY cohort_date
