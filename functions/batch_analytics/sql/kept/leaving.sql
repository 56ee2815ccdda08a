-- What the next runs need of the days before the next floor, which they no longer read: the last day of players who do
-- not come back within 30 days of it, and the first payment of those whose first one it is.
SELECT
  game_id, player_id, CAST(NULL AS BIGINT) AS first_ms, CAST(NULL AS STRING) AS first_id,
  CAST(NULL AS DATE) AS first_date, CAST(NULL AS STRING) AS platform, CAST(NULL AS STRING) AS country,
  CAST(NULL AS STRING) AS app_version,
  event_date AS left_date, platform AS left_platform, country AS left_country, app_version AS left_app_version,
  own_1 AS left_custom_1, own_2 AS left_custom_2,
  CAST(NULL AS DATE) AS paid_date
FROM (
  SELECT d.*, b.next_floor FROM days AS d JOIN bounds AS b ON b.game_id = d.game_id
  WHERE d.event_date >= b.floor AND d.event_date < b.next_floor
) AS gone
WHERE next_date IS NULL OR next_date >= DATE_ADD(next_floor, 31)
UNION ALL
SELECT
  p.game_id, p.player_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  MIN(p.event_date)
FROM purchases AS p
JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date < b.next_floor
JOIN players AS k ON k.game_id = p.game_id AND k.player_id = p.player_id AND k.paid_date IS NULL
GROUP BY p.game_id, p.player_id
