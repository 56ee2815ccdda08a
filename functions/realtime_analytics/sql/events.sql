-- The time of the clock, in each task: it publishes windows where shards are silent. Without it, tasks that all fell silent
-- wake up one after the other, and the first would publish windows before the others have handed over their part.
CREATE TEMPORARY TABLE ticks (
  `tick` BIGINT,
  `ticked_at` AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)),
  WATERMARK FOR `ticked_at` AS `ticked_at` - INTERVAL '{allowed_lateness_seconds}' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '{ticks_a_second}'
);

CREATE TEMPORARY VIEW timed AS
SELECT
  `event_id`, `game_id`, `platform`, `app_version`, `player_id`, `session_id`, `event_type`, `late`, `verified`,
  `payload`.`flow`, `payload`.`currency`, `payload`.`status`, `payload`.`store`, `payload`.`transaction_id`,
  `payload`.`purchase_kind`, `payload`.`sandbox`, `payload`.`name`, `payload`.`mode`, `payload`.`result`,
  `payload`.`revenue_micros`, `payload`.`amount`, `payload`.`amount_minor`, `payload`.`duration_seconds`, `payload`.`fps`, `payload`.`latency_ms`,
  `custom_1`, `custom_2`, `occurred_at`, CAST(NULL AS BIGINT) AS `tick`
FROM enriched
UNION ALL
SELECT
  CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING),
  CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS BOOLEAN), CAST(NULL AS BOOLEAN),
  CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING),
  CAST(NULL AS STRING), CAST(NULL AS BOOLEAN), CAST(NULL AS STRING), CAST(NULL AS STRING), CAST(NULL AS STRING),
  CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE),
  CAST(NULL AS STRING), CAST(NULL AS STRING), `ticked_at`, `tick`
FROM ticks;

-- What the stream holds, and whether it came after its minute was published (or is no event at all).
CREATE TEMPORARY VIEW arrivals AS
SELECT
  `event_id`, COALESCE(`game_id`, '?') AS `game_id`, COALESCE(`platform`, 'unknown') AS `platform`,
  COALESCE(`app_version`, 'unknown') AS `app_version`, `player_id`, `session_id`, `event_type`,
  `flow`, `currency`, `status`, `store`, `transaction_id`, `name`, `mode`, `result`, `revenue_micros`, `amount`, `amount_minor`, `duration_seconds`, `fps`, `latency_ms`,
  `custom_1`, `custom_2`, COALESCE(`purchase_kind` <> 'trial', TRUE) AND COALESCE(NOT `sandbox`, TRUE) AS `sale`,
  COALESCE(`verified`, FALSE) AS `verified`, `occurred_at`, PROCTIME() AS `read_at`, `window_start`, `window_end`, `window_time` AS `minute`,
  `event_id` IS NULL OR `game_id` IS NULL OR COALESCE(`late`, TRUE)
    OR COALESCE(`window_time` <= CURRENT_WATERMARK(`occurred_at`), FALSE)
    AS `dropped`
FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(`occurred_at`), INTERVAL '1' MINUTE))
WHERE `tick` IS NULL;

-- What windows count: an event once, however often the stream holds it.
CREATE TEMPORARY VIEW events AS
SELECT * FROM (
  SELECT
    `game_id`, `platform`, `app_version`, `custom_1`, `custom_2`, `event_type`,
    -- A server reports a refund: the player did nothing.
    CASE WHEN `event_type` <> 'refund' THEN `player_id` END AS `player_id`,
    CASE WHEN `event_type` = 'session_heartbeat' THEN `session_id` END AS `beating_session_id`,
    CASE `event_type`
      WHEN 'economy' THEN `flow` WHEN 'progression' THEN 'progression' WHEN 'session_end' THEN 'ended_seconds'
      WHEN 'design' THEN 'design' WHEN 'match_end' THEN 'match_' || `result`
      WHEN 'ad_impression' THEN 'ad_revenue_micros'
    END AS `family`,
    CASE `event_type`
      WHEN 'economy' THEN `currency` WHEN 'progression' THEN `status` WHEN 'session_end' THEN 'sum'
      WHEN 'design' THEN `name` WHEN 'match_end' THEN `mode` WHEN 'ad_impression' THEN `currency`
    END AS `item`,
    CASE `event_type`
      WHEN 'economy' THEN `amount` WHEN 'progression' THEN CAST(1 AS BIGINT)
      WHEN 'session_end' THEN `duration_seconds` WHEN 'design' THEN CAST(1 AS BIGINT)
      WHEN 'match_end' THEN CAST(1 AS BIGINT) WHEN 'ad_impression' THEN `revenue_micros`
    END AS `amount`,
    -- The bins of telemetry.histogram.
    CAST(CAST(CEIL(LN(GREATEST(`fps`, 1.0)) / LN(1.05)) AS INT) AS STRING) AS `fps_bin`,
    CAST(CAST(CEIL(LN(GREATEST(`latency_ms`, 1.0)) / LN(1.05)) AS INT) AS STRING) AS `latency_bin`,
    `minute`,
    ROW_NUMBER() OVER (PARTITION BY `window_start`, `window_end`, `game_id`, `event_id` ORDER BY `occurred_at`) AS `nth`
  FROM arrivals
  WHERE NOT `dropped`
)
WHERE `nth` = 1;

-- A store's transaction once: the earliest of a minute, then the first of a day (the job's state lives that long). Trials
-- and sandbox purchases are no sales.
CREATE TEMPORARY VIEW transactions AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `game_id`, `store`, `transaction_id` ORDER BY PROCTIME()) AS `nth_minute`
  FROM (
    SELECT
      `game_id`, `platform`, `app_version`, `custom_1`, `custom_2`, `player_id`, `currency`, `amount_minor`,
      `store`, `transaction_id`, `sale`, `verified`,
      `minute`,
      ROW_NUMBER() OVER (
        PARTITION BY `window_start`, `window_end`, `game_id`, `store`, `transaction_id`
        ORDER BY `occurred_at`
      ) AS `nth`
    FROM arrivals
    WHERE NOT `dropped` AND `event_type` = 'purchase'
  )
  WHERE `nth` = 1
)
WHERE `nth_minute` = 1;

CREATE TEMPORARY VIEW purchases AS SELECT * FROM transactions WHERE `sale`;
