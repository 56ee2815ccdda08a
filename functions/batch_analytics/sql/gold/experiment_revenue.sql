-- What the cohorts of `experiments` had paid and got back by day N, for every currency of the game, zeros included. A player
-- whose net revenue rose by s to C adds C * C - (C - s) * (C - s) to the sum of squares.
WITH spent AS (
  SELECT
    x.game_id, x.player_id, x.experiment, x.variant, x.exposure_date, p.currency,
    DATEDIFF(p.event_date, x.exposure_date) AS day_number, SUM(p.gross_minor) AS gross_minor,
    SUM(p.unverified_minor) AS unverified_minor, SUM(p.refunded_minor) AS refunded_minor,
    CAST(SUM(p.gross_minor - p.refunded_minor) AS DOUBLE) AS net_minor
  FROM exposed AS x
  JOIN (
    SELECT
      game_id, player_id, event_date, currency, amount_minor AS gross_minor,
      CASE WHEN verified THEN 0 ELSE amount_minor END AS unverified_minor, 0 AS refunded_minor
    FROM purchases
    UNION ALL
    SELECT game_id, player_id, event_date, currency, 0, 0, amount_minor FROM refunds
  ) AS p ON p.game_id = x.game_id AND p.player_id = x.player_id
    AND p.event_date BETWEEN x.exposure_date AND DATE_ADD(x.exposure_date, 30)
  GROUP BY x.game_id, x.player_id, x.experiment, x.variant, x.exposure_date, p.currency,
    DATEDIFF(p.event_date, x.exposure_date)
),
grown AS (
  SELECT *, SUM(net_minor) OVER (
    PARTITION BY player_id, experiment, currency, game_id ORDER BY day_number
  ) AS net_so_far
  FROM spent
),
counted AS (
  SELECT
    game_id, experiment, variant, exposure_date, currency, day_number, SUM(gross_minor) AS gross_minor,
    SUM(unverified_minor) AS unverified_minor, SUM(refunded_minor) AS refunded_minor,
    SUM(net_minor * (2 * net_so_far - net_minor)) AS net_squared
  FROM grown
  GROUP BY game_id, experiment, variant, exposure_date, currency, day_number
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 30)) AS day_number),
summed AS (
  SELECT
    v.game_id, v.experiment, v.variant, v.exposure_date, n.day_number, k.currency, v.since_number, v.exposed_players,
    CAST(SUM(COALESCE(c.gross_minor, 0)) OVER w AS DECIMAL(28, 0)) AS gross_minor,
    CAST(SUM(COALESCE(c.unverified_minor, 0)) OVER w AS DECIMAL(28, 0)) AS unverified_minor,
    CAST(SUM(COALESCE(c.refunded_minor, 0)) OVER w AS DECIMAL(28, 0)) AS refunded_minor,
    SUM(COALESCE(c.net_squared, 0e0)) OVER w AS net_squared
  FROM variants AS v
  JOIN currencies AS k ON k.game_id = v.game_id
  JOIN numbers AS n ON n.day_number <= v.last_number
  LEFT JOIN counted AS c ON c.game_id = v.game_id AND c.experiment = v.experiment AND c.variant = v.variant
    AND c.exposure_date = v.exposure_date AND c.currency = k.currency AND c.day_number = n.day_number
  WINDOW w AS (
    PARTITION BY v.game_id, v.experiment, v.variant, v.exposure_date, k.currency ORDER BY n.day_number
  )
)
SELECT
  CAST(DATE_ADD(exposure_date, day_number) AS DATE) AS event_date, game_id, experiment, variant, exposure_date,
  CAST(day_number AS BIGINT) AS day_number, currency, exposed_players,
  CAST(gross_minor AS DECIMAL(38, 0)) AS exposed_gross_minor,
  CAST(unverified_minor AS DECIMAL(38, 0)) AS exposed_unverified_minor,
  CAST(refunded_minor AS DECIMAL(38, 0)) AS exposed_refunded_minor,
  CAST(gross_minor - refunded_minor AS DECIMAL(38, 0)) AS exposed_net_minor, net_squared AS exposed_net_squared,
  CAST(gross_minor - refunded_minor AS DOUBLE) / exposed_players AS exposed_net_mean_minor
FROM summed WHERE day_number >= since_number
