-- What a game gave out of each virtual currency and took back, day by day: a surplus that lasts is inflation.
SELECT
  event_date,
  currency,
  sum(CASE WHEN flow = 'source' THEN amount ELSE 0 END) AS given,
  sum(CASE WHEN flow = 'sink' THEN amount ELSE 0 END) AS taken,
  sum(CASE WHEN flow = 'source' THEN amount WHEN flow = 'sink' THEN -amount END) AS net_amount
FROM economy
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*' AND reason = '*'
  AND event_date >= current_date - INTERVAL '30' DAY
GROUP BY event_date, currency
ORDER BY currency, event_date
