-- Events and purchases by the values of a game's custom dimensions: the processor writes a declared value, `other` or `unknown`
-- (telemetry.dimensions), so a minute of a game has at most 22 of each. A dimension with the rule `install` has no such field.
CREATE TEMPORARY VIEW events_by_value AS
SELECT 'custom_1' AS `dimension`, `custom_1` AS `value`, `game_id`, `player_id`, `event_type`, `minute`
FROM events WHERE `custom_1` IS NOT NULL
UNION ALL
SELECT 'custom_2', `custom_2`, `game_id`, `player_id`, `event_type`, `minute`
FROM events WHERE `custom_2` IS NOT NULL;

CREATE TEMPORARY VIEW purchases_by_value AS
SELECT 'custom_1' AS `dimension`, `custom_1` AS `value`, `game_id`, `currency`, `amount_minor`, `verified`, `minute`
FROM purchases WHERE `custom_1` IS NOT NULL AND `amount_minor` IS NOT NULL
UNION ALL
SELECT 'custom_2', `custom_2`, `game_id`, `currency`, `amount_minor`, `verified`, `minute`
FROM purchases WHERE `custom_2` IS NOT NULL AND `amount_minor` IS NOT NULL;

-- A row adds an amount, or an id that counts once.
CREATE TEMPORARY VIEW value_additions AS
SELECT
  `game_id`, `dimension`, `value`, `minute`, 'unique' AS `family`, 'active_players' AS `item`,
  CAST(0 AS BIGINT) AS `amount`, `player_id` AS `id`
FROM events_by_value WHERE `player_id` IS NOT NULL
UNION ALL
SELECT `game_id`, `dimension`, `value`, `minute`, 'events', `event_type`, CAST(1 AS BIGINT), CAST(NULL AS STRING)
FROM events_by_value WHERE `event_type` = 'crash'
UNION ALL
SELECT `game_id`, `dimension`, `value`, `minute`, 'reported_revenue', `currency`, `amount_minor`, CAST(NULL AS STRING)
FROM purchases_by_value
UNION ALL
SELECT
  `game_id`, `dimension`, `value`, `minute`, 'unverified_reported_revenue', `currency`, `amount_minor`, CAST(NULL AS STRING)
FROM purchases_by_value WHERE NOT `verified`;

-- In a row of a window, the dimension stands in the place of the platform and its value in that of the version. One
-- aggregation makes all measures: each aggregation of a window costs state and planning.
CREATE TEMPORARY VIEW value_measures AS
SELECT
  `window_start`, `window_end`, `window_time`, `game_id`, `dimension` AS `platform`, `value` AS `app_version`,
  `family`, `item`, SUM(`amount`) + COUNT(DISTINCT `id`) AS `amount`
FROM TABLE(TUMBLE(TABLE value_additions, DESCRIPTOR(`minute`), INTERVAL '1' MINUTE))
GROUP BY `window_start`, `window_end`, `window_time`, `game_id`, `dimension`, `value`, `family`, `item`;
