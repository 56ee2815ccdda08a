CREATE OR REPLACE VIEW metrics.stability AS
WITH seen AS (
  SELECT
    f.event_date, f.game_id, f.player_id, f.session_id, f.event_type = 'crash' AS crashed,
    CASE WHEN k.by_platform THEN COALESCE(f.platform, 'unknown') ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN COALESCE(f.country, 'unknown') ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN COALESCE(f.app_version, 'unknown') ELSE '*' END AS app_version
  FROM warehouse.fact_events AS f CROSS JOIN warehouse.dim_slice AS k
),
counted AS (
  SELECT
    event_date, game_id, platform, country, app_version,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(CASE WHEN crashed THEN 1 END) AS crashes,
    COUNT(DISTINCT CASE WHEN crashed THEN session_id END) AS crashed_sessions,
    COUNT(DISTINCT player_id) AS active_players,
    COUNT(DISTINCT CASE WHEN crashed THEN player_id END) AS crashed_players
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version
)
SELECT
  event_date, game_id, platform, country, app_version, sessions, crashes, crashed_sessions,
  1 - crashed_sessions::DOUBLE PRECISION / sessions AS crash_free_sessions,
  active_players, crashed_players, 1 - crashed_players::DOUBLE PRECISION / active_players AS crash_free_players
FROM counted;
