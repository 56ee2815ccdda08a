CREATE OR REPLACE VIEW metrics.performance AS
WITH measured AS (
  SELECT
    f.event_date, f.game_id, COALESCE(f.platform, 'unknown') AS platform, COALESCE(f.country, 'unknown') AS country,
    COALESCE(f.app_version, 'unknown') AS app_version,
    f.payload.fps::DOUBLE PRECISION AS fps,
    f.payload.frame_time_ms::DOUBLE PRECISION AS frame_time_ms,
    f.payload.latency_ms::DOUBLE PRECISION AS latency_ms,
    f.payload.load_time_ms::DOUBLE PRECISION AS load_time_ms,
    f.payload.memory_mb::DOUBLE PRECISION AS memory_mb
  FROM warehouse.fact_events AS f
  WHERE f.event_type = 'performance'
),
samples AS (
  SELECT event_date, game_id, platform, country, app_version, 'fps' AS measure, fps AS sample FROM measured
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'frame_time_ms', frame_time_ms FROM measured
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'latency_ms', latency_ms FROM measured
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'load_time_ms', load_time_ms FROM measured
  UNION ALL
  SELECT event_date, game_id, platform, country, app_version, 'memory_mb', memory_mb FROM measured
),
sliced AS (
  SELECT
    s.event_date, s.game_id, s.measure, s.sample,
    CASE WHEN k.by_platform THEN s.platform ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN s.country ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN s.app_version ELSE '*' END AS app_version
  FROM samples AS s CROSS JOIN warehouse.dim_slice AS k
  WHERE s.sample IS NOT NULL
)
SELECT
  event_date, game_id, platform, country, app_version, measure, COUNT(*) AS samples,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY sample) AS p50,
  PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY sample) AS p95,
  PERCENTILE_CONT(0.99) WITHIN GROUP (ORDER BY sample) AS p99
FROM sliced
GROUP BY event_date, game_id, platform, country, app_version, measure;
