-- What alerts look at: a game's minutes, all platforms and versions together. The sum of the currencies that a minute does not
-- name is not compared: it mixes them.
CREATE TEMPORARY VIEW game_minutes AS
SELECT `window_time` AS `minute`, `game_id`, `family`, `item`, `amount`
FROM minute_measures
WHERE `platform` = '*' AND `app_version` = '*' AND `item` <> '*'
  AND `family` IN ('unique', 'events', 'reported_purchases', 'source', 'sink');

-- A game's last minutes beside those before them. A minute in which nothing happened counts as none.
CREATE TEMPORARY VIEW trends AS
SELECT
  `window_end`, `window_time` AS `minute`, `game_id`,
  CASE WHEN `family` IN ('source', 'sink') THEN `item` ELSE '' END AS `currency`,
  SUM(CASE WHEN `recent` AND `item` = 'heartbeat_sessions' THEN `amount` ELSE 0 END) / {window_minutes}e0 AS `players`,
  SUM(CASE WHEN NOT `recent` AND `item` = 'heartbeat_sessions' THEN `amount` ELSE 0 END)
    / ({baseline_minutes}e0 - {window_minutes}) AS `players_before`,
  SUM(CASE WHEN `recent` AND `item` = 'active_players' THEN `amount` ELSE 0 END) AS `player_minutes`,
  SUM(CASE WHEN NOT `recent` AND `item` = 'active_players' THEN `amount` ELSE 0 END) AS `player_minutes_before`,
  SUM(CASE WHEN `recent` AND `family` = 'events' AND `item` = 'crash' THEN `amount` ELSE 0 END) AS `crashes`,
  SUM(CASE WHEN NOT `recent` AND `family` = 'events' AND `item` = 'crash' THEN `amount` ELSE 0 END) AS `crashes_before`,
  SUM(CASE WHEN `recent` AND `family` = 'reported_purchases' THEN `amount` ELSE 0 END) AS `purchases`,
  SUM(CASE WHEN NOT `recent` AND `family` = 'reported_purchases' THEN `amount` ELSE 0 END) AS `purchases_before`,
  SUM(CASE WHEN `recent` AND `family` = 'source' THEN `amount` ELSE 0 END) AS `source`,
  SUM(CASE WHEN `recent` AND `family` = 'sink' THEN `amount` ELSE 0 END) AS `sink`
FROM (
  SELECT *, CAST(`minute` AS TIMESTAMP(3)) >= TIMESTAMPADD(MINUTE, -{window_minutes}, `window_end`) AS `recent`
  FROM TABLE(HOP(TABLE game_minutes, DESCRIPTOR(`minute`), INTERVAL '1' MINUTE, INTERVAL '{baseline_minutes}' MINUTE))
)
GROUP BY `window_start`, `window_end`, `window_time`, `game_id`,
  CASE WHEN `family` IN ('source', 'sink') THEN `item` ELSE '' END;

-- Each rule every minute, firing or not: three of a game, and one of each of its currencies. One pass over the trends
-- serves them all, because Flink would compute the trends again for each query that filters them.
CREATE TEMPORARY VIEW comparisons AS
SELECT
  `window_end`, `minute`, `game_id`, `alert`, `currency` AS `subject`,
  CASE `alert`
    WHEN 'players_drop' THEN `players` WHEN 'crash_spike' THEN `crash_rate`
    WHEN 'economy_inflation' THEN CAST(`source` AS DOUBLE) ELSE CAST(`purchases` AS DOUBLE)
  END AS `observed`,
  CASE `alert`
    WHEN 'players_drop' THEN `players_before` WHEN 'crash_spike' THEN `crash_rate_before`
    WHEN 'economy_inflation' THEN CAST(`sink` AS DOUBLE) ELSE CAST(`purchases_before` AS DOUBLE)
  END AS `reference`,
  CASE `alert`
    WHEN 'players_drop' THEN
      `players_before` >= {players_minimum} AND `players` < `players_before` * (1 - {players_drop_percent} / 100e0)
    WHEN 'crash_spike' THEN
      `crashes` >= {crash_minimum} AND `player_minutes_before` > 0
        AND `crash_rate` > {crash_spike_factor} * `crash_rate_before`
    WHEN 'economy_inflation' THEN `source` >= {economy_minimum} AND `source` > {economy_inflation_ratio} * `sink`
    ELSE `purchases` = 0 AND `purchases_before` >= {revenue_minimum_purchases}
  END AS `firing`
FROM (
  SELECT
    *,
    `crashes` * 1000e0 / GREATEST(`player_minutes`, 1) AS `crash_rate`,
    `crashes_before` * 1000e0 / GREATEST(`player_minutes_before`, 1) AS `crash_rate_before`
  FROM trends
) AS rates
CROSS JOIN UNNEST(
  CASE `currency` WHEN ''
    THEN ARRAY[CAST('players_drop' AS STRING), CAST('crash_spike' AS STRING), CAST('revenue_stop' AS STRING)]
    ELSE ARRAY[CAST('economy_inflation' AS STRING)]
  END
) AS rules (`alert`);

-- An alert is raised once: in the minute that fires after one that did not.
CREATE TEMPORARY VIEW alerts AS
SELECT * FROM (
  SELECT *, LAG(`firing`) OVER (PARTITION BY `game_id`, `alert`, `subject` ORDER BY `minute`) AS `fired`
  FROM comparisons
)
WHERE `firing` AND `fired` IS NOT TRUE;
