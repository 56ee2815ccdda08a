-- Who moved a currency on a day.
SELECT DISTINCT game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2, currency, flow,
  reason
FROM events WHERE event_type = 'economy'
