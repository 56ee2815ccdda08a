-- Economy events by day and everything that gold tells apart, without the players.
SELECT
  game_id, event_date, platform, country, app_version, currency, flow, reason, COUNT(*) AS events,
  CAST(SUM(CAST(amount AS DECIMAL(19, 0))) AS DECIMAL(38, 0)) AS amount, COLLECT_LIST(balance_after) AS balances
FROM events WHERE event_type = 'economy'
GROUP BY game_id, event_date, platform, country, app_version, currency, flow, reason
