-- A cell's samples come as one row: the totals copy and sort arrays, not rows.
WITH totals AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    measure, SUM(samples) AS samples, SORT_ARRAY(FLATTEN(COLLECT_LIST(sorted))) AS sorted
  FROM kept_samples
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
