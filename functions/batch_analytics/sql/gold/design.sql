-- Who is in one place only is folded into a number; the others are told apart.
WITH seen AS (
  SELECT *, COUNT(*) OVER (PARTITION BY event_date, game_id, depth, name, player_id) AS slices FROM (
    SELECT
      event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, depth, name,
      SUM(events) AS events, SUM(valued_events) AS valued_events, SUM(value_sum) AS value_sum
    FROM designs WHERE touched
    GROUP BY event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, depth, name
  ) AS grouped
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, depth, name,
    CASE WHEN slices > 1 THEN player_id END AS who, COUNT(*) AS players,
    SUM(events) AS events, SUM(valued_events) AS valued_events, SUM(value_sum) AS value_sum
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, depth, name,
    CASE WHEN slices > 1 THEN player_id END
),
counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    depth, name, SUM(events) AS design_events,
    COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN players ELSE 0 END) AS players,
    SUM(valued_events) AS valued_events, SUM(value_sum) AS value_sum
  FROM folded
  GROUP BY event_date, game_id, depth, name,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, depth, name, design_events, players,
  valued_events, value_sum,
  CASE WHEN valued_events > 0 THEN value_sum / valued_events END AS value_mean
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
