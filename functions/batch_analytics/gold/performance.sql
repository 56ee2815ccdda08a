WITH measures AS (
  SELECT * FROM VALUES ('fps'), ('frame_time_ms'), ('latency_ms'), ('load_time_ms'), ('memory_mb') AS measures (measure)
),
sampled AS (
  SELECT
    e.event_date, e.game_id, e.platform, e.country, e.app_version, m.measure,
    CASE m.measure
      WHEN 'fps' THEN e.fps WHEN 'frame_time_ms' THEN e.frame_time_ms WHEN 'latency_ms' THEN e.latency_ms
      WHEN 'load_time_ms' THEN e.load_time_ms ELSE e.memory_mb
    END AS sample
  FROM events AS e CROSS JOIN measures AS m
  WHERE e.event_type = 'performance'
),
cells AS (
  SELECT
    event_date, game_id, platform, country, app_version, measure, COUNT(*) AS samples, COLLECT_LIST(sample) AS sorted
  FROM sampled
  WHERE sample IS NOT NULL
  GROUP BY event_date, game_id, platform, country, app_version, measure
),
-- A cell's samples come as one row: the totals copy and sort arrays, not rows.
totals AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    measure, SUM(samples) AS samples, SORT_ARRAY(FLATTEN(COLLECT_LIST(sorted))) AS sorted
  FROM cells
  GROUP BY event_date, game_id, measure, CUBE (platform, country, app_version)
),
placed AS (
  SELECT *, (samples - 1) * 0.5e0 AS at_50, (samples - 1) * 0.95e0 AS at_95, (samples - 1) * 0.99e0 AS at_99
  FROM totals
)
SELECT
  event_date, game_id, platform, country, app_version, measure, samples,
  sorted[CAST(FLOOR(at_50) AS INT)] + (at_50 - FLOOR(at_50))
    * (sorted[CAST(CEIL(at_50) AS INT)] - sorted[CAST(FLOOR(at_50) AS INT)]) AS p50,
  sorted[CAST(FLOOR(at_95) AS INT)] + (at_95 - FLOOR(at_95))
    * (sorted[CAST(CEIL(at_95) AS INT)] - sorted[CAST(FLOOR(at_95) AS INT)]) AS p95,
  sorted[CAST(FLOOR(at_99) AS INT)] + (at_99 - FLOOR(at_99))
    * (sorted[CAST(CEIL(at_99) AS INT)] - sorted[CAST(FLOOR(at_99) AS INT)]) AS p99
FROM placed
