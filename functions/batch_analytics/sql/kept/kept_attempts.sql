-- Progression events of a player by day and level.
SELECT
  game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2,
  level_1, COALESCE(level_2, '') AS level_2, COALESCE(level_3, '') AS level_3,
  SUM(CASE WHEN status = 'start' THEN 1 ELSE 0 END) AS starts,
  SUM(CASE WHEN status = 'complete' THEN 1 ELSE 0 END) AS completes,
  SUM(CASE WHEN status = 'fail' THEN 1 ELSE 0 END) AS fails
FROM events WHERE event_type = 'progression'
GROUP BY player_id, level_1, COALESCE(level_2, ''), COALESCE(level_3, ''), game_id, event_date, platform, country,
  app_version, custom_1, custom_2
