-- Every cohort of players who met an experiment in the last 30 days has a row for each day since `since` that is over, zeros
-- included. Figures by day N are sums from the day of the exposure on. A player who had s sessions on a day and C sessions
-- until then adds C * C - (C - s) * (C - s) to the sum of squares.
WITH acted AS (
  SELECT
    x.game_id, x.player_id, x.experiment, x.variant, x.exposure_date,
    DATEDIFF(a.event_date, x.exposure_date) AS day_number,
    SUM(a.present) AS present, SUM(a.sessions) AS sessions, SUM(a.sales) AS sales
  FROM exposed AS x
  JOIN (
    SELECT game_id, player_id, event_date, 1 AS present, 0 AS sessions, 0 AS sales FROM days
    UNION ALL
    SELECT game_id, player_id, event_date, 0, 1, 0 FROM plays
    UNION ALL
    SELECT game_id, player_id, event_date, 0, 0, 1 FROM purchases
  ) AS a ON a.game_id = x.game_id AND a.player_id = x.player_id
    AND a.event_date BETWEEN x.exposure_date AND DATE_ADD(x.exposure_date, 30)
  GROUP BY x.game_id, x.player_id, x.experiment, x.variant, x.exposure_date, DATEDIFF(a.event_date, x.exposure_date)
),
grown AS (
  SELECT *, SUM(sessions) OVER w AS sessions_so_far, SUM(sales) OVER w AS sales_so_far
  FROM acted
  WINDOW w AS (PARTITION BY player_id, experiment, game_id ORDER BY day_number)
),
counted AS (
  SELECT
    game_id, experiment, variant, exposure_date, day_number, SUM(present) AS present, SUM(sessions) AS sessions,
    SUM(sessions * (2 * sessions_so_far - sessions)) AS sessions_squared,
    SUM(CASE WHEN sales > 0 AND sales = sales_so_far THEN 1 ELSE 0 END) AS new_payers
  FROM grown
  GROUP BY game_id, experiment, variant, exposure_date, day_number
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 30)) AS day_number),
summed AS (
  SELECT
    v.game_id, v.experiment, v.variant, v.exposure_date, n.day_number, v.since_number, v.exposed_players,
    COALESCE(c.present, 0) AS returned_players, SUM(COALESCE(c.new_payers, 0)) OVER w AS exposed_payers,
    SUM(COALESCE(c.sessions, 0)) OVER w AS exposed_sessions,
    SUM(COALESCE(c.sessions_squared, 0)) OVER w AS exposed_sessions_squared
  FROM variants AS v
  JOIN numbers AS n ON n.day_number <= v.last_number
  LEFT JOIN counted AS c ON c.game_id = v.game_id AND c.experiment = v.experiment AND c.variant = v.variant
    AND c.exposure_date = v.exposure_date AND c.day_number = n.day_number
  WINDOW w AS (PARTITION BY v.game_id, v.experiment, v.variant, v.exposure_date ORDER BY n.day_number)
)
SELECT
  CAST(DATE_ADD(exposure_date, day_number) AS DATE) AS event_date, game_id, experiment, variant, exposure_date,
  CAST(day_number AS BIGINT) AS day_number, exposed_players, returned_players,
  returned_players * 1e0 / exposed_players AS exposed_retention, exposed_payers,
  exposed_payers * 1e0 / exposed_players AS exposed_conversion, exposed_sessions, exposed_sessions_squared,
  exposed_sessions * 1e0 / exposed_players AS exposed_sessions_mean
FROM summed WHERE day_number >= since_number
