-- Redshift takes no PERCENTILE_CONT beside a COUNT(DISTINCT): the players are counted apart.
CREATE OR REPLACE VIEW metrics.economy AS
WITH moved AS (
  SELECT
    f.event_date, f.game_id,
    CASE WHEN k.by_platform THEN f.platform ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN f.country ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN f.app_version ELSE '*' END AS app_version,
    f.currency, f.flow, CASE WHEN r.by_reason THEN f.reason ELSE '*' END AS reason,
    f.player_id, f.amount, f.balance_after
  FROM warehouse.fact_economy AS f
  CROSS JOIN warehouse.dim_slice AS k
  CROSS JOIN (SELECT TRUE AS by_reason UNION ALL SELECT FALSE) AS r
),
counted AS (
  SELECT
    event_date, game_id, platform, country, app_version, currency, flow, reason,
    COUNT(DISTINCT player_id) AS players
  FROM moved
  GROUP BY event_date, game_id, platform, country, app_version, currency, flow, reason
),
summed AS (
  SELECT
    event_date, game_id, platform, country, app_version, currency, flow, reason,
    COUNT(*) AS events, CAST(SUM(amount) AS DECIMAL(38, 0)) AS amount,
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY balance_after::DOUBLE PRECISION) AS balance_after_median
  FROM moved
  GROUP BY event_date, game_id, platform, country, app_version, currency, flow, reason
)
SELECT
  s.event_date, s.game_id, s.platform, s.country, s.app_version, s.currency, s.flow, s.reason,
  s.events, c.players, s.amount, s.balance_after_median
FROM summed AS s
JOIN counted AS c ON c.event_date = s.event_date AND c.game_id = s.game_id AND c.platform = s.platform
  AND c.country = s.country AND c.app_version = s.app_version AND c.currency = s.currency AND c.flow = s.flow
  AND c.reason = s.reason;
