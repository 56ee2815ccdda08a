-- What every table starts from. `events` is silver, of the games in question, with at_ms (its moment in milliseconds)
-- and arrival_date. A day is over once an event has arrived on a later one.
CREATE OR REPLACE TEMPORARY VIEW purchases AS
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, store, transaction_id ORDER BY at_ms, event_id) AS nth
  FROM events WHERE event_type = 'purchase'
) AS numbered WHERE nth = 1;

CREATE OR REPLACE TEMPORARY VIEW installs AS
SELECT game_id, player_id, event_date AS cohort_date, platform, country, app_version FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, player_id ORDER BY at_ms, event_id) AS nth FROM events
) AS numbered WHERE nth = 1;

CREATE OR REPLACE TEMPORARY VIEW active AS
SELECT
  game_id, event_date, player_id,
  COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version
FROM events
GROUP BY game_id, event_date, player_id, CUBE (platform, country, app_version);

CREATE OR REPLACE TEMPORARY VIEW days AS
SELECT
  game_id, player_id, event_date,
  LAG(event_date) OVER (PARTITION BY game_id, player_id ORDER BY event_date) AS previous_date,
  LEAD(event_date) OVER (PARTITION BY game_id, player_id ORDER BY event_date) AS next_date
FROM (SELECT DISTINCT game_id, player_id, event_date FROM events) AS played;

CREATE OR REPLACE TEMPORARY VIEW last_day AS
SELECT game_id, DATE_SUB(MAX(arrival_date), 1) AS event_date FROM events GROUP BY game_id;

CREATE OR REPLACE TEMPORARY VIEW cohorts AS
SELECT
  game_id, cohort_date, player_id,
  COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version
FROM installs
GROUP BY game_id, cohort_date, player_id, CUBE (platform, country, app_version)
