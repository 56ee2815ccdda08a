-- Every currency of the game on every day with players, so that sums over days have all players below the line; and on days
-- with a refund only.
WITH counted AS (
  SELECT
    s.game_id, s.event_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2,
    SUM(s.players) AS active_players
  FROM stays AS s JOIN bounds AS b ON b.game_id = s.game_id AND s.event_date >= b.since
  GROUP BY s.game_id, s.event_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2
),
earned AS (
  SELECT
    game_id, event_date, currency,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    SUM(amount_minor) AS gross_minor, SUM(refunded_minor) AS refunded_minor, SUM(ad_micros) AS ad_micros
  FROM (
    SELECT
      game_id, event_date, currency, platform, country, app_version, custom_1, custom_2, amount_minor,
      0 AS refunded_minor, 0 AS ad_micros
    FROM purchases
    UNION ALL
    SELECT
      game_id, event_date, currency, platform, country, app_version, custom_1, custom_2, 0, amount_minor, 0
    FROM refunds
    UNION ALL
    SELECT
      a.game_id, a.event_date, a.currency, a.platform, a.country, a.app_version,
      COALESCE(a.custom_1, v.custom_1, 'unknown'), COALESCE(a.custom_2, v.custom_2, 'unknown'), 0, 0, a.revenue_micros
    FROM recent_ads AS a LEFT JOIN first_values AS v ON v.game_id = a.game_id AND v.player_id = a.player_id
  ) AS money
  GROUP BY game_id, event_date, currency, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
slices AS (
  SELECT
    game_id, event_date, platform, country, app_version, custom_1, custom_2, SUM(active_players) AS active_players
  FROM (
    SELECT game_id, event_date, platform, country, app_version, custom_1, custom_2, active_players FROM counted
    UNION ALL
    SELECT e.game_id, e.event_date, e.platform, e.country, e.app_version, e.custom_1, e.custom_2, 0
    FROM earned AS e
    JOIN bounds AS b ON b.game_id = e.game_id AND e.event_date >= b.since AND (e.custom_1 = '*' OR b.slot_1 = 1)
      AND (e.custom_2 = '*' OR b.slot_2 = 1)
    WHERE e.refunded_minor > 0
  ) AS each_slice
  GROUP BY game_id, event_date, platform, country, app_version, custom_1, custom_2
),
shown AS (
  SELECT
    c.event_date, c.game_id, c.platform, c.country, c.app_version, c.custom_1, c.custom_2, k.currency, c.active_players,
    CAST(CAST(COALESCE(e.gross_minor, 0) AS DECIMAL(28, 0)) * k.micros_of_minor AS DECIMAL(38, 0)) AS purchase_micros,
    CAST(CAST(COALESCE(e.refunded_minor, 0) AS DECIMAL(28, 0)) * k.micros_of_minor AS DECIMAL(38, 0)) AS refunded_micros,
    CAST(COALESCE(e.ad_micros, 0) AS DECIMAL(38, 0)) AS ad_revenue_micros
  FROM slices AS c
  JOIN currencies AS k ON k.game_id = c.game_id
  LEFT JOIN earned AS e ON e.game_id = c.game_id AND e.event_date = c.event_date AND e.currency = k.currency
    AND e.platform = c.platform AND e.country = c.country AND e.app_version = c.app_version
    AND e.custom_1 = c.custom_1 AND e.custom_2 = c.custom_2
)
SELECT
  event_date, game_id, platform, country, app_version, custom_1, custom_2, currency, purchase_micros, refunded_micros,
  ad_revenue_micros,
  CAST(purchase_micros + ad_revenue_micros AS DECIMAL(38, 0)) AS total_micros,
  CAST(purchase_micros - refunded_micros + ad_revenue_micros AS DECIMAL(38, 0)) AS net_total_micros, active_players,
  (purchase_micros + ad_revenue_micros) * 1e0 / NULLIF(active_players, 0) AS total_arpdau_micros,
  (purchase_micros - refunded_micros + ad_revenue_micros) * 1e0 / NULLIF(active_players, 0) AS net_total_arpdau_micros,
  ad_revenue_micros * 1e0 / NULLIF(active_players, 0) AS ad_arpdau_micros
FROM shown
