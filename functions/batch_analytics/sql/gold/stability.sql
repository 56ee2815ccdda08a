-- Who is in one place only is folded into a number; the others are told apart. A session is a player's: two players may
-- send one session_id.
WITH seen AS (
  SELECT *, COUNT(*) OVER (PARTITION BY event_date, game_id, kind, id) AS slices FROM (
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, 'session' AS kind,
      CONCAT(player_id, ' ', session_id) AS id, 0 AS crashes, 0 AS nonfatal_crashes
    FROM present WHERE played > 0
    GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, player_id, session_id
    UNION ALL
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, 'player', player_id, 0,
      SUM(nonfatal_crashes)
    FROM present
    GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, player_id
    UNION ALL
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, 'crashed session',
      CONCAT(player_id, ' ', session_id), SUM(crashes), 0
    FROM present WHERE crashes > 0
    GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, player_id, session_id
    UNION ALL
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, 'crashed player', player_id, 0, 0
    FROM present WHERE crashes > 0
    GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, player_id
  ) AS things
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, kind,
    CASE WHEN slices > 1 THEN id END AS who, COUNT(*) AS number, SUM(crashes) AS crashes,
    SUM(nonfatal_crashes) AS nonfatal_crashes
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, kind,
    CASE WHEN slices > 1 THEN id END
),
totals AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    kind, COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN number ELSE 0 END) AS number, SUM(crashes) AS crashes,
    SUM(nonfatal_crashes) AS nonfatal_crashes
  FROM folded
  GROUP BY event_date, game_id, kind, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
counted AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2,
    SUM(CASE WHEN kind = 'session' THEN number ELSE 0 END) AS active_sessions, SUM(crashes) AS crashes,
    SUM(nonfatal_crashes) AS nonfatal_crashes,
    SUM(CASE WHEN kind = 'crashed session' THEN number ELSE 0 END) AS crashed_sessions,
    SUM(CASE WHEN kind = 'player' THEN number ELSE 0 END) AS active_players,
    SUM(CASE WHEN kind = 'crashed player' THEN number ELSE 0 END) AS crashed_players
  FROM totals
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, active_sessions, crashes,
  nonfatal_crashes, crashed_sessions,
  CASE WHEN active_sessions > 0 THEN 1e0 - crashed_sessions * 1e0 / active_sessions END AS crash_free_sessions,
  active_players, crashed_players, 1e0 - crashed_players * 1e0 / active_players AS crash_free_players
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
