-- Small tables that every query joins: each node holds a copy.
CREATE TABLE warehouse.dim_game (
  game_id VARCHAR(256) NOT NULL,
  last_arrival_date DATE,
  PRIMARY KEY (game_id)
)
DISTSTYLE ALL
SORTKEY (game_id);

-- A player as of the first event, the install. DISTKEY puts a player beside the player's facts, SORTKEY keeps the
-- cohorts of a game together.
CREATE TABLE warehouse.dim_player (
  game_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  first_time TIMESTAMPTZ NOT NULL,
  first_event_id VARCHAR(256) NOT NULL,
  cohort_date DATE NOT NULL,
  platform VARCHAR(44) NOT NULL,
  country VARCHAR(256) NOT NULL,
  app_version VARCHAR(392) NOT NULL,
  PRIMARY KEY (game_id, player_id)
)
DISTKEY (player_id)
SORTKEY (game_id, cohort_date);

CREATE TABLE warehouse.dim_date (
  date DATE NOT NULL,
  day_index INTEGER NOT NULL,
  year SMALLINT NOT NULL,
  quarter SMALLINT NOT NULL,
  month SMALLINT NOT NULL,
  week SMALLINT NOT NULL,
  weekday SMALLINT NOT NULL,
  PRIMARY KEY (date)
)
DISTSTYLE ALL
SORTKEY (date);

-- 2020 to 2047. Redshift runs generate_series on the leader node only and cannot fill a table from it.
INSERT INTO warehouse.dim_date
WITH digits AS (
  SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
),
days AS (
  SELECT a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit AS day_index
  FROM digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c CROSS JOIN digits AS d
),
dates AS (SELECT CAST(DATEADD(day, day_index, DATE '2020-01-01') AS DATE) AS date, day_index FROM days)
SELECT
  date, day_index, EXTRACT(year FROM date), EXTRACT(quarter FROM date), EXTRACT(month FROM date),
  EXTRACT(week FROM date), EXTRACT(dow FROM date)
FROM dates;
