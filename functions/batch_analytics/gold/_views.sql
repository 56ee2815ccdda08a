-- What every table starts from. `events` is silver, of the games in question, with at_ms (its moment in milliseconds)
-- and arrival_date. A day is over once an event has arrived on a later one. Of the views only purchases, edges and
-- last_day read events, and a table that does groups them first: CUBE makes eight rows of a player or a place, not of an
-- event.
CREATE OR REPLACE TEMPORARY VIEW purchases AS
SELECT game_id, player_id, event_date, platform, country, app_version, currency, amount_minor FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, store, transaction_id ORDER BY at_ms, event_id) AS nth
  FROM events WHERE event_type = 'purchase'
) AS numbered WHERE nth = 1;

-- The events where a session begins or ends, and the last one before it changes day, platform, country or version.
-- A pause of half an hour ends one, too: the same session_id goes on as another.
CREATE OR REPLACE TEMPORARY VIEW edges AS
SELECT game_id, player_id, session_id, event_date, at_ms, event_id, platform, country, app_version, begins, ends FROM (
  SELECT
    game_id, player_id, session_id, event_date, at_ms, event_id, platform, country, app_version,
    CASE WHEN at_ms - LAG(at_ms) OVER w <= 1800000 THEN 0 ELSE 1 END AS begins,
    CASE WHEN at_ms + 1800000 >= LEAD(at_ms) OVER w THEN 0 ELSE 1 END AS ends,
    CASE
      WHEN LEAD(event_date) OVER w = event_date AND LEAD(platform) OVER w = platform
        AND LEAD(country) OVER w = country AND LEAD(app_version) OVER w = app_version THEN 0
      ELSE 1
    END AS turns
  FROM events WINDOW w AS (PARTITION BY game_id, player_id, session_id ORDER BY at_ms, event_id)
) AS marked WHERE begins + ends + turns > 0;

CREATE OR REPLACE TEMPORARY VIEW plays AS
SELECT game_id, event_date, platform, country, app_version, ended_ms - at_ms AS length_ms FROM (
  SELECT *, CASE WHEN ends = 1 THEN at_ms ELSE LEAD(at_ms) OVER (
    PARTITION BY game_id, player_id, session_id ORDER BY at_ms, event_id
  ) END AS ended_ms FROM edges WHERE begins + ends > 0
) AS bounds WHERE begins = 1;

CREATE OR REPLACE TEMPORARY VIEW installs AS
SELECT game_id, player_id, event_date AS cohort_date, platform, country, app_version FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, player_id ORDER BY at_ms, event_id) AS nth FROM edges
) AS numbered WHERE nth = 1;

-- A player's days, each with the platform, country and version of its last event.
CREATE OR REPLACE TEMPORARY VIEW days AS
SELECT
  game_id, player_id, event_date, platform, country, app_version,
  LAG(event_date) OVER (PARTITION BY game_id, player_id ORDER BY event_date) AS previous_date,
  LEAD(event_date) OVER (PARTITION BY game_id, player_id ORDER BY event_date) AS next_date
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, player_id, event_date ORDER BY at_ms DESC, event_id DESC) AS nth
  FROM edges
) AS numbered WHERE nth = 1;

CREATE OR REPLACE TEMPORARY VIEW last_day AS
SELECT game_id, DATE_SUB(MAX(arrival_date), 1) AS event_date FROM events GROUP BY game_id;

CREATE OR REPLACE TEMPORARY VIEW sides AS
SELECT * FROM VALUES (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)
AS sides (platform, country, app_version);

CREATE OR REPLACE TEMPORARY VIEW visits AS
SELECT
  *, CASE WHEN MIN(platform) OVER w = MAX(platform) OVER w THEN 0 ELSE 1 END AS platforms,
  CASE WHEN MIN(country) OVER w = MAX(country) OVER w THEN 0 ELSE 1 END AS countries,
  CASE WHEN MIN(app_version) OVER w = MAX(app_version) OVER w THEN 0 ELSE 1 END AS app_versions
FROM (SELECT DISTINCT game_id, player_id, event_date, platform, country, app_version FROM edges) AS seen
WINDOW w AS (PARTITION BY game_id, player_id);

-- How many players were there on a day, by what they are to the game and the days until they are there again (at most
-- 30). Unique players do not add up; but who never changes platform is on it whenever playing at all. So players are
-- told apart by what they do change, counted, and only the counts get their totals.
CREATE OR REPLACE TEMPORARY VIEW stays AS
SELECT
  game_id, event_date, state,
  CASE WHEN sides.platform = 1 THEN counted.platform ELSE '*' END AS platform,
  CASE WHEN sides.country = 1 THEN counted.country ELSE '*' END AS country,
  CASE WHEN sides.app_version = 1 THEN counted.app_version ELSE '*' END AS app_version,
  until, SUM(players) AS players
FROM (
  SELECT
    game_id, event_date, platform, country, app_version, platforms, countries, app_versions, state,
    LEAST(COALESCE(DATEDIFF(next_date, event_date), 30), 30) AS until, COUNT(*) AS players
  FROM (
    SELECT
      s.*, CASE
        WHEN d.previous_date IS NULL THEN 'new' WHEN DATEDIFF(d.event_date, d.previous_date) <= 30 THEN 'returning'
        ELSE 'resurrected'
      END AS state,
      LEAD(s.event_date) OVER (
        PARTITION BY s.game_id, s.player_id, s.platform, s.country, s.app_version ORDER BY s.event_date
      ) AS next_date
    FROM (
      SELECT DISTINCT
        game_id, player_id, event_date, platforms, countries, app_versions,
        CASE WHEN sides.platform = 1 THEN visits.platform ELSE '*' END AS platform,
        CASE WHEN sides.country = 1 THEN visits.country ELSE '*' END AS country,
        CASE WHEN sides.app_version = 1 THEN visits.app_version ELSE '*' END AS app_version
      FROM visits JOIN sides ON sides.platform + platforms >= 1 AND sides.country + countries >= 1
        AND sides.app_version + app_versions >= 1
    ) AS s
    JOIN days AS d ON d.game_id = s.game_id AND d.player_id = s.player_id AND d.event_date = s.event_date
  ) AS followed
  GROUP BY game_id, event_date, platform, country, app_version, platforms, countries, app_versions, state,
    LEAST(COALESCE(DATEDIFF(next_date, event_date), 30), 30)
) AS counted
JOIN sides ON sides.platform >= platforms AND sides.country >= countries AND sides.app_version >= app_versions
GROUP BY game_id, event_date, state, until,
  CASE WHEN sides.platform = 1 THEN counted.platform ELSE '*' END,
  CASE WHEN sides.country = 1 THEN counted.country ELSE '*' END,
  CASE WHEN sides.app_version = 1 THEN counted.app_version ELSE '*' END
