-- How late the events of a game come, by day and version: how long its figures still move.
SELECT
  event_date,
  app_version,
  count(*) AS events,
  count_if(late) AS late,
  count_if(skewed) AS skewed,
  approx_percentile(date_diff('second', corrected_time, received_at), 0.99) AS delay_seconds_p99
FROM events
WHERE game_id = ?
  AND event_date >= current_date - INTERVAL '7' DAY
GROUP BY event_date, app_version
ORDER BY event_date, late DESC
