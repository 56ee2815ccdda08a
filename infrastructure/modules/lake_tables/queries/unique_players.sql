-- Unique players of a game in the last 30 days: all, and by platform, country and version. Choose other days freely.
SELECT
  coalesce(platform, '*') AS platform,
  coalesce(country, '*') AS country,
  coalesce(app_version, '*') AS app_version,
  count(DISTINCT coalesce(a.account_id, p.player_id)) AS players
FROM kept_presence AS p
LEFT JOIN kept_accounts AS a
  ON a.game_id = p.game_id AND a.player_id = p.player_id
WHERE p.game_id = ?
  AND p.event_date >= current_date - INTERVAL '30' DAY
GROUP BY GROUPING SETS ((), (platform), (country), (app_version))
ORDER BY platform, country, app_version
