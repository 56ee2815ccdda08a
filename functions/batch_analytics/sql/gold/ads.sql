-- Who is in one place only is folded into a number; the others are told apart.
WITH seen AS (
  SELECT
    *, COUNT(*) OVER (PARTITION BY event_date, game_id, network, placement, format, currency, player_id) AS slices
  FROM (
    SELECT
      event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, network, placement, format,
      currency, SUM(impressions) AS impressions, SUM(completed_impressions) AS completed_impressions,
      SUM(revenue_micros) AS revenue_micros
    FROM shown_ads
    GROUP BY event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, network, placement,
      format, currency
  ) AS grouped
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, network, placement, format, currency,
    CASE WHEN slices > 1 THEN player_id END AS who, COUNT(*) AS players, SUM(impressions) AS impressions,
    SUM(completed_impressions) AS completed_impressions, SUM(revenue_micros) AS revenue_micros
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, network, placement, format, currency,
    CASE WHEN slices > 1 THEN player_id END
),
counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    network, placement, format, currency, SUM(impressions) AS impressions,
    COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN players ELSE 0 END) AS players,
    SUM(completed_impressions) AS completed_impressions, CAST(SUM(revenue_micros) AS DECIMAL(38, 0)) AS revenue_micros
  FROM folded
  GROUP BY event_date, game_id, network, placement, format, currency,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, network, placement, format, currency,
  impressions, players, completed_impressions, revenue_micros,
  completed_impressions * 1e0 / impressions AS completed_share,
  1000 * (revenue_micros * 1e0 / impressions) AS ecpm_micros
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
