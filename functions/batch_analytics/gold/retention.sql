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
rolling AS (
  SELECT s.game_id, s.cohort_date, s.platform, s.country, s.app_version, n.day_number, COUNT(*) AS players
  FROM sizes AS s JOIN numbers AS n ON n.day_number <= s.last_number
  JOIN furthest AS f ON f.game_id = s.game_id AND f.cohort_date = s.cohort_date AND f.platform = s.platform
    AND f.country = s.country AND f.app_version = s.app_version AND f.day_number >= n.day_number
  GROUP BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version, n.day_number
)
SELECT
  s.cohort_date, s.game_id, s.platform, s.country, s.app_version, CAST(n.day_number AS BIGINT) AS day_number,
  s.cohort_players, COALESCE(e.players, 0) AS retained_players, COALESCE(r.players, 0) AS rolling_players,
  COALESCE(e.players, 0) * 1e0 / s.cohort_players AS retention,
  COALESCE(r.players, 0) * 1e0 / s.cohort_players AS rolling_retention
FROM sizes AS s JOIN numbers AS n ON n.day_number <= s.last_number
LEFT JOIN exact AS e ON e.game_id = s.game_id AND e.cohort_date = s.cohort_date AND e.platform = s.platform
  AND e.country = s.country AND e.app_version = s.app_version AND e.day_number = n.day_number
LEFT JOIN rolling AS r ON r.game_id = s.game_id AND r.cohort_date = s.cohort_date AND r.platform = s.platform
  AND r.country = s.country AND r.app_version = s.app_version AND r.day_number = n.day_number
