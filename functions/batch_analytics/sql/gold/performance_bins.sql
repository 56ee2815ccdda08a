-- The bins of telemetry.histogram: unlike percentiles, counts by bin add up.
SELECT
  event_date, game_id,
  COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
  measure, bin, COUNT(*) AS binned_samples
FROM (
  SELECT
    event_date, game_id, platform, country, app_version, measure,
    CAST(CEIL(LN(GREATEST(sample, 1e0)) / LN(1.05e0)) AS BIGINT) AS bin
  FROM (
    SELECT event_date, game_id, platform, country, app_version, measure, EXPLODE(sorted) AS sample FROM kept_samples
  ) AS samples
) AS binned
GROUP BY event_date, game_id, measure, bin, CUBE (platform, country, app_version)
