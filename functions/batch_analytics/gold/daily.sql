WITH counted AS (
  SELECT
    a.game_id, a.event_date, a.platform, a.country, a.app_version,
    COUNT(*) AS active_players,
    SUM(CASE WHEN d.previous_date IS NULL THEN 1 ELSE 0 END) AS new_players,
    SUM(CASE WHEN DATEDIFF(a.event_date, d.previous_date) <= 30 THEN 1 ELSE 0 END) AS returning_players,
    SUM(CASE WHEN DATEDIFF(a.event_date, d.previous_date) > 30 THEN 1 ELSE 0 END) AS resurrected_players
  FROM active AS a
  JOIN days AS d ON d.game_id = a.game_id AND d.player_id = a.player_id AND d.event_date = a.event_date
  GROUP BY a.game_id, a.event_date, a.platform, a.country, a.app_version
),
reach AS (
  SELECT
    c.game_id, c.event_date, c.platform, c.country, c.app_version,
    COUNT(DISTINCT CASE WHEN DATEDIFF(c.event_date, a.event_date) < 7 THEN a.player_id END) AS weekly_active_players,
    COUNT(DISTINCT a.player_id) AS monthly_active_players
  FROM counted AS c
  JOIN active AS a ON a.game_id = c.game_id AND a.platform = c.platform AND a.country = c.country
    AND a.app_version = c.app_version AND DATEDIFF(c.event_date, a.event_date) BETWEEN 0 AND 29
  GROUP BY c.game_id, c.event_date, c.platform, c.country, c.app_version
),
last_events AS (
  SELECT game_id, player_id, event_date, platform, country, app_version FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, player_id, event_date ORDER BY at_ms DESC, event_id DESC) AS nth
    FROM events
  ) AS numbered WHERE nth = 1
),
rests AS (
  SELECT
    l.game_id, l.player_id, l.event_date, d.next_date,
    COALESCE(l.platform, '*') AS platform, COALESCE(l.country, '*') AS country,
    COALESCE(l.app_version, '*') AS app_version
  FROM last_events AS l
  JOIN days AS d ON d.game_id = l.game_id AND d.player_id = l.player_id AND d.event_date = l.event_date
  GROUP BY l.game_id, l.player_id, l.event_date, d.next_date, CUBE (l.platform, l.country, l.app_version)
),
dormant AS (
  SELECT c.game_id, c.event_date, c.platform, c.country, c.app_version, COUNT(*) AS dormant_players
  FROM counted AS c
  JOIN rests AS r ON r.game_id = c.game_id AND r.platform = c.platform AND r.country = c.country
    AND r.app_version = c.app_version AND DATEDIFF(c.event_date, r.event_date) > 30
    AND (r.next_date IS NULL OR r.next_date > c.event_date)
  GROUP BY c.game_id, c.event_date, c.platform, c.country, c.app_version
),
gaps AS (
  SELECT
    game_id, player_id, session_id, event_date, at_ms, event_id, platform, country, app_version,
    CASE WHEN at_ms - LAG(at_ms) OVER (PARTITION BY game_id, player_id, session_id ORDER BY at_ms, event_id) <= 1800000
      THEN 0 ELSE 1 END AS begins
  FROM events
),
parts AS (
  SELECT *, SUM(begins) OVER (
    PARTITION BY game_id, player_id, session_id ORDER BY at_ms, event_id ROWS UNBOUNDED PRECEDING
  ) AS part FROM gaps
),
lengths AS (
  SELECT game_id, player_id, session_id, part, (MAX(at_ms) - MIN(at_ms)) / 1000e0 AS seconds
  FROM parts GROUP BY game_id, player_id, session_id, part
),
sessions AS (
  SELECT
    p.game_id, p.event_date,
    COALESCE(p.platform, '*') AS platform, COALESCE(p.country, '*') AS country,
    COALESCE(p.app_version, '*') AS app_version,
    COUNT(*) AS sessions, SUM(l.seconds) AS playtime_seconds, AVG(l.seconds) AS session_seconds_mean,
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY l.seconds) AS session_seconds_median
  FROM parts AS p
  JOIN lengths AS l ON l.game_id = p.game_id AND l.player_id = p.player_id AND l.session_id = p.session_id
    AND l.part = p.part
  WHERE p.begins = 1
  GROUP BY p.game_id, p.event_date, CUBE (p.platform, p.country, p.app_version)
),
firsts AS (SELECT game_id, player_id, MIN(event_date) AS first_date FROM purchases GROUP BY game_id, player_id),
paid AS (
  SELECT
    p.game_id, p.event_date,
    COALESCE(p.platform, '*') AS platform, COALESCE(p.country, '*') AS country,
    COALESCE(p.app_version, '*') AS app_version,
    COUNT(DISTINCT p.player_id) AS payers,
    COUNT(DISTINCT CASE WHEN f.first_date = p.event_date THEN p.player_id END) AS first_time_payers
  FROM purchases AS p JOIN firsts AS f ON f.game_id = p.game_id AND f.player_id = p.player_id
  GROUP BY p.game_id, p.event_date, CUBE (p.platform, p.country, p.app_version)
)
SELECT
  c.event_date, c.game_id, c.platform, c.country, c.app_version,
  c.active_players, r.weekly_active_players, r.monthly_active_players,
  c.active_players * 1e0 / r.monthly_active_players AS stickiness,
  c.new_players, c.returning_players, c.resurrected_players, COALESCE(d.dormant_players, 0) AS dormant_players,
  COALESCE(s.sessions, 0) AS sessions, COALESCE(s.playtime_seconds, 0e0) AS playtime_seconds,
  s.session_seconds_mean, s.session_seconds_median,
  COALESCE(p.payers, 0) AS payers, COALESCE(p.first_time_payers, 0) AS first_time_payers,
  COALESCE(p.payers, 0) * 1e0 / c.active_players AS payer_conversion,
  COALESCE(p.first_time_payers, 0) * 1e0 / c.active_players AS first_purchase_conversion
FROM counted AS c
JOIN reach AS r ON r.game_id = c.game_id AND r.event_date = c.event_date AND r.platform = c.platform
  AND r.country = c.country AND r.app_version = c.app_version
LEFT JOIN dormant AS d ON d.game_id = c.game_id AND d.event_date = c.event_date AND d.platform = c.platform
  AND d.country = c.country AND d.app_version = c.app_version
LEFT JOIN sessions AS s ON s.game_id = c.game_id AND s.event_date = c.event_date AND s.platform = c.platform
  AND s.country = c.country AND s.app_version = c.app_version
LEFT JOIN paid AS p ON p.game_id = c.game_id AND p.event_date = c.event_date AND p.platform = c.platform
  AND p.country = c.country AND p.app_version = c.app_version
