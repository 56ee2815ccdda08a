-- What a game earned in the last 30 days by each value of its custom dimensions, in minor units: a row tells one dimension apart.
SELECT
  currency,
  custom_1,
  custom_2,
  sum(purchases) AS purchases,
  sum(gross_minor) AS gross_minor,
  sum(refunded_minor) AS refunded_minor,
  sum(net_minor) AS net_minor,
  CAST(sum(gross_minor) AS double) / nullif(sum(active_players), 0) AS arpdau_minor
FROM revenue
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*'
  AND (custom_1 <> '*' OR custom_2 <> '*')
  AND event_date >= current_date - INTERVAL '30' DAY
GROUP BY currency, custom_1, custom_2
ORDER BY currency, custom_1, custom_2
