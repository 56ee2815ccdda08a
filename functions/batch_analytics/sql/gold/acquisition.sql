-- Every cohort of the last 90 days and every day since `since` that is over have a row, zeros included. A player has one
-- source and one campaign: these have no totals, their rows add up.
WITH returns AS (
  SELECT
    i.game_id, i.cohort_date, i.install_source, i.campaign,
    COALESCE(i.platform, '*') AS platform, COALESCE(i.country, '*') AS country,
    COALESCE(i.app_version, '*') AS app_version, '*' AS custom_1, '*' AS custom_2,
    DATEDIFF(d.event_date, i.cohort_date) AS day_number, COUNT(*) AS players
  FROM installs AS i
  JOIN days AS d ON d.game_id = i.game_id AND d.player_id = i.player_id
  JOIN bounds AS b ON b.game_id = i.game_id AND d.event_date >= b.since
  GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, DATEDIFF(d.event_date, i.cohort_date),
    CUBE (i.platform, i.country, i.app_version)
  UNION ALL
  SELECT
    i.game_id, i.cohort_date, i.install_source, i.campaign, '*', '*', '*', i.custom_1, i.custom_2,
    DATEDIFF(d.event_date, i.cohort_date), COUNT(*)
  FROM installs_apart AS i
  JOIN days AS d ON d.game_id = i.game_id AND d.player_id = i.player_id
  JOIN bounds AS b ON b.game_id = i.game_id AND d.event_date >= b.since
  GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, i.custom_1, i.custom_2,
    DATEDIFF(d.event_date, i.cohort_date)
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number)
SELECT
  CAST(DATE_ADD(s.cohort_date, n.day_number) AS DATE) AS event_date, s.game_id, s.platform, s.country, s.app_version,
  s.custom_1, s.custom_2, s.install_source, s.campaign, s.cohort_date, CAST(n.day_number AS BIGINT) AS day_number, s.cohort_players,
  COALESCE(r.players, 0) AS retained_players, COALESCE(r.players, 0) * 1e0 / s.cohort_players AS retention
FROM install_sizes AS s
JOIN numbers AS n ON n.day_number BETWEEN s.since_number AND s.last_number
LEFT JOIN returns AS r ON r.game_id = s.game_id AND r.cohort_date = s.cohort_date AND r.platform = s.platform
  AND r.country = s.country AND r.app_version = s.app_version AND r.install_source = s.install_source
  AND r.campaign = s.campaign AND r.custom_1 = s.custom_1 AND r.custom_2 = s.custom_2 AND r.day_number = n.day_number
