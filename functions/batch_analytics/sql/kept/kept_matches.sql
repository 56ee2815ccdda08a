-- Match events of a player by day and match.
SELECT
  game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2, match_id, mode,
  SUM(CASE WHEN event_type = 'match_start' THEN 1 ELSE 0 END) AS starts,
  SUM(CASE WHEN event_type = 'match_end' THEN 1 ELSE 0 END) AS ends,
  SUM(CASE WHEN result = 'win' THEN 1 ELSE 0 END) AS wins,
  SUM(CASE WHEN result = 'loss' THEN 1 ELSE 0 END) AS losses,
  SUM(CASE WHEN result = 'draw' THEN 1 ELSE 0 END) AS draws,
  SUM(CASE WHEN result = 'abandoned' THEN 1 ELSE 0 END) AS abandons,
  SUM(COALESCE(duration_seconds, 0)) AS match_seconds, COUNT(queue_seconds) AS queued_starts,
  SUM(COALESCE(queue_seconds, 0)) AS queue_seconds
FROM events WHERE event_type IN ('match_start', 'match_end')
GROUP BY player_id, match_id, mode, game_id, event_date, platform, country, app_version, custom_1, custom_2
