SELECT
  event_date, game_id,
  COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
  currency, flow, COALESCE(reason, '*') AS reason,
  COUNT(*) AS events, COUNT(DISTINCT player_id) AS players, CAST(SUM(amount) AS BIGINT) AS amount,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY balance_after) AS balance_after_median
FROM events
WHERE event_type = 'economy'
GROUP BY event_date, game_id, currency, flow, CUBE (platform, country, app_version, reason)
