WITH counted AS (
  SELECT
    s.game_id, s.event_date, s.platform, s.country, s.app_version, SUM(s.players) AS active_players,
    SUM(CASE WHEN s.state = 'new' THEN s.players ELSE 0 END) AS new_players,
    SUM(CASE WHEN s.state = 'returning' THEN s.players ELSE 0 END) AS returning_players,
    SUM(CASE WHEN s.state = 'resurrected' THEN s.players ELSE 0 END) AS resurrected_players
  FROM stays AS s JOIN bounds AS b ON b.game_id = s.game_id AND s.event_date >= b.since
  GROUP BY s.game_id, s.event_date, s.platform, s.country, s.app_version
),
rests AS (
  SELECT
    game_id, event_date, next_date,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COUNT(*) AS players
  FROM days
  WHERE next_date IS NULL OR DATEDIFF(next_date, event_date) > 31
  GROUP BY game_id, event_date, next_date, CUBE (platform, country, app_version)
),
-- Players count from a day on, and until another day of theirs takes over or the period is over: sums of steps, so that
-- the work grows with the days played, and not with days times players.
steps AS (
  SELECT game_id, platform, country, app_version, event_date, players AS weekly, players AS monthly, 0 AS dormant
  FROM stays
  UNION ALL
  SELECT game_id, platform, country, app_version, CAST(DATE_ADD(event_date, LEAST(until, 7)) AS DATE), -players, 0, 0
  FROM stays
  UNION ALL
  SELECT game_id, platform, country, app_version, CAST(DATE_ADD(event_date, until) AS DATE), 0, -players, 0 FROM stays
  UNION ALL
  SELECT game_id, platform, country, app_version, CAST(DATE_ADD(event_date, 31) AS DATE), 0, 0, players FROM rests
  UNION ALL
  SELECT game_id, platform, country, app_version, next_date, 0, 0, -players FROM rests WHERE next_date IS NOT NULL
),
reach AS (
  SELECT
    game_id, platform, country, app_version, event_date,
    SUM(SUM(weekly)) OVER w AS weekly_active_players, SUM(SUM(monthly)) OVER w AS monthly_active_players,
    SUM(SUM(dormant)) OVER w AS dormant_players
  FROM steps
  GROUP BY game_id, platform, country, app_version, event_date
  WINDOW w AS (PARTITION BY game_id, platform, country, app_version ORDER BY event_date)
),
lengths AS (
  SELECT
    p.game_id, p.event_date, p.platform, p.country, p.app_version,
    COUNT(*) AS sessions, SUM(p.length_ms) AS length_ms, COLLECT_LIST(p.length_ms) AS lengths
  FROM plays AS p JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date >= b.since
  GROUP BY p.game_id, p.event_date, p.platform, p.country, p.app_version
),
sessions AS (
  SELECT
    game_id, event_date,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    SUM(sessions) AS sessions, SUM(length_ms) / 1000e0 AS playtime_seconds,
    SORT_ARRAY(FLATTEN(COLLECT_LIST(lengths))) AS lengths
  FROM lengths
  GROUP BY game_id, event_date, CUBE (platform, country, app_version)
),
-- The first purchase ever of a player: it counts where it was made, and nowhere else.
firsts AS (
  SELECT
    p.game_id, p.player_id, p.event_date, p.platform, p.country, p.app_version,
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
    MAX(p.first_time) AS first_time
  FROM firsts AS p JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date >= b.since
  GROUP BY p.game_id, p.event_date, p.player_id, CUBE (p.platform, p.country, p.app_version)
),
paid AS (
  SELECT
    game_id, event_date, platform, country, app_version, COUNT(*) AS payers, SUM(first_time) AS first_time_payers
  FROM payers
  GROUP BY game_id, event_date, platform, country, app_version
)
SELECT
  c.event_date, c.game_id, c.platform, c.country, c.app_version,
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
  AND r.country = c.country AND r.app_version = c.app_version
LEFT JOIN sessions AS s ON s.game_id = c.game_id AND s.event_date = c.event_date AND s.platform = c.platform
  AND s.country = c.country AND s.app_version = c.app_version
LEFT JOIN paid AS p ON p.game_id = c.game_id AND p.event_date = c.event_date AND p.platform = c.platform
  AND p.country = c.country AND p.app_version = c.app_version
