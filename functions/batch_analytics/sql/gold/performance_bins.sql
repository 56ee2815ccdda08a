-- The bins of telemetry.histogram: unlike percentiles, counts by bin add up.
WITH binned AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, measure, bin, COUNT(*) AS binned_samples
  FROM (
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, measure,
      CAST(CEIL(LN(GREATEST(sample, 1e0)) / LN(1.05e0)) AS BIGINT) AS bin
    FROM (
      SELECT
        event_date, game_id, platform, country, app_version, custom_1, custom_2, measure, EXPLODE(sorted) AS sample
      FROM sampled
    ) AS each_sample
  ) AS each_bin
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, measure, bin
),
counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2, measure, bin,
    SUM(binned_samples) AS binned_samples
  FROM binned
  GROUP BY event_date, game_id, measure, bin,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, measure, bin, binned_samples
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
