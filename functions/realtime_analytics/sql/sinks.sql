-- Windows on the metrics stream, a game's in their order; measures is the text of a JSON object.
CREATE TEMPORARY TABLE metrics (
  `kind` STRING, `game_id` STRING, `platform` STRING, `app_version` STRING, `window_start` STRING, `window_end` STRING,
  `measures` STRING
) PARTITIONED BY (`game_id`) WITH (
{options}
);

-- Alerts on the same stream: their kind is alert.
CREATE TEMPORARY TABLE raised (
  `kind` STRING, `game_id` STRING, `alert` STRING, `subject` STRING, `observed` DOUBLE, `reference` DOUBLE,
  `window_end` STRING
) PARTITIONED BY (`game_id`) WITH (
{options}
);
