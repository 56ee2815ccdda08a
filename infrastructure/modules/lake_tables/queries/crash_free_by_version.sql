-- Which version of a game crashes: sessions without a fatal crash in the last 14 days, the worst version first.
SELECT
  app_version,
  sum(crashes) AS crashes,
  1 - CAST(sum(crashed_sessions) AS double) / nullif(sum(active_sessions), 0) AS crash_free_sessions
FROM stability
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version <> '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '14' DAY
GROUP BY app_version
ORDER BY crash_free_sessions
