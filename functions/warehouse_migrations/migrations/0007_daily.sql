CREATE OR REPLACE VIEW metrics.daily AS
WITH counted AS (
  SELECT
    a.game_id, a.event_date, a.platform, a.country, a.app_version,
    COUNT(*) AS active_players,
    COUNT(CASE WHEN d.previous_date IS NULL THEN 1 END) AS new_players,
    COUNT(CASE WHEN DATEDIFF(day, d.previous_date, a.event_date) <= 30 THEN 1 END) AS returning_players,
    COUNT(CASE WHEN DATEDIFF(day, d.previous_date, a.event_date) > 30 THEN 1 END) AS resurrected_players
  FROM warehouse.active AS a
  JOIN warehouse.days AS d ON d.game_id = a.game_id AND d.player_id = a.player_id AND d.event_date = a.event_date
  GROUP BY a.game_id, a.event_date, a.platform, a.country, a.app_version
),
reach AS (
  SELECT
    c.game_id, c.event_date, c.platform, c.country, c.app_version,
    COUNT(DISTINCT CASE WHEN DATEDIFF(day, a.event_date, c.event_date) < 7 THEN a.player_id END) AS weekly_active_players,
    COUNT(DISTINCT a.player_id) AS monthly_active_players
  FROM counted AS c
  JOIN warehouse.active AS a ON a.game_id = c.game_id AND a.platform = c.platform AND a.country = c.country
    AND a.app_version = c.app_version AND DATEDIFF(day, a.event_date, c.event_date) BETWEEN 0 AND 29
  GROUP BY c.game_id, c.event_date, c.platform, c.country, c.app_version
),
last_events AS (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY game_id, player_id, event_date ORDER BY last_time DESC, last_event_id DESC
  ) AS nth
  FROM warehouse.fact_activity
),
rests AS (
  SELECT
    l.game_id, l.player_id, l.event_date, d.next_date,
    CASE WHEN k.by_platform THEN l.platform ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN l.country ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN l.app_version ELSE '*' END AS app_version
  FROM last_events AS l
  JOIN warehouse.days AS d ON d.game_id = l.game_id AND d.player_id = l.player_id AND d.event_date = l.event_date
  CROSS JOIN warehouse.dim_slice AS k
  WHERE l.nth = 1
),
dormant AS (
  SELECT c.game_id, c.event_date, c.platform, c.country, c.app_version, COUNT(*) AS dormant_players
  FROM counted AS c
  JOIN rests AS r ON r.game_id = c.game_id AND r.platform = c.platform AND r.country = c.country
    AND r.app_version = c.app_version AND DATEDIFF(day, r.event_date, c.event_date) > 30
    AND (r.next_date IS NULL OR r.next_date > c.event_date)
  GROUP BY c.game_id, c.event_date, c.platform, c.country, c.app_version
),
started AS (
  SELECT
    s.game_id, s.event_date, s.seconds,
    CASE WHEN k.by_platform THEN s.platform ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN s.country ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN s.app_version ELSE '*' END AS app_version
  FROM warehouse.fact_sessions AS s CROSS JOIN warehouse.dim_slice AS k
),
played AS (
  SELECT
    game_id, event_date, platform, country, app_version,
    COUNT(*) AS sessions, SUM(seconds) AS playtime_seconds, AVG(seconds) AS session_seconds_mean,
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY seconds) AS session_seconds_median
  FROM started
  GROUP BY game_id, event_date, platform, country, app_version
),
bought AS (
  SELECT
    p.game_id, p.event_date, p.player_id,
    MIN(p.event_date) OVER (PARTITION BY p.game_id, p.player_id) AS first_date,
    CASE WHEN k.by_platform THEN p.platform ELSE '*' END AS platform,
    CASE WHEN k.by_country THEN p.country ELSE '*' END AS country,
    CASE WHEN k.by_app_version THEN p.app_version ELSE '*' END AS app_version
  FROM warehouse.fact_purchases AS p CROSS JOIN warehouse.dim_slice AS k
),
paid AS (
  SELECT
    game_id, event_date, platform, country, app_version,
    COUNT(DISTINCT player_id) AS payers,
    COUNT(DISTINCT CASE WHEN first_date = event_date THEN player_id END) AS first_time_payers
  FROM bought
  GROUP BY game_id, event_date, platform, country, app_version
)
SELECT
  c.event_date, c.game_id, c.platform, c.country, c.app_version,
  c.active_players, r.weekly_active_players, r.monthly_active_players,
  c.active_players::DOUBLE PRECISION / r.monthly_active_players AS stickiness,
  c.new_players, c.returning_players, c.resurrected_players, COALESCE(d.dormant_players, 0) AS dormant_players,
  COALESCE(s.sessions, 0) AS sessions, COALESCE(s.playtime_seconds, 0) AS playtime_seconds,
  s.session_seconds_mean, s.session_seconds_median,
  COALESCE(p.payers, 0) AS payers, COALESCE(p.first_time_payers, 0) AS first_time_payers,
  COALESCE(p.payers, 0)::DOUBLE PRECISION / c.active_players AS payer_conversion,
  COALESCE(p.first_time_payers, 0)::DOUBLE PRECISION / c.active_players AS first_purchase_conversion
FROM counted AS c
JOIN reach AS r ON r.game_id = c.game_id AND r.event_date = c.event_date AND r.platform = c.platform
  AND r.country = c.country AND r.app_version = c.app_version
LEFT JOIN dormant AS d ON d.game_id = c.game_id AND d.event_date = c.event_date AND d.platform = c.platform
  AND d.country = c.country AND d.app_version = c.app_version
LEFT JOIN played AS s ON s.game_id = c.game_id AND s.event_date = c.event_date AND s.platform = c.platform
  AND s.country = c.country AND s.app_version = c.app_version
LEFT JOIN paid AS p ON p.game_id = c.game_id AND p.event_date = c.event_date AND p.platform = c.platform
  AND p.country = c.country AND p.app_version = c.app_version;
