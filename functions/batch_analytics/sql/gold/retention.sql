-- The cohorts of `cohorts`: those that had days since `since` within 90 days, and those of which a player is back. Who was
-- there on a day before `since` is published already; who has left since is counted anew from each player's last day.
WITH members AS (
  SELECT
    k.game_id, k.player_id, k.cohort_date, k.platform, k.country, k.app_version,
    COALESCE(v.custom_1, 'unknown') AS custom_1, COALESCE(v.custom_2, 'unknown') AS custom_2
  FROM players AS k JOIN cohorts AS c ON c.game_id = k.game_id AND c.cohort_date = k.cohort_date
  LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id
),
returns AS (
  SELECT
    i.game_id, i.cohort_date, i.platform, i.country, i.app_version, i.custom_1, i.custom_2,
    DATEDIFF(d.event_date, i.cohort_date) AS day_number, LEAST(DATEDIFF(b.last_day, i.cohort_date), 90) AS last_number,
    COUNT(*) AS players, SUM(CASE WHEN d.next_date IS NULL THEN 1 ELSE 0 END) AS gone
  FROM members AS i
  JOIN days AS d ON d.player_id = i.player_id AND d.game_id = i.game_id
  JOIN bounds AS b ON b.game_id = i.game_id
  WHERE d.event_date >= b.since OR d.next_date IS NULL
  GROUP BY i.game_id, i.cohort_date, i.platform, i.country, i.app_version, i.custom_1, i.custom_2,
    DATEDIFF(d.event_date, i.cohort_date), LEAST(DATEDIFF(b.last_day, i.cohort_date), 90)
),
-- On how many players' last day: those of this day and all later ones are the rolling retention.
steps AS (
  SELECT
    game_id, cohort_date, platform, country, app_version, custom_1, custom_2, last_number, day_number, players, 0 AS gone
  FROM returns
  UNION ALL
  SELECT
    game_id, cohort_date, platform, country, app_version, custom_1, custom_2, last_number, LEAST(day_number, last_number),
    0, gone
  FROM returns
),
found AS (
  SELECT
    game_id, cohort_date, last_number, day_number,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    SUM(players) AS players, SUM(gone) AS gone
  FROM steps
  GROUP BY game_id, cohort_date, last_number, day_number,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
sizes AS (
  SELECT
    f.game_id, f.cohort_date, f.platform, f.country, f.app_version, f.custom_1, f.custom_2, f.last_number,
    SUM(f.gone) AS cohort_players
  FROM found AS f JOIN bounds AS b ON b.game_id = f.game_id AND (f.custom_1 = '*' OR b.slot_1 = 1)
    AND (f.custom_2 = '*' OR b.slot_2 = 1)
  GROUP BY f.game_id, f.cohort_date, f.platform, f.country, f.app_version, f.custom_1, f.custom_2, f.last_number
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number),
counted AS (
  SELECT
    s.cohort_date, s.game_id, s.platform, s.country, s.app_version, s.custom_1, s.custom_2,
    CAST(n.day_number AS BIGINT) AS day_number, s.cohort_players,
    CASE WHEN DATE_ADD(s.cohort_date, n.day_number) >= b.since THEN COALESCE(f.players, 0) ELSE p.retained_players END
      AS retained_players,
    CAST(SUM(COALESCE(f.gone, 0)) OVER (
      PARTITION BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2
      ORDER BY n.day_number DESC
    ) AS BIGINT) AS rolling_players
  FROM sizes AS s
  JOIN bounds AS b ON b.game_id = s.game_id
  JOIN numbers AS n ON n.day_number <= s.last_number
  LEFT JOIN found AS f ON f.game_id = s.game_id AND f.cohort_date = s.cohort_date AND f.platform = s.platform
    AND f.country = s.country AND f.app_version = s.app_version AND f.custom_1 = s.custom_1
    AND f.custom_2 = s.custom_2 AND f.day_number = n.day_number
  LEFT JOIN published_retention AS p ON p.game_id = s.game_id AND p.cohort_date = s.cohort_date
    AND p.platform = s.platform AND p.country = s.country AND p.app_version = s.app_version
    AND p.custom_1 = s.custom_1 AND p.custom_2 = s.custom_2 AND p.day_number = n.day_number
)
SELECT
  *, retained_players * 1e0 / cohort_players AS retention, rolling_players * 1e0 / cohort_players AS rolling_retention
FROM counted
