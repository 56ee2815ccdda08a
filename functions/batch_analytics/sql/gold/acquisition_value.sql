-- Every cohort of the last 90 days, every day since `since` that is over and every currency have a row, zeros included. What
-- was paid before `since` is the published value of the day before.
WITH sizes AS (
  SELECT
    i.game_id, i.cohort_date, i.install_source, i.campaign,
    COALESCE(i.platform, '*') AS platform, COALESCE(i.country, '*') AS country,
    COALESCE(i.app_version, '*') AS app_version,
    COUNT(*) AS cohort_players, MIN(DATEDIFF(b.since, i.cohort_date)) AS since_number,
    MIN(DATEDIFF(b.last_day, i.cohort_date)) AS last_number
  FROM installs AS i JOIN bounds AS b ON b.game_id = i.game_id
  GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, CUBE (i.platform, i.country, i.app_version)
),
spent AS (
  SELECT
    i.game_id, i.cohort_date, i.install_source, i.campaign,
    COALESCE(i.platform, '*') AS platform, COALESCE(i.country, '*') AS country,
    COALESCE(i.app_version, '*') AS app_version,
    p.currency, DATEDIFF(p.event_date, i.cohort_date) AS day_number, SUM(p.amount_minor) AS amount
  FROM installs AS i
  JOIN purchases AS p ON p.game_id = i.game_id AND p.player_id = i.player_id
  JOIN bounds AS b ON b.game_id = i.game_id AND p.event_date >= b.since
  GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, p.currency,
    DATEDIFF(p.event_date, i.cohort_date), CUBE (i.platform, i.country, i.app_version)
  UNION ALL
  SELECT
    game_id, cohort_date, install_source, campaign, platform, country, app_version, currency, CAST(day_number AS INT),
    gross_minor
  FROM published_acquisition_value
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number),
grown AS (
  SELECT
    CAST(DATE_ADD(s.cohort_date, n.day_number) AS DATE) AS event_date, s.game_id, s.platform, s.country, s.app_version,
    s.install_source, s.campaign, s.cohort_date, CAST(n.day_number AS BIGINT) AS day_number, c.currency,
    s.cohort_players, s.since_number, SUM(COALESCE(p.amount, 0)) OVER (
      PARTITION BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version, s.install_source, s.campaign,
        c.currency ORDER BY n.day_number
    ) AS amount
  FROM sizes AS s
  JOIN currencies AS c ON c.game_id = s.game_id
  JOIN numbers AS n ON n.day_number BETWEEN s.since_number - 1 AND s.last_number
  LEFT JOIN spent AS p ON p.game_id = s.game_id AND p.cohort_date = s.cohort_date AND p.platform = s.platform
    AND p.country = s.country AND p.app_version = s.app_version AND p.install_source = s.install_source
    AND p.campaign = s.campaign AND p.currency = c.currency AND p.day_number = n.day_number
)
SELECT
  event_date, game_id, platform, country, app_version, install_source, campaign, cohort_date, day_number, currency,
  cohort_players, CAST(amount AS DECIMAL(38, 0)) AS gross_minor, CAST(amount AS DOUBLE) / cohort_players AS ltv_minor
FROM grown WHERE day_number >= since_number
