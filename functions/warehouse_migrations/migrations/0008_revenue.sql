CREATE OR REPLACE VIEW metrics.revenue AS
WITH counted AS (
  SELECT game_id, event_date, platform, country, app_version, COUNT(*) AS active_players
  FROM warehouse.active GROUP BY game_id, event_date, platform, country, app_version
),
bought AS (
  SELECT
    p.game_id, p.event_date, p.currency, p.player_id, p.amount_minor,
    CASE WHEN k.by_platform THEN p.platform ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN p.country ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN p.app_version ELSE '*' END AS app_version
  FROM warehouse.fact_purchases AS p CROSS JOIN warehouse.dim_slice AS k
),
paid AS (
  SELECT
    game_id, event_date, currency, platform, country, app_version,
    COUNT(*) AS purchases, COUNT(DISTINCT player_id) AS payers, CAST(SUM(amount_minor) AS DECIMAL(38, 0)) AS gross_minor
  FROM bought
  GROUP BY game_id, event_date, currency, platform, country, app_version
),
months AS (
  SELECT
    p.game_id, p.event_date, p.currency, p.platform, p.country, p.app_version,
    SUM(b.gross_minor)::DOUBLE PRECISION AS month_minor
  FROM paid AS p
  JOIN paid AS b ON b.game_id = p.game_id AND b.currency = p.currency AND b.platform = p.platform
    AND b.country = p.country AND b.app_version = p.app_version
    AND DATEDIFF(day, b.event_date, p.event_date) BETWEEN 0 AND 29
  GROUP BY p.game_id, p.event_date, p.currency, p.platform, p.country, p.app_version
),
reach AS (
  SELECT c.game_id, c.event_date, c.platform, c.country, c.app_version, COUNT(DISTINCT a.player_id) AS players
  FROM counted AS c
  JOIN warehouse.active AS a ON a.game_id = c.game_id AND a.platform = c.platform AND a.country = c.country
    AND a.app_version = c.app_version AND DATEDIFF(day, a.event_date, c.event_date) BETWEEN 0 AND 29
  GROUP BY c.game_id, c.event_date, c.platform, c.country, c.app_version
)
SELECT
  p.event_date, p.game_id, p.platform, p.country, p.app_version, p.currency, p.purchases, p.payers, p.gross_minor,
  p.gross_minor::DOUBLE PRECISION / c.active_players AS arpdau_minor,
  p.gross_minor::DOUBLE PRECISION / p.payers AS arppu_minor,
  m.month_minor / r.players AS arpu_minor
FROM paid AS p
JOIN counted AS c ON c.game_id = p.game_id AND c.event_date = p.event_date AND c.platform = p.platform
  AND c.country = p.country AND c.app_version = p.app_version
JOIN months AS m ON m.game_id = p.game_id AND m.event_date = p.event_date AND m.currency = p.currency
  AND m.platform = p.platform AND m.country = p.country AND m.app_version = p.app_version
JOIN reach AS r ON r.game_id = p.game_id AND r.event_date = p.event_date AND r.platform = p.platform
  AND r.country = p.country AND r.app_version = p.app_version;
