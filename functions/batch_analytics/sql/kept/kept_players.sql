-- The first event of each player, where it is new: a player that is not known, or an event that is earlier than the
-- first one that is known.
SELECT
  n.game_id, n.player_id, n.earliest.at_ms AS first_ms, n.earliest.event_id AS first_id,
  n.earliest.event_date AS first_date, n.earliest.platform AS platform, n.earliest.country AS country,
  n.earliest.app_version AS app_version,
  CAST(NULL AS DATE) AS left_date, CAST(NULL AS STRING) AS left_platform, CAST(NULL AS STRING) AS left_country,
  CAST(NULL AS STRING) AS left_app_version, CAST(NULL AS STRING) AS left_custom_1, CAST(NULL AS STRING) AS left_custom_2,
  CAST(NULL AS DATE) AS paid_date
FROM (
  SELECT
    player_id, game_id, MIN(STRUCT(
      first_ms AS at_ms, first_id AS event_id, event_date AS event_date, platform AS platform, country AS country,
      app_version AS app_version
    )) AS earliest
  FROM new_presence GROUP BY player_id, game_id
) AS n
LEFT JOIN (
  SELECT player_id, game_id, MIN(STRUCT(first_ms AS at_ms, first_id AS event_id)) AS earliest
  FROM old_players WHERE first_ms IS NOT NULL GROUP BY player_id, game_id
) AS o ON o.player_id = n.player_id AND o.game_id = n.game_id
WHERE o.player_id IS NULL OR n.earliest.at_ms < o.earliest.at_ms
  OR n.earliest.at_ms = o.earliest.at_ms AND n.earliest.event_id < o.earliest.event_id
