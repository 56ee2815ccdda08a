-- How a game runs on each platform in the last 14 days, in the unit of each measure.
SELECT event_date, platform, measure, samples, p50, p95, p99
FROM performance
WHERE game_id = ?
  AND platform <> '*' AND country = '*' AND app_version = '*'
  AND event_date >= current_date - INTERVAL '14' DAY
ORDER BY measure, platform, event_date
