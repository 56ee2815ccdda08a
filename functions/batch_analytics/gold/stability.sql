WITH counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COUNT(DISTINCT session_id) AS sessions,
    SUM(CASE WHEN event_type = 'crash' THEN 1 ELSE 0 END) AS crashes,
    COUNT(DISTINCT CASE WHEN event_type = 'crash' THEN session_id END) AS crashed_sessions,
    COUNT(DISTINCT player_id) AS active_players,
    COUNT(DISTINCT CASE WHEN event_type = 'crash' THEN player_id END) AS crashed_players
  FROM events
  GROUP BY event_date, game_id, CUBE (platform, country, app_version)
)
SELECT
  event_date, game_id, platform, country, app_version, sessions, crashes, crashed_sessions,
  1e0 - crashed_sessions * 1e0 / sessions AS crash_free_sessions,
  active_players, crashed_players, 1e0 - crashed_players * 1e0 / active_players AS crash_free_players
FROM counted
