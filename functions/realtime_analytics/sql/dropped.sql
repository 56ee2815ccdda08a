-- What came too late for its window.
CREATE TEMPORARY VIEW latecomers AS SELECT `game_id`, `read_at` FROM arrivals WHERE `dropped`;

-- How many, by the ten seconds they were read in.
CREATE TEMPORARY VIEW dropped_windows AS
SELECT
  'dropped' AS `window`, `window_start`, `window_end`, `game_id`, '*' AS `platform`, '*' AS `app_version`,
  JSON_OBJECT(KEY 'dropped.events' VALUE COUNT(*)) AS `measures`
FROM TABLE(TUMBLE(TABLE latecomers, DESCRIPTOR(`read_at`), INTERVAL '10' SECOND))
GROUP BY `window_start`, `window_end`, `game_id`;
