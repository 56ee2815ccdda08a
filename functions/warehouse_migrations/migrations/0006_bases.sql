-- What the metrics start from; '*' stands for all platforms, countries or versions, as in gold.
CREATE OR REPLACE VIEW warehouse.active AS
SELECT DISTINCT
  f.game_id, f.event_date, f.player_id,
  CASE WHEN k.by_platform THEN f.platform ELSE '*' END AS platform,
  CASE WHEN k.by_country THEN f.country ELSE '*' END AS country,
  CASE WHEN k.by_app_version THEN f.app_version ELSE '*' END AS app_version
FROM warehouse.fact_activity AS f CROSS JOIN warehouse.dim_slice AS k;

CREATE OR REPLACE VIEW warehouse.days AS
SELECT
  game_id, player_id, event_date,
  LAG(event_date) OVER (PARTITION BY game_id, player_id ORDER BY event_date) AS previous_date,
  LEAD(event_date) OVER (PARTITION BY game_id, player_id ORDER BY event_date) AS next_date
FROM (SELECT DISTINCT game_id, player_id, event_date FROM warehouse.fact_activity) AS played;

CREATE OR REPLACE VIEW warehouse.cohorts AS
SELECT
  p.game_id, p.cohort_date, p.player_id,
  CASE WHEN k.by_platform THEN p.platform ELSE '*' END AS platform,
  CASE WHEN k.by_country THEN p.country ELSE '*' END AS country,
  CASE WHEN k.by_app_version THEN p.app_version ELSE '*' END AS app_version
FROM warehouse.dim_player AS p CROSS JOIN warehouse.dim_slice AS k;

-- Each cohort with the days from 0 to 90 that are over: a day is, once an event has arrived on a later one.
CREATE OR REPLACE VIEW warehouse.cohort_days AS
SELECT
  c.game_id, c.cohort_date, c.platform, c.country, c.app_version, CAST(n.day_index AS BIGINT) AS day_number,
  c.cohort_players
FROM (
  SELECT game_id, cohort_date, platform, country, app_version, COUNT(*) AS cohort_players
  FROM warehouse.cohorts GROUP BY game_id, cohort_date, platform, country, app_version
) AS c
JOIN warehouse.dim_game AS g ON g.game_id = c.game_id
JOIN warehouse.dim_date AS n
  ON n.day_index BETWEEN 0 AND 90 AND n.day_index < DATEDIFF(day, c.cohort_date, g.last_arrival_date);
