-- What an event adds: an amount to family.item, or an id that counts once a window.
CREATE TEMPORARY VIEW additions AS
SELECT `game_id`, `platform`, `app_version`, `minute`, addition.*
FROM events CROSS JOIN UNNEST(ARRAY[
  ROW('events', `event_type`, CAST(1 AS BIGINT), CAST(NULL AS STRING)),
  ROW('unique', 'active_players', CAST(NULL AS BIGINT), `player_id`),
  ROW('unique', 'heartbeat_sessions', CAST(NULL AS BIGINT), `beating_session_id`),
  ROW(`family`, `item`, `amount`, CAST(NULL AS STRING)),
  ROW('fps', `fps_bin`, CASE WHEN `fps_bin` IS NOT NULL THEN CAST(1 AS BIGINT) END, CAST(NULL AS STRING)),
  ROW('latency_ms', `latency_bin`, CASE WHEN `latency_bin` IS NOT NULL THEN CAST(1 AS BIGINT) END, CAST(NULL AS STRING))
]) AS addition (`family`, `item`, `amount`, `id`)
UNION ALL
SELECT `game_id`, `platform`, `app_version`, `minute`, addition.*
FROM purchases CROSS JOIN UNNEST(ARRAY[
  ROW('reported_purchases', `currency`, CAST(1 AS BIGINT), CAST(NULL AS STRING)),
  ROW('reported_revenue', `currency`, `amount_minor`, CAST(NULL AS STRING)),
  ROW('unique', 'reported_payers', CAST(NULL AS BIGINT), `player_id`)
]) AS addition (`family`, `item`, `amount`, `id`);

-- A minute's sums, from which every longer window and coarser group follows.
CREATE TEMPORARY VIEW minute_amounts AS
SELECT `window_time` AS `minute`, `game_id`, `platform`, `app_version`, `family`, `item`, SUM(`amount`) AS `amount`
FROM TABLE(TUMBLE(TABLE additions, DESCRIPTOR(`minute`), INTERVAL '1' MINUTE))
WHERE `amount` IS NOT NULL
GROUP BY `window_start`, `window_end`, `window_time`, `game_id`, `platform`, `app_version`, `family`, `item`;
