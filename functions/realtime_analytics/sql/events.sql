-- What the stream holds, and whether it came after its minute was published (or is no event at all).
CREATE TEMPORARY VIEW arrivals AS
SELECT
  `event_id`, COALESCE(`game_id`, '?') AS `game_id`, COALESCE(`platform`, 'unknown') AS `platform`,
  COALESCE(`app_version`, 'unknown') AS `app_version`, `player_id`, `session_id`, `event_type`, `payload`, `occurred_at`,
  PROCTIME() AS `read_at`, `window_start`, `window_end`, `window_time` AS `minute`,
  `event_id` IS NULL OR `game_id` IS NULL OR COALESCE(`late`, TRUE)
    OR COALESCE(`window_time` <= CURRENT_WATERMARK(`occurred_at`), FALSE)
    AS `dropped`
FROM TABLE(TUMBLE(TABLE enriched, DESCRIPTOR(`occurred_at`), INTERVAL '1' MINUTE));

-- What windows count: an event once, however often the stream holds it.
CREATE TEMPORARY VIEW events AS
SELECT * FROM (
  SELECT
    `game_id`, `platform`, `app_version`, `player_id`, `event_type`,
    CASE WHEN `event_type` = 'session_heartbeat' THEN `session_id` END AS `beating_session_id`,
    CASE `event_type`
      WHEN 'economy' THEN `payload`.`flow` WHEN 'progression' THEN 'progression' WHEN 'session_end' THEN 'session_seconds'
    END AS `family`,
    CASE `event_type`
      WHEN 'economy' THEN `payload`.`currency` WHEN 'progression' THEN `payload`.`status` WHEN 'session_end' THEN 'sum'
    END AS `item`,
    CASE `event_type`
      WHEN 'economy' THEN `payload`.`amount` WHEN 'progression' THEN CAST(1 AS BIGINT)
      WHEN 'session_end' THEN `payload`.`duration_seconds`
    END AS `amount`,
    -- The bins of telemetry.distribution.
    CAST(CAST(CEIL(LN(GREATEST(`payload`.`fps`, 1.0)) / LN(1.05)) AS INT) AS STRING) AS `fps_bin`,
    CAST(CAST(CEIL(LN(GREATEST(`payload`.`latency_ms`, 1.0)) / LN(1.05)) AS INT) AS STRING) AS `latency_bin`,
    `minute`,
    ROW_NUMBER() OVER (PARTITION BY `window_start`, `window_end`, `event_id` ORDER BY `occurred_at`) AS `nth`
  FROM arrivals
  WHERE NOT `dropped`
)
WHERE `nth` = 1;

-- A store's transaction once: the earliest of a minute, then the first of a day (the job's state lives that long).
CREATE TEMPORARY VIEW purchases AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `game_id`, `store`, `transaction_id` ORDER BY PROCTIME()) AS `nth_minute`
  FROM (
    SELECT
      `game_id`, `platform`, `app_version`, `player_id`, `payload`.`currency`, `payload`.`amount_minor`,
      `payload`.`store`, `payload`.`transaction_id`,
      `minute`,
      ROW_NUMBER() OVER (
        PARTITION BY `window_start`, `window_end`, `game_id`, `payload`.`store`, `payload`.`transaction_id`
        ORDER BY `occurred_at`
      ) AS `nth`
    FROM arrivals
    WHERE NOT `dropped` AND `event_type` = 'purchase'
  )
  WHERE `nth` = 1
)
WHERE `nth_minute` = 1;
