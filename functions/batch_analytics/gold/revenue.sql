WITH counted AS (
  SELECT game_id, event_date, platform, country, app_version, SUM(players) AS active_players
  FROM stays GROUP BY game_id, event_date, platform, country, app_version
),
paid AS (
  SELECT
    game_id, event_date, currency,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COUNT(*) AS purchases, COUNT(DISTINCT player_id) AS payers, SUM(amount_minor) AS gross_minor
  FROM purchases
  GROUP BY game_id, event_date, currency, CUBE (platform, country, app_version)
),
-- Players count for 30 days, or until another day of theirs takes over; a payment for 30 days.
steps AS (
  SELECT game_id, platform, country, app_version, event_date, players FROM stays
  UNION ALL
  SELECT game_id, platform, country, app_version, CAST(DATE_ADD(event_date, until) AS DATE), -players FROM stays
),
reach AS (
  SELECT game_id, platform, country, app_version, event_date,
    SUM(SUM(players)) OVER (PARTITION BY game_id, platform, country, app_version ORDER BY event_date) AS players
  FROM steps GROUP BY game_id, platform, country, app_version, event_date
),
payments AS (
  SELECT game_id, platform, country, app_version, currency, event_date, gross_minor FROM paid
  UNION ALL
  SELECT game_id, platform, country, app_version, currency, CAST(DATE_ADD(event_date, 30) AS DATE), -gross_minor FROM paid
),
months AS (
  SELECT game_id, platform, country, app_version, currency, event_date,
    CAST(SUM(SUM(gross_minor)) OVER (
      PARTITION BY game_id, platform, country, app_version, currency ORDER BY event_date
    ) AS DOUBLE) AS month_minor
  FROM payments GROUP BY game_id, platform, country, app_version, currency, event_date
)
SELECT
  p.event_date, p.game_id, p.platform, p.country, p.app_version, p.currency, p.purchases, p.payers,
  CAST(p.gross_minor AS DECIMAL(38, 0)) AS gross_minor,
  p.gross_minor * 1e0 / c.active_players AS arpdau_minor, p.gross_minor * 1e0 / p.payers AS arppu_minor,
  m.month_minor / r.players AS arpu_minor
FROM paid AS p
JOIN counted AS c ON c.game_id = p.game_id AND c.event_date = p.event_date AND c.platform = p.platform
  AND c.country = p.country AND c.app_version = p.app_version
JOIN months AS m ON m.game_id = p.game_id AND m.event_date = p.event_date AND m.currency = p.currency
  AND m.platform = p.platform AND m.country = p.country AND m.app_version = p.app_version
JOIN reach AS r ON r.game_id = p.game_id AND r.event_date = p.event_date AND r.platform = p.platform
  AND r.country = p.country AND r.app_version = p.app_version
JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date >= b.since
