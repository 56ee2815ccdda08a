-- A cell's samples come as one row: the totals copy and sort arrays, not rows.
WITH totals AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    '*' AS custom_1, '*' AS custom_2,
    measure, SUM(samples) AS samples, SORT_ARRAY(FLATTEN(COLLECT_LIST(sorted))) AS sorted
  FROM sampled
  GROUP BY event_date, game_id, measure, CUBE (platform, country, app_version)
  UNION ALL
  SELECT
    event_date, game_id, '*', '*', '*', custom_1, custom_2, measure, SUM(samples),
    SORT_ARRAY(FLATTEN(COLLECT_LIST(sorted)))
  FROM (
    SELECT
      s.event_date, s.game_id, CASE WHEN c.slot = 1 THEN s.custom_1 ELSE '*' END AS custom_1,
      CASE WHEN c.slot = 2 THEN s.custom_2 ELSE '*' END AS custom_2, s.measure, s.samples, s.sorted
    FROM sampled AS s JOIN customs AS c ON c.game_id = s.game_id
  ) AS apart
  GROUP BY event_date, game_id, custom_1, custom_2, measure
),
placed AS (
  SELECT *, (samples - 1) * 0.01e0 AS at_1, (samples - 1) * 0.05e0 AS at_5, (samples - 1) * 0.5e0 AS at_50, 
    (samples - 1) * 0.95e0 AS at_95, (samples - 1) * 0.99e0 AS at_99
  FROM totals
),
ranked AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, measure, samples,
    sorted[CAST(FLOOR(at_1) AS INT)] + (at_1 - FLOOR(at_1))
      * (sorted[CAST(CEIL(at_1) AS INT)] - sorted[CAST(FLOOR(at_1) AS INT)]) AS p1,
    sorted[CAST(FLOOR(at_5) AS INT)] + (at_5 - FLOOR(at_5))
      * (sorted[CAST(CEIL(at_5) AS INT)] - sorted[CAST(FLOOR(at_5) AS INT)]) AS p5,
    sorted[CAST(FLOOR(at_50) AS INT)] + (at_50 - FLOOR(at_50))
      * (sorted[CAST(CEIL(at_50) AS INT)] - sorted[CAST(FLOOR(at_50) AS INT)]) AS p50,
    sorted[CAST(FLOOR(at_95) AS INT)] + (at_95 - FLOOR(at_95))
      * (sorted[CAST(CEIL(at_95) AS INT)] - sorted[CAST(FLOOR(at_95) AS INT)]) AS p95,
    sorted[CAST(FLOOR(at_99) AS INT)] + (at_99 - FLOOR(at_99))
      * (sorted[CAST(CEIL(at_99) AS INT)] - sorted[CAST(FLOOR(at_99) AS INT)]) AS p99
  FROM placed
)
-- Few frames a second are slow; of every other measure the high values are.
SELECT
  event_date, game_id, platform, country, app_version, custom_1, custom_2, measure, samples, p1, p5, p50, p95, p99,
  CASE WHEN measure = 'fps' THEN p5 ELSE p95 END AS slow_5, CASE WHEN measure = 'fps' THEN p1 ELSE p99 END AS slow_1
FROM ranked
