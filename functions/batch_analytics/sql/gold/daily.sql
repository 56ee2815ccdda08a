WITH counted AS (
  SELECT
    s.game_id, s.event_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2,
    SUM(s.players) AS active_players,
    SUM(CASE WHEN s.state = 'new' THEN s.players ELSE 0 END) AS new_players,
    SUM(CASE WHEN s.state = 'returning' THEN s.players ELSE 0 END) AS returning_players,
    SUM(CASE WHEN s.state = 'resurrected' THEN s.players ELSE 0 END) AS resurrected_players
  FROM stays AS s JOIN bounds AS b ON b.game_id = s.game_id AND s.event_date >= b.since
  GROUP BY s.game_id, s.event_date, s.platform, s.country, s.app_version, s.custom_1, s.custom_2
),
rests AS (
  SELECT
    game_id, event_date, next_date,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    COUNT(*) AS players
  FROM days
  WHERE next_date IS NULL OR DATEDIFF(next_date, event_date) > 31
  GROUP BY game_id, event_date, next_date, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
-- Players count from a day on, and until another day of theirs takes over or the period is over: sums of steps, so that
-- the work grows with the days played, and not with days times players.
steps AS (
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, event_date, players AS weekly, players AS monthly,
    0 AS dormant
  FROM stays
  UNION ALL
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, CAST(DATE_ADD(event_date, LEAST(until, 7)) AS DATE),
    -players, 0, 0
  FROM stays
  UNION ALL
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, CAST(DATE_ADD(event_date, until) AS DATE), 0, -players, 0
  FROM stays
  UNION ALL
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, CAST(DATE_ADD(event_date, 31) AS DATE), 0, 0, players
  FROM rests
  UNION ALL
  SELECT game_id, platform, country, app_version, custom_1, custom_2, next_date, 0, 0, -players
  FROM rests WHERE next_date IS NOT NULL
),
reach AS (
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, event_date,
    SUM(SUM(weekly)) OVER w AS weekly_active_players, SUM(SUM(monthly)) OVER w AS monthly_active_players,
    SUM(SUM(dormant)) OVER w AS dormant_players
  FROM steps
  GROUP BY game_id, platform, country, app_version, custom_1, custom_2, event_date
  WINDOW w AS (PARTITION BY game_id, platform, country, app_version, custom_1, custom_2 ORDER BY event_date)
),
lengths AS (
  SELECT
    p.game_id, p.event_date, p.platform, p.country, p.app_version, p.custom_1, p.custom_2,
    COUNT(*) AS sessions, SUM(p.length_ms) AS length_ms, COLLECT_LIST(p.length_ms) AS lengths
  FROM plays AS p JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date >= b.since
  GROUP BY p.game_id, p.event_date, p.platform, p.country, p.app_version, p.custom_1, p.custom_2
),
sessions AS (
  SELECT
    game_id, event_date,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    SUM(sessions) AS sessions, SUM(length_ms) / 1000e0 AS playtime_seconds,
    SORT_ARRAY(FLATTEN(COLLECT_LIST(lengths))) AS lengths
  FROM lengths
  GROUP BY game_id, event_date, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
-- The first purchase ever of a player: it counts where it was made, and nowhere else.
firsts AS (
  SELECT
    p.game_id, p.player_id, p.event_date, p.platform, p.country, p.app_version, p.custom_1, p.custom_2,
    CASE WHEN COALESCE(k.paid_date, p.event_date) >= p.event_date AND ROW_NUMBER() OVER (
      PARTITION BY p.player_id, p.game_id ORDER BY p.at_ms, p.event_id
    ) = 1 THEN 1 ELSE 0 END AS first_time
  FROM purchases AS p JOIN players AS k ON k.player_id = p.player_id AND k.game_id = p.game_id
),
payers AS (
  SELECT
    p.game_id, p.event_date, p.player_id,
    COALESCE(p.platform, '*') AS platform, COALESCE(p.country, '*') AS country,
    COALESCE(p.app_version, '*') AS app_version,
    COALESCE(p.custom_1, '*') AS custom_1, COALESCE(p.custom_2, '*') AS custom_2,
    MAX(p.first_time) AS first_time
  FROM firsts AS p JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date >= b.since
  GROUP BY p.game_id, p.event_date, p.player_id,
    GROUPING SETS (CUBE (p.platform, p.country, p.app_version), (p.custom_1), (p.custom_2))
),
paid AS (
  SELECT
    game_id, event_date, platform, country, app_version, custom_1, custom_2, COUNT(*) AS payers,
    SUM(first_time) AS first_time_payers
  FROM payers
  GROUP BY game_id, event_date, platform, country, app_version, custom_1, custom_2
)
SELECT
  c.event_date, c.game_id, c.platform, c.country, c.app_version, c.custom_1, c.custom_2,
  c.active_players, r.weekly_active_players, r.monthly_active_players,
  c.active_players * 1e0 / r.monthly_active_players AS stickiness,
  c.new_players, c.returning_players, c.resurrected_players, r.dormant_players,
  COALESCE(s.sessions, 0) AS sessions, COALESCE(s.playtime_seconds, 0e0) AS playtime_seconds,
  s.playtime_seconds / s.sessions AS session_seconds_mean,
  (s.lengths[CAST(FLOOR((s.sessions - 1) / 2e0) AS INT)] + s.lengths[CAST(CEIL((s.sessions - 1) / 2e0) AS INT)]) / 2000e0
    AS session_seconds_median,
  COALESCE(p.payers, 0) AS payers, COALESCE(p.first_time_payers, 0) AS first_time_payers,
  COALESCE(p.payers, 0) * 1e0 / c.active_players AS payer_conversion,
  COALESCE(p.first_time_payers, 0) * 1e0 / c.active_players AS first_purchase_conversion
FROM counted AS c
JOIN reach AS r ON r.game_id = c.game_id AND r.event_date = c.event_date AND r.platform = c.platform
  AND r.country = c.country AND r.app_version = c.app_version AND r.custom_1 = c.custom_1 AND r.custom_2 = c.custom_2
LEFT JOIN sessions AS s ON s.game_id = c.game_id AND s.event_date = c.event_date AND s.platform = c.platform
  AND s.country = c.country AND s.app_version = c.app_version AND s.custom_1 = c.custom_1 AND s.custom_2 = c.custom_2
LEFT JOIN paid AS p ON p.game_id = c.game_id AND p.event_date = c.event_date AND p.platform = c.platform
  AND p.country = c.country AND p.app_version = c.app_version AND p.custom_1 = c.custom_1 AND p.custom_2 = c.custom_2
