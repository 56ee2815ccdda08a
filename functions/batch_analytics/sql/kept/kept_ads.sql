-- Advertisements that a player saw, by day and everything that gold tells apart.
SELECT
  game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2, network, placement, format,
  COALESCE(currency, '') AS currency, COUNT(*) AS impressions,
  SUM(CASE WHEN completed THEN 1 ELSE 0 END) AS completed_impressions,
  CAST(SUM(CAST(COALESCE(revenue_micros, 0) AS DECIMAL(19, 0))) AS DECIMAL(38, 0)) AS revenue_micros
FROM events WHERE event_type = 'ad_impression'
GROUP BY player_id, network, placement, format, COALESCE(currency, ''), game_id, event_date, platform, country,
  app_version, custom_1, custom_2
