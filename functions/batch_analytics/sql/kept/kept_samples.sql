-- All samples of a measure by day, platform, country and version: percentiles are exact. Those of games with custom
-- dimensions have the player, whose first day may tell the values.
SELECT
  game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2, measure, COUNT(*) AS samples,
  COLLECT_LIST(sample) AS sorted
FROM (
  SELECT
    e.event_date, e.game_id, CASE WHEN e.by_player THEN e.player_id END AS player_id, e.platform, e.country,
    e.app_version, e.custom_1, e.custom_2, m.measure,
    CASE m.measure
      WHEN 'fps' THEN e.fps WHEN 'frame_time_ms' THEN e.frame_time_ms WHEN 'latency_ms' THEN e.latency_ms
      WHEN 'load_time_ms' THEN e.load_time_ms ELSE e.memory_mb
    END AS sample
  FROM events AS e CROSS JOIN (
    SELECT * FROM VALUES ('fps'), ('frame_time_ms'), ('latency_ms'), ('load_time_ms'), ('memory_mb') AS measures (measure)
  ) AS m
  WHERE e.event_type = 'performance'
) AS sampled
WHERE sample IS NOT NULL
GROUP BY game_id, event_date, player_id, platform, country, app_version, custom_1, custom_2, measure
