-- Who is in one place only is folded into a number; the others are told apart. A session is a player's: two players may
-- send one session_id.
WITH seen AS (
  SELECT *, COUNT(*) OVER (PARTITION BY event_date, game_id, kind, id) AS slices FROM (
    SELECT event_date, game_id, platform, country, app_version, 'session' AS kind,
      CONCAT(player_id, ' ', session_id) AS id, 0 AS crashes,
      0 AS nonfatal_crashes
    FROM touched_presence WHERE played > 0
    GROUP BY event_date, game_id, platform, country, app_version, player_id, session_id
    UNION ALL
    SELECT event_date, game_id, platform, country, app_version, 'player', player_id, 0, SUM(nonfatal_crashes)
    FROM touched_presence GROUP BY event_date, game_id, platform, country, app_version, player_id
    UNION ALL
    SELECT event_date, game_id, platform, country, app_version, 'crashed session',
      CONCAT(player_id, ' ', session_id), SUM(crashes), 0
    FROM touched_presence WHERE crashes > 0
    GROUP BY event_date, game_id, platform, country, app_version, player_id, session_id
    UNION ALL
    SELECT event_date, game_id, platform, country, app_version, 'crashed player', player_id, 0, 0
    FROM touched_presence WHERE crashes > 0 GROUP BY event_date, game_id, platform, country, app_version, player_id
  ) AS things
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, kind,
    CASE WHEN slices > 1 THEN id END AS who, COUNT(*) AS number, SUM(crashes) AS crashes, SUM(nonfatal_crashes) AS nonfatal_crashes
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, kind, CASE WHEN slices > 1 THEN id END
),
totals AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    kind, COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN number ELSE 0 END) AS number, SUM(crashes) AS crashes,
    SUM(nonfatal_crashes) AS nonfatal_crashes
  FROM folded
  GROUP BY event_date, game_id, kind, CUBE (platform, country, app_version)
),
counted AS (
  SELECT
    event_date, game_id, platform, country, app_version,
    SUM(CASE WHEN kind = 'session' THEN number ELSE 0 END) AS active_sessions, SUM(crashes) AS crashes,
    SUM(nonfatal_crashes) AS nonfatal_crashes,
    SUM(CASE WHEN kind = 'crashed session' THEN number ELSE 0 END) AS crashed_sessions,
    SUM(CASE WHEN kind = 'player' THEN number ELSE 0 END) AS active_players,
    SUM(CASE WHEN kind = 'crashed player' THEN number ELSE 0 END) AS crashed_players
  FROM totals
  GROUP BY event_date, game_id, platform, country, app_version
)
SELECT
  event_date, game_id, platform, country, app_version, active_sessions, crashes, nonfatal_crashes, crashed_sessions,
  CASE WHEN active_sessions > 0 THEN 1e0 - crashed_sessions * 1e0 / active_sessions END AS crash_free_sessions,
  active_players, crashed_players, 1e0 - crashed_players * 1e0 / active_players AS crash_free_players
FROM counted
