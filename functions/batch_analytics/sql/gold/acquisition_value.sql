-- Every cohort of the last 90 days, every day since `since` that is over and every currency have a row, zeros included. What
-- was paid and refunded before `since` is the published value of the day before.
WITH paid AS (
  SELECT
    game_id, player_id, event_date, currency, amount_minor, 0 AS refunded_minor, 0 AS ad_micros,
    CASE WHEN verified THEN 0 ELSE amount_minor END AS unverified_minor
  FROM purchases
  UNION ALL
  SELECT game_id, player_id, event_date, currency, 0, amount_minor, 0, 0 FROM refunds
  UNION ALL
  SELECT game_id, player_id, event_date, currency, 0, 0, revenue_micros, 0 FROM recent_ads
),
spent AS (
  SELECT
    i.game_id, i.cohort_date, i.install_source, i.campaign,
    COALESCE(i.platform, '*') AS platform, COALESCE(i.country, '*') AS country,
    COALESCE(i.app_version, '*') AS app_version, '*' AS custom_1, '*' AS custom_2,
    p.currency, DATEDIFF(p.event_date, i.cohort_date) AS day_number, SUM(p.amount_minor) AS gross_minor,
    SUM(p.refunded_minor) AS refunded_minor, SUM(p.ad_micros) AS ad_micros, SUM(p.unverified_minor) AS unverified_minor
  FROM installs AS i
  JOIN paid AS p ON p.game_id = i.game_id AND p.player_id = i.player_id
  JOIN bounds AS b ON b.game_id = i.game_id AND p.event_date >= b.since
  GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, p.currency,
    DATEDIFF(p.event_date, i.cohort_date), CUBE (i.platform, i.country, i.app_version)
  UNION ALL
  SELECT
    i.game_id, i.cohort_date, i.install_source, i.campaign, '*', '*', '*', i.custom_1, i.custom_2,
    p.currency, DATEDIFF(p.event_date, i.cohort_date), SUM(p.amount_minor), SUM(p.refunded_minor), SUM(p.ad_micros),
    SUM(p.unverified_minor)
  FROM installs_apart AS i
  JOIN paid AS p ON p.game_id = i.game_id AND p.player_id = i.player_id
  JOIN bounds AS b ON b.game_id = i.game_id AND p.event_date >= b.since
  GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, i.custom_1, i.custom_2, p.currency,
    DATEDIFF(p.event_date, i.cohort_date)
  UNION ALL
  SELECT
    game_id, cohort_date, install_source, campaign, platform, country, app_version, custom_1, custom_2, currency,
    CAST(day_number AS INT), lifetime_gross_minor, lifetime_refunded_minor, lifetime_ad_micros, lifetime_unverified_minor
  FROM published_acquisition_value
),
numbers AS (SELECT EXPLODE(SEQUENCE(0, 90)) AS day_number),
grown AS (
  SELECT
    CAST(DATE_ADD(s.cohort_date, n.day_number) AS DATE) AS event_date, s.game_id, s.platform, s.country, s.app_version,
    s.custom_1, s.custom_2, s.install_source, s.campaign, s.cohort_date, CAST(n.day_number AS BIGINT) AS day_number, c.currency,
    s.cohort_players, s.since_number, c.micros_of_minor,
    CAST(SUM(COALESCE(p.gross_minor, 0)) OVER w AS DECIMAL(28, 0)) AS gross_minor,
    CAST(SUM(COALESCE(p.unverified_minor, 0)) OVER w AS DECIMAL(28, 0)) AS unverified_minor,
    CAST(SUM(COALESCE(p.refunded_minor, 0)) OVER w AS DECIMAL(28, 0)) AS refunded_minor,
    CAST(SUM(COALESCE(p.ad_micros, 0)) OVER w AS DECIMAL(36, 0)) AS ad_micros
  FROM install_sizes AS s
  JOIN currencies AS c ON c.game_id = s.game_id
  JOIN numbers AS n ON n.day_number BETWEEN s.since_number - 1 AND s.last_number
  LEFT JOIN spent AS p ON p.game_id = s.game_id AND p.cohort_date = s.cohort_date AND p.platform = s.platform
    AND p.country = s.country AND p.app_version = s.app_version AND p.install_source = s.install_source
    AND p.campaign = s.campaign AND p.custom_1 = s.custom_1 AND p.custom_2 = s.custom_2 AND p.currency = c.currency
    AND p.day_number = n.day_number
  WINDOW w AS (
    PARTITION BY s.game_id, s.cohort_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2,
      s.install_source, s.campaign, c.currency
    ORDER BY n.day_number
  )
)
SELECT
  event_date, game_id, platform, country, app_version, custom_1, custom_2, install_source, campaign, cohort_date,
  day_number, currency, cohort_players, CAST(gross_minor AS DECIMAL(38, 0)) AS lifetime_gross_minor,
  CAST(unverified_minor AS DECIMAL(38, 0)) AS lifetime_unverified_minor,
  CAST(refunded_minor AS DECIMAL(38, 0)) AS lifetime_refunded_minor,
  CAST(gross_minor - refunded_minor AS DECIMAL(38, 0)) AS lifetime_net_minor,
  CAST(gross_minor AS DOUBLE) / cohort_players AS ltv_minor,
  CAST(gross_minor - refunded_minor AS DOUBLE) / cohort_players AS net_ltv_minor,
  CAST(ad_micros AS DECIMAL(38, 0)) AS lifetime_ad_micros,
  CAST(gross_minor * micros_of_minor + ad_micros AS DECIMAL(38, 0)) AS lifetime_total_micros,
  CAST((gross_minor - refunded_minor) * micros_of_minor + ad_micros AS DECIMAL(38, 0)) AS lifetime_net_total_micros,
  CAST(gross_minor * micros_of_minor + ad_micros AS DOUBLE) / cohort_players AS total_ltv_micros,
  CAST((gross_minor - refunded_minor) * micros_of_minor + ad_micros AS DOUBLE) / cohort_players AS net_total_ltv_micros
FROM grown WHERE day_number >= since_number
