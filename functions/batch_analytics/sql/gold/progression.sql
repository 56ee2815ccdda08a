-- Who is in one place only is folded into a number; the others are told apart.
WITH seen AS (
  SELECT *, COUNT(*) OVER (PARTITION BY event_date, game_id, level_1, level_2, level_3, player_id) AS slices FROM (
    SELECT
      event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2,
      level_1, level_2, level_3, SUM(starts) AS starts, SUM(completes) AS completes, SUM(fails) AS fails
    FROM attempts
    GROUP BY event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, level_1, level_2,
      level_3
  ) AS grouped
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, level_1, level_2, level_3,
    CASE WHEN slices > 1 THEN player_id END AS who, COUNT(*) AS players,
    SUM(starts) AS starts, SUM(completes) AS completes, SUM(fails) AS fails
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, level_1, level_2, level_3,
    CASE WHEN slices > 1 THEN player_id END
),
counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    level_1, level_2, level_3, SUM(starts) AS starts, SUM(completes) AS completes, SUM(fails) AS fails,
    COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN players ELSE 0 END) AS players
  FROM folded
  GROUP BY event_date, game_id, level_1, level_2, level_3,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, level_1, level_2, level_3,
  starts, completes, fails, completes + fails AS attempts,
  CASE WHEN starts > 0 THEN LEAST(completes * 1e0 / starts, 1e0) END AS completion, players
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
