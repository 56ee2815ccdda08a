-- Active, new and returning players of a game, day by day.
SELECT event_date, active_players, weekly_active_players, monthly_active_players, stickiness, new_players, returning_players
FROM daily
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '90' DAY
ORDER BY event_date
