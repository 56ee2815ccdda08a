WITH sizes AS (
  SELECT c.game_id, c.cohort_date, c.platform, c.country, c.app_version, COUNT(*) AS cohort_players,
    MIN(DATEDIFF(l.event_date, c.cohort_date)) AS last_number
  FROM cohorts AS c JOIN last_day AS l ON l.game_id = c.game_id
  GROUP BY c.game_id, c.cohort_date, c.platform, c.country, c.app_version
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number),
returns AS (
  SELECT c.game_id, c.cohort_date, c.platform, c.country, c.app_version, c.player_id,
    DATEDIFF(d.event_date, c.cohort_date) AS day_number
  FROM cohorts AS c JOIN days AS d ON d.game_id = c.game_id AND d.player_id = c.player_id
),
exact AS (
  SELECT game_id, cohort_date, platform, country, app_version, day_number, COUNT(*) AS players
  FROM returns GROUP BY game_id, cohort_date, platform, country, app_version, day_number
),
furthest AS (
  SELECT game_id, cohort_date, platform, country, app_version, player_id, MAX(day_number) AS day_number
  FROM returns GROUP BY game_id, cohort_date, platform, country, app_version, player_id
),
-- On how many players' last day: those of this day and all later ones are the rolling retention.
lasts AS (
  SELECT s.game_id, s.cohort_date, s.platform, s.country, s.app_version,
    LEAST(f.day_number, s.last_number, 90) AS day_number, COUNT(*) AS players
  FROM furthest AS f
  JOIN sizes AS s ON s.game_id = f.game_id AND s.cohort_date = f.cohort_date AND s.platform = f.platform
    AND s.country = f.country AND s.app_version = f.app_version
  GROUP BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version, LEAST(f.day_number, s.last_number, 90)
),
counted AS (
  SELECT
    s.cohort_date, s.game_id, s.platform, s.country, s.app_version, CAST(n.day_number AS BIGINT) AS day_number,
    s.cohort_players, COALESCE(e.players, 0) AS retained_players,
    CAST(SUM(COALESCE(l.players, 0)) OVER (
      PARTITION BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version ORDER BY n.day_number DESC
    ) AS BIGINT) AS rolling_players
  FROM sizes AS s JOIN numbers AS n ON n.day_number <= s.last_number
  LEFT JOIN exact AS e ON e.game_id = s.game_id AND e.cohort_date = s.cohort_date AND e.platform = s.platform
    AND e.country = s.country AND e.app_version = s.app_version AND e.day_number = n.day_number
  LEFT JOIN lasts AS l ON l.game_id = s.game_id AND l.cohort_date = s.cohort_date AND l.platform = s.platform
    AND l.country = s.country AND l.app_version = s.app_version AND l.day_number = n.day_number
)
SELECT
  *, retained_players * 1e0 / cohort_players AS retention, rolling_players * 1e0 / cohort_players AS rolling_retention
FROM counted
