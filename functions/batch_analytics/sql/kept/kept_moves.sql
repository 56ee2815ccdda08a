-- Economy events by day and everything that gold tells apart. Rows have the player in games with custom dimensions only:
-- there, the first day of a player may tell the value.
SELECT
  game_id, event_date, CASE WHEN by_player THEN player_id END AS player_id, platform, country, app_version,
  custom_1, custom_2, currency, flow, reason, COUNT(*) AS events,
  CAST(SUM(CAST(amount AS DECIMAL(19, 0))) AS DECIMAL(38, 0)) AS amount, COLLECT_LIST(balance_after) AS balances
FROM events WHERE event_type = 'economy'
GROUP BY game_id, event_date, CASE WHEN by_player THEN player_id END, platform, country, app_version, custom_1,
  custom_2, currency, flow, reason
