-- Every cohort, day and currency of the game has a row, zeros included: who adds cohorts up has all their players below the
-- line. Computed are the cohorts whose first 90 days reach `since`. Their days before it are published already, and what
-- was paid and refunded by then is the published value of the day before.
WITH members AS (
  SELECT
    k.game_id, k.player_id, k.cohort_date, k.platform, k.country, k.app_version,
    COALESCE(v.custom_1, 'unknown') AS custom_1, COALESCE(v.custom_2, 'unknown') AS custom_2
  FROM players AS k
  JOIN bounds AS b ON b.game_id = k.game_id AND k.cohort_date >= DATE_SUB(b.since, 90)
  LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id
),
every_size AS (
  SELECT
    i.game_id, i.cohort_date,
    COALESCE(i.platform, '*') AS platform, COALESCE(i.country, '*') AS country,
    COALESCE(i.app_version, '*') AS app_version,
    COALESCE(i.custom_1, '*') AS custom_1, COALESCE(i.custom_2, '*') AS custom_2,
    COUNT(*) AS cohort_players, MIN(DATEDIFF(b.last_day, i.cohort_date)) AS last_number,
    MIN(DATEDIFF(b.since, i.cohort_date)) AS since_number
  FROM members AS i JOIN bounds AS b ON b.game_id = i.game_id
  GROUP BY i.game_id, i.cohort_date,
    GROUPING SETS (CUBE (i.platform, i.country, i.app_version), (i.custom_1), (i.custom_2))
),
sizes AS (
  SELECT s.* FROM every_size AS s JOIN bounds AS b ON b.game_id = s.game_id AND (s.custom_1 = '*' OR b.slot_1 = 1)
    AND (s.custom_2 = '*' OR b.slot_2 = 1)
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number),
cells AS (
  SELECT i.game_id, i.cohort_date, i.platform, i.country, i.app_version, i.custom_1, i.custom_2, p.currency,
    DATEDIFF(p.event_date, i.cohort_date) AS day_number, SUM(p.amount) AS amount, SUM(p.refunded) AS refunded,
    SUM(p.unverified) AS unverified
  FROM members AS i
  JOIN (
    SELECT
      game_id, player_id, event_date, currency, amount_minor AS amount, 0 AS refunded,
      CASE WHEN verified THEN 0 ELSE amount_minor END AS unverified
    FROM purchases
    UNION ALL
    SELECT game_id, player_id, event_date, currency, 0, amount_minor, 0 FROM refunds
  ) AS p ON p.game_id = i.game_id AND p.player_id = i.player_id
  JOIN bounds AS b ON b.game_id = i.game_id AND p.event_date >= b.since
  GROUP BY i.game_id, i.cohort_date, i.platform, i.country, i.app_version, i.custom_1, i.custom_2, p.currency,
    DATEDIFF(p.event_date, i.cohort_date)
),
spent AS (
  SELECT
    game_id, cohort_date, currency, day_number,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    SUM(amount) AS amount, SUM(refunded) AS refunded, SUM(unverified) AS unverified
  FROM cells
  GROUP BY game_id, cohort_date, currency, day_number,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
  UNION ALL
  SELECT
    p.game_id, p.cohort_date, p.currency, CAST(p.day_number AS INT), p.platform, p.country, p.app_version, p.custom_1,
    p.custom_2,
    p.lifetime_gross_minor, p.lifetime_refunded_minor, p.lifetime_unverified_minor
  FROM published_lifetime_value AS p JOIN bounds AS b ON b.game_id = p.game_id
    AND DATE_ADD(p.cohort_date, CAST(p.day_number AS INT)) = DATE_SUB(b.since, 1)
),
grown AS (
  SELECT
    s.cohort_date, s.game_id, s.platform, s.country, s.app_version, s.custom_1, s.custom_2,
    CAST(n.day_number AS BIGINT) AS day_number, c.currency, s.cohort_players, s.since_number,
    SUM(COALESCE(p.amount, 0)) OVER w AS amount, SUM(COALESCE(p.refunded, 0)) OVER w AS refunded,
    SUM(COALESCE(p.unverified, 0)) OVER w AS unverified
  FROM sizes AS s
  JOIN currencies AS c ON c.game_id = s.game_id
  JOIN numbers AS n ON n.day_number BETWEEN s.since_number - 1 AND s.last_number
  LEFT JOIN spent AS p ON p.game_id = s.game_id AND p.cohort_date = s.cohort_date AND p.platform = s.platform
    AND p.country = s.country AND p.app_version = s.app_version AND p.currency = c.currency
    AND p.custom_1 = s.custom_1 AND p.custom_2 = s.custom_2 AND p.day_number = n.day_number
  WINDOW w AS (
    PARTITION BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2, c.currency
    ORDER BY n.day_number
  )
),
shown AS (
  SELECT
    cohort_date, game_id, platform, country, app_version, custom_1, custom_2, day_number, currency, cohort_players,
    CAST(amount AS DECIMAL(38, 0)) AS lifetime_gross_minor,
    CAST(unverified AS DECIMAL(38, 0)) AS lifetime_unverified_minor,
    CAST(refunded AS DECIMAL(38, 0)) AS lifetime_refunded_minor,
    CAST(amount - refunded AS DECIMAL(38, 0)) AS lifetime_net_minor,
    CAST(amount AS DOUBLE) / cohort_players AS ltv_minor,
    CAST(amount - refunded AS DOUBLE) / cohort_players AS net_ltv_minor
  FROM grown WHERE day_number >= since_number
  UNION ALL
  SELECT
    p.cohort_date, p.game_id, p.platform, p.country, p.app_version, p.custom_1, p.custom_2, p.day_number, p.currency,
    p.cohort_players, p.lifetime_gross_minor, p.lifetime_unverified_minor, p.lifetime_refunded_minor, p.lifetime_net_minor, p.ltv_minor, p.net_ltv_minor
  FROM published_lifetime_value AS p JOIN bounds AS b ON b.game_id = p.game_id
    AND DATE_ADD(p.cohort_date, CAST(p.day_number AS INT)) < b.since
)
SELECT * FROM shown
