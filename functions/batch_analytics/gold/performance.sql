WITH samples AS (
  SELECT event_date, game_id, platform, country, app_version, 'fps' AS measure, fps AS sample FROM events
  WHERE event_type = 'performance' AND fps IS NOT NULL
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'frame_time_ms', frame_time_ms FROM events
  WHERE event_type = 'performance' AND frame_time_ms IS NOT NULL
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'latency_ms', latency_ms FROM events
  WHERE event_type = 'performance' AND latency_ms IS NOT NULL
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'load_time_ms', load_time_ms FROM events
  WHERE event_type = 'performance' AND load_time_ms IS NOT NULL
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'memory_mb', memory_mb FROM events
  WHERE event_type = 'performance' AND memory_mb IS NOT NULL
)
SELECT
  event_date, game_id,
  COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
  measure, COUNT(*) AS samples,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY sample) AS p50,
  PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY sample) AS p95,
  PERCENTILE_CONT(0.99) WITHIN GROUP (ORDER BY sample) AS p99
FROM samples
GROUP BY event_date, game_id, measure, CUBE (platform, country, app_version)
