CREATE OR REPLACE VIEW metrics.progression AS
WITH levels AS (
  SELECT
    f.event_date, f.game_id, f.player_id,
    CASE WHEN k.by_platform THEN COALESCE(f.platform, 'unknown') ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN COALESCE(f.country, 'unknown') ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN COALESCE(f.app_version, 'unknown') ELSE '*' END AS app_version,
    f.payload.level_1::VARCHAR(256) AS level_1,
    COALESCE(f.payload.level_2::VARCHAR(256), '') AS level_2,
    COALESCE(f.payload.level_3::VARCHAR(256), '') AS level_3,
    f.payload.status::VARCHAR(256) AS status
  FROM warehouse.fact_events AS f CROSS JOIN warehouse.dim_slice AS k
  WHERE f.event_type = 'progression'
),
counted AS (
  SELECT
    event_date, game_id, platform, country, app_version, level_1, level_2, level_3,
    COUNT(CASE WHEN status = 'start' THEN 1 END) AS starts,
    COUNT(CASE WHEN status = 'complete' THEN 1 END) AS completes,
    COUNT(CASE WHEN status = 'fail' THEN 1 END) AS fails,
    COUNT(DISTINCT player_id) AS players
  FROM levels
  GROUP BY event_date, game_id, platform, country, app_version, level_1, level_2, level_3
)
SELECT
  event_date, game_id, platform, country, app_version, level_1, level_2, level_3,
  starts, completes, fails, completes + fails AS attempts,
  completes::DOUBLE PRECISION / NULLIF(starts, 0) AS completion, players
FROM counted;
