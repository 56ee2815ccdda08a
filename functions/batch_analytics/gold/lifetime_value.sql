WITH sizes AS (
  SELECT c.game_id, c.cohort_date, c.platform, c.country, c.app_version, COUNT(*) AS cohort_players,
    MIN(DATEDIFF(l.event_date, c.cohort_date)) AS last_number
  FROM cohorts AS c JOIN last_day AS l ON l.game_id = c.game_id
  GROUP BY c.game_id, c.cohort_date, c.platform, c.country, c.app_version
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number),
spent AS (
  SELECT c.game_id, c.cohort_date, c.platform, c.country, c.app_version, p.currency,
    DATEDIFF(p.event_date, c.cohort_date) AS day_number, SUM(p.amount_minor) AS amount
  FROM cohorts AS c JOIN purchases AS p ON p.game_id = c.game_id AND p.player_id = c.player_id
  GROUP BY c.game_id, c.cohort_date, c.platform, c.country, c.app_version, p.currency,
    DATEDIFF(p.event_date, c.cohort_date)
)
SELECT
  s.cohort_date, s.game_id, s.platform, s.country, s.app_version, CAST(n.day_number AS BIGINT) AS day_number,
  p.currency, s.cohort_players, CAST(SUM(p.amount) AS BIGINT) AS gross_minor,
  CAST(SUM(p.amount) AS DOUBLE) / s.cohort_players AS ltv_minor
FROM sizes AS s
JOIN numbers AS n ON n.day_number <= s.last_number
JOIN spent AS p ON p.game_id = s.game_id AND p.cohort_date = s.cohort_date AND p.platform = s.platform
  AND p.country = s.country AND p.app_version = s.app_version AND p.day_number <= n.day_number
GROUP BY s.cohort_date, s.game_id, s.platform, s.country, s.app_version, n.day_number, p.currency, s.cohort_players
