-- Design events of the cohorts of `experiments`, by name and day N, zeros included. A day has the 20 names of an experiment and
-- depth that most of its players had sent by then; all others are `other`, and so is an event with this name. A player
-- who sent s events on a day and C until then adds C * C - (C - s) * (C - s) to the sum of squares. Which names are `other`
-- differs from day to day, so players of `other` are added up for each day.
WITH sent AS (
  SELECT
    x.game_id, x.player_id, x.experiment, x.variant, x.exposure_date, d.depth, d.name,
    DATEDIFF(d.event_date, x.exposure_date) AS day_number,
    SUM(d.events) AS events, SUM(d.valued_events) AS valued_events, SUM(d.value_sum) AS value_sum
  FROM exposed AS x
  JOIN variants AS v ON v.game_id = x.game_id AND v.experiment = x.experiment AND v.variant = x.variant
    AND v.exposure_date = x.exposure_date
  JOIN designs AS d ON d.game_id = x.game_id AND d.player_id = x.player_id
    AND d.event_date BETWEEN x.exposure_date AND DATE_ADD(x.exposure_date, 30)
  GROUP BY x.game_id, x.player_id, x.experiment, x.variant, x.exposure_date, d.depth, d.name,
    DATEDIFF(d.event_date, x.exposure_date)
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 30)) AS day_number),
followed AS (
  SELECT
    v.game_id, v.experiment, v.variant, v.exposure_date, v.exposed_players, n.day_number,
    DATE_ADD(v.exposure_date, n.day_number) AS event_date
  FROM variants AS v JOIN numbers AS n ON n.day_number BETWEEN v.since_number AND v.last_number
),
grown AS (
  SELECT
    *, SUM(events) OVER w AS events_so_far, SUM(value_sum) OVER w AS value_so_far,
    ROW_NUMBER() OVER w AS nth_day
  FROM sent
  WINDOW w AS (PARTITION BY player_id, experiment, depth, name, game_id ORDER BY day_number)
),
counted AS (
  SELECT
    game_id, experiment, variant, exposure_date, depth, name, day_number,
    SUM(CASE WHEN nth_day = 1 THEN 1 ELSE 0 END) AS senders, SUM(events) AS events,
    SUM(events * (2 * events_so_far - events)) AS events_squared, SUM(valued_events) AS valued_events,
    SUM(value_sum) AS value_sum, SUM(value_sum * (2 * value_so_far - value_sum)) AS value_squared
  FROM grown
  GROUP BY game_id, experiment, variant, exposure_date, depth, name, day_number
),
ranked AS (
  SELECT
    game_id, experiment, event_date, depth, name,
    name <> 'other' AND ROW_NUMBER() OVER (
      PARTITION BY game_id, experiment, event_date, depth
      ORDER BY CASE WHEN name = 'other' THEN 1 ELSE 0 END, senders DESC, name
    ) <= 20 AS is_shown
  FROM (
    SELECT f.game_id, f.experiment, f.event_date, c.depth, c.name, SUM(c.senders) AS senders
    FROM counted AS c
    JOIN followed AS f ON f.game_id = c.game_id AND f.experiment = c.experiment AND f.variant = c.variant
      AND f.exposure_date = c.exposure_date AND f.day_number >= c.day_number
    GROUP BY f.game_id, f.experiment, f.event_date, c.depth, c.name
  ) AS totalled
),
chosen AS (
  SELECT f.*, r.depth, r.name
  FROM followed AS f
  JOIN (
    SELECT DISTINCT game_id, experiment, event_date, depth, CASE WHEN is_shown THEN name ELSE 'other' END AS name FROM ranked
  ) AS r ON r.game_id = f.game_id AND r.experiment = f.experiment AND r.event_date = f.event_date
),
rest AS (
  SELECT
    game_id, experiment, variant, exposure_date, day_number, depth, COUNT(*) AS senders, SUM(events) AS events,
    SUM(events * events) AS events_squared, SUM(valued_events) AS valued_events, SUM(value_sum) AS value_sum,
    SUM(value_sum * value_sum) AS value_squared
  FROM (
    SELECT
      s.game_id, s.player_id, s.experiment, s.variant, s.exposure_date, s.depth,
      DATEDIFF(r.event_date, s.exposure_date) AS day_number, SUM(s.events) AS events,
      SUM(s.valued_events) AS valued_events, SUM(s.value_sum) AS value_sum
    FROM sent AS s
    JOIN ranked AS r ON r.game_id = s.game_id AND r.experiment = s.experiment AND r.depth = s.depth AND r.name = s.name
      AND NOT r.is_shown
      AND r.event_date BETWEEN DATE_ADD(s.exposure_date, s.day_number) AND DATE_ADD(s.exposure_date, 30)
    GROUP BY s.game_id, s.player_id, s.experiment, s.variant, s.exposure_date, s.depth,
      DATEDIFF(r.event_date, s.exposure_date)
  ) AS of_player
  GROUP BY game_id, experiment, variant, exposure_date, day_number, depth
),
found AS (
  SELECT
    c.game_id, c.experiment, c.variant, c.exposure_date, c.day_number, c.depth, c.name, SUM(k.senders) AS senders,
    SUM(k.events) AS events, SUM(k.events_squared) AS events_squared, SUM(k.valued_events) AS valued_events,
    SUM(k.value_sum) AS value_sum, SUM(k.value_squared) AS value_squared
  FROM chosen AS c
  JOIN counted AS k ON k.game_id = c.game_id AND k.experiment = c.experiment AND k.variant = c.variant
    AND k.exposure_date = c.exposure_date AND k.depth = c.depth AND k.name = c.name AND k.day_number <= c.day_number
  WHERE c.name <> 'other'
  GROUP BY c.game_id, c.experiment, c.variant, c.exposure_date, c.day_number, c.depth, c.name
  UNION ALL
  SELECT
    game_id, experiment, variant, exposure_date, day_number, depth, 'other', senders, events, events_squared,
    valued_events, value_sum, value_squared
  FROM rest
)
SELECT
  CAST(c.event_date AS DATE) AS event_date, c.game_id, c.experiment, c.variant, c.exposure_date,
  CAST(c.day_number AS BIGINT) AS day_number, c.depth, c.name, c.exposed_players,
  COALESCE(f.senders, 0) AS exposed_senders, COALESCE(f.senders, 0) * 1e0 / c.exposed_players AS exposed_sender_share,
  COALESCE(f.events, 0) AS exposed_design_events, COALESCE(f.events_squared, 0) AS exposed_design_squared,
  COALESCE(f.events, 0) * 1e0 / c.exposed_players AS exposed_design_mean,
  COALESCE(f.valued_events, 0) AS exposed_valued_events, COALESCE(f.value_sum, 0e0) AS exposed_value_sum,
  COALESCE(f.value_squared, 0e0) AS exposed_value_squared,
  COALESCE(f.value_sum, 0e0) / c.exposed_players AS exposed_value_mean
FROM chosen AS c
LEFT JOIN found AS f ON f.game_id = c.game_id AND f.experiment = c.experiment AND f.variant = c.variant
  AND f.exposure_date = c.exposure_date AND f.day_number = c.day_number AND f.depth = c.depth AND f.name = c.name
