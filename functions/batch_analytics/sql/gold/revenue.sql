WITH counted AS (
  SELECT game_id, event_date, platform, country, app_version, SUM(players) AS active_players
  FROM stays GROUP BY game_id, event_date, platform, country, app_version
),
paid AS (
  SELECT
    game_id, event_date, currency,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COUNT(*) AS purchases, COUNT(DISTINCT player_id) AS currency_payers, SUM(amount_minor) AS gross_minor,
    SUM(CASE WHEN verified THEN 0 ELSE amount_minor END) AS unverified_minor
  FROM purchases
  GROUP BY game_id, event_date, currency, CUBE (platform, country, app_version)
),
-- Every currency of the game on every day with players, so that sums over days have all players below the line.
shown AS (
  SELECT c.game_id, c.event_date, c.platform, c.country, c.app_version, c.active_players, k.currency
  FROM counted AS c
  JOIN bounds AS b ON b.game_id = c.game_id AND c.event_date >= b.since
  JOIN currencies AS k ON k.game_id = c.game_id
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
  UNION ALL
  SELECT game_id, platform, country, app_version, currency, event_date, 0 FROM shown
),
months AS (
  SELECT game_id, platform, country, app_version, currency, event_date,
    SUM(SUM(gross_minor)) OVER (
      PARTITION BY game_id, platform, country, app_version, currency ORDER BY event_date
    ) AS month_minor
  FROM payments GROUP BY game_id, platform, country, app_version, currency, event_date
)
SELECT
  s.event_date, s.game_id, s.platform, s.country, s.app_version, s.currency,
  COALESCE(p.purchases, 0) AS purchases, COALESCE(p.currency_payers, 0) AS currency_payers,
  CAST(COALESCE(p.gross_minor, 0) AS DECIMAL(38, 0)) AS gross_minor,
  CAST(COALESCE(p.unverified_minor, 0) AS DECIMAL(38, 0)) AS unverified_minor, s.active_players,
  CAST(m.month_minor AS DECIMAL(38, 0)) AS month_gross_minor, r.players AS monthly_active_players,
  COALESCE(p.gross_minor, 0) * 1e0 / s.active_players AS arpdau_minor, p.gross_minor * 1e0 / p.currency_payers AS arppu_minor,
  m.month_minor * 1e0 / r.players AS arpu_minor
FROM shown AS s
LEFT JOIN paid AS p ON p.game_id = s.game_id AND p.event_date = s.event_date AND p.currency = s.currency
  AND p.platform = s.platform AND p.country = s.country AND p.app_version = s.app_version
JOIN months AS m ON m.game_id = s.game_id AND m.event_date = s.event_date AND m.currency = s.currency
  AND m.platform = s.platform AND m.country = s.country AND m.app_version = s.app_version
JOIN reach AS r ON r.game_id = s.game_id AND r.event_date = s.event_date AND r.platform = s.platform
  AND r.country = s.country AND r.app_version = s.app_version
