WITH levels AS (
  SELECT *, COALESCE(level_2, '') AS second_level, COALESCE(level_3, '') AS third_level
  FROM events WHERE event_type = 'progression'
),
counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    level_1, second_level AS level_2, third_level AS level_3,
    SUM(CASE WHEN status = 'start' THEN 1 ELSE 0 END) AS starts,
    SUM(CASE WHEN status = 'complete' THEN 1 ELSE 0 END) AS completes,
    SUM(CASE WHEN status = 'fail' THEN 1 ELSE 0 END) AS fails,
    COUNT(DISTINCT player_id) AS players
  FROM levels
  GROUP BY event_date, game_id, level_1, second_level, third_level, CUBE (platform, country, app_version)
)
SELECT
  event_date, game_id, platform, country, app_version, level_1, level_2, level_3,
  starts, completes, fails, completes + fails AS attempts,
  CASE WHEN starts > 0 THEN completes * 1e0 / starts END AS completion, players
FROM counted
