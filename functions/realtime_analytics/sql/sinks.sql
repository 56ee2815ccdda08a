-- An item of the real-time table; the same window written again replaces itself.
CREATE TEMPORARY TABLE realtime (
  `series` STRING, `window` STRING, `measures` STRING, `expires_at` BIGINT
) PARTITIONED BY (`series`, `window`) WITH (
{realtime_options}
);

-- What others can subscribe to: windows, and alerts (kind = 'alert').
CREATE TEMPORARY TABLE metrics (
  `kind` STRING, `game_id` STRING, `platform` STRING, `app_version` STRING, `window_start` STRING, `window_end` STRING,
  `measures` STRING
) WITH (
{metrics_options}
);

CREATE TEMPORARY TABLE raised (
  `kind` STRING, `game_id` STRING, `alert` STRING, `subject` STRING, `observed` DOUBLE, `reference` DOUBLE,
  `window_end` STRING
) WITH (
{metrics_options}
);
