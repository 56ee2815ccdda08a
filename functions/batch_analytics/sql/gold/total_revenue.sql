-- Every currency of the game on every day with players, so that sums over days have all players below the line; and on days
-- with a refund only.
WITH counted AS (
  SELECT s.game_id, s.event_date, s.platform, s.country, s.app_version, SUM(s.players) AS active_players
  FROM stays AS s JOIN bounds AS b ON b.game_id = s.game_id AND s.event_date >= b.since
  WHERE s.custom_1 = '*' AND s.custom_2 = '*'
  GROUP BY s.game_id, s.event_date, s.platform, s.country, s.app_version
),
earned AS (
  SELECT
    game_id, event_date, currency,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    SUM(amount_minor) AS gross_minor, SUM(refunded_minor) AS refunded_minor, SUM(ad_micros) AS ad_micros
  FROM (
    SELECT
      game_id, event_date, currency, platform, country, app_version, amount_minor, 0 AS refunded_minor, 0 AS ad_micros
    FROM purchases
    UNION ALL
    SELECT game_id, event_date, currency, platform, country, app_version, 0, amount_minor, 0 FROM refunds
    UNION ALL
    SELECT game_id, event_date, currency, platform, country, app_version, 0, 0, revenue_micros FROM recent_ads
  ) AS money
  GROUP BY game_id, event_date, currency, CUBE (platform, country, app_version)
),
slices AS (
  SELECT game_id, event_date, platform, country, app_version, SUM(active_players) AS active_players FROM (
    SELECT game_id, event_date, platform, country, app_version, active_players FROM counted
    UNION ALL
    SELECT e.game_id, e.event_date, e.platform, e.country, e.app_version, 0
    FROM earned AS e JOIN bounds AS b ON b.game_id = e.game_id AND e.event_date >= b.since
    WHERE e.refunded_minor > 0
  ) AS each_slice
  GROUP BY game_id, event_date, platform, country, app_version
),
shown AS (
  SELECT
    c.event_date, c.game_id, c.platform, c.country, c.app_version, k.currency, c.active_players,
    CAST(CAST(COALESCE(e.gross_minor, 0) AS DECIMAL(28, 0)) * k.micros_of_minor AS DECIMAL(38, 0)) AS purchase_micros,
    CAST(CAST(COALESCE(e.refunded_minor, 0) AS DECIMAL(28, 0)) * k.micros_of_minor AS DECIMAL(38, 0)) AS refunded_micros,
    CAST(COALESCE(e.ad_micros, 0) AS DECIMAL(38, 0)) AS ad_revenue_micros
  FROM slices AS c
  JOIN currencies AS k ON k.game_id = c.game_id
  LEFT JOIN earned AS e ON e.game_id = c.game_id AND e.event_date = c.event_date AND e.currency = k.currency
    AND e.platform = c.platform AND e.country = c.country AND e.app_version = c.app_version
)
SELECT
  event_date, game_id, platform, country, app_version, currency, purchase_micros, refunded_micros, ad_revenue_micros,
  CAST(purchase_micros + ad_revenue_micros AS DECIMAL(38, 0)) AS total_micros,
  CAST(purchase_micros - refunded_micros + ad_revenue_micros AS DECIMAL(38, 0)) AS net_total_micros, active_players,
  (purchase_micros + ad_revenue_micros) * 1e0 / NULLIF(active_players, 0) AS total_arpdau_micros,
  (purchase_micros - refunded_micros + ad_revenue_micros) * 1e0 / NULLIF(active_players, 0) AS net_total_arpdau_micros,
  ad_revenue_micros * 1e0 / NULLIF(active_players, 0) AS ad_arpdau_micros
FROM shown
