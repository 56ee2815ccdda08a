-- How a game runs on each platform in the last 14 days: the median, and where the slowest 5 % and 1 % begin.
SELECT event_date, platform, measure, samples, p50, slow_5, slow_1
FROM performance
WHERE game_id = ?
  AND platform <> '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '14' DAY
ORDER BY measure, platform, event_date
