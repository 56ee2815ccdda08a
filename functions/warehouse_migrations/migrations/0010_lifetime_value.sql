CREATE OR REPLACE VIEW metrics.lifetime_value AS
WITH spent AS (
  SELECT
    c.game_id, c.cohort_date, c.platform, c.country, c.app_version, p.currency,
    DATEDIFF(day, c.cohort_date, p.event_date) AS day_number, SUM(p.amount_minor) AS amount
  FROM warehouse.cohorts AS c
  JOIN warehouse.fact_purchases AS p ON p.game_id = c.game_id AND p.player_id = c.player_id
  GROUP BY
    c.game_id, c.cohort_date, c.platform, c.country, c.app_version, p.currency,
    DATEDIFF(day, c.cohort_date, p.event_date)
)
SELECT
  s.cohort_date, s.game_id, s.platform, s.country, s.app_version, s.day_number, p.currency, s.cohort_players,
  CAST(SUM(p.amount) AS DECIMAL(38, 0)) AS gross_minor,
  SUM(p.amount)::DOUBLE PRECISION / s.cohort_players AS ltv_minor
FROM warehouse.cohort_days AS s
JOIN spent AS p ON p.game_id = s.game_id AND p.cohort_date = s.cohort_date AND p.platform = s.platform
  AND p.country = s.country AND p.app_version = s.app_version AND p.day_number <= s.day_number
GROUP BY
  s.cohort_date, s.game_id, s.platform, s.country, s.app_version, s.day_number, p.currency, s.cohort_players;
