-- Design events of a player by day and name.
SELECT
  game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2, name,
  COUNT(*) AS events, COUNT(value) AS valued_events, SUM(COALESCE(value, 0e0)) AS value_sum
FROM events WHERE event_type = 'design'
GROUP BY player_id, name, game_id, event_date, platform, country, app_version, custom_1, custom_2
