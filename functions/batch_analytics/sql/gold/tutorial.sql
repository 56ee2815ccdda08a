-- A player counts once a step, on the day of the first event: days add up. An earlier event may come up to 31 days after
-- a later one, hence more days are kept than are returned.
WITH firsts AS (
  SELECT
    o.game_id, o.event_date, o.player_id, o.platform, o.country, o.app_version,
    COALESCE(o.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(o.custom_2, v.custom_2, 'unknown') AS custom_2,
    o.step, o.outcome, o.at_ms
  FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY player_id, step, outcome, game_id ORDER BY at_ms, event_id) AS nth
    FROM kept_steps
  ) AS o
  LEFT JOIN first_values AS v ON v.game_id = o.game_id AND v.player_id = o.player_id
  WHERE o.nth = 1
),
timed AS (
  SELECT
    f.game_id, f.event_date, f.platform, f.country, f.app_version, f.custom_1, f.custom_2, f.step, f.outcome,
    CASE WHEN f.at_ms - p.at_ms BETWEEN 0 AND 86400000 THEN f.at_ms - p.at_ms END AS wait_ms
  FROM firsts AS f
  JOIN bounds AS b ON b.game_id = f.game_id AND f.event_date >= b.since
  LEFT JOIN firsts AS p ON p.game_id = f.game_id AND p.player_id = f.player_id AND p.step = f.step - 1
    AND p.outcome = 'reach' AND f.outcome = 'reach'
),
counted AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    step, SUM(CASE WHEN outcome = 'reach' THEN 1 ELSE 0 END) AS reached_players,
    SUM(CASE WHEN outcome = 'complete' THEN 1 ELSE 0 END) AS completed_players,
    SUM(CASE WHEN outcome = 'skip' THEN 1 ELSE 0 END) AS skipped_players,
    COUNT(wait_ms) AS timed_players, SUM(COALESCE(wait_ms, 0)) / 1000e0 AS step_seconds,
    SUM(CASE WHEN wait_ms <= 10000 THEN 1 ELSE 0 END) AS within_10_seconds,
    SUM(CASE WHEN wait_ms <= 30000 THEN 1 ELSE 0 END) AS within_30_seconds,
    SUM(CASE WHEN wait_ms <= 60000 THEN 1 ELSE 0 END) AS within_60_seconds,
    SUM(CASE WHEN wait_ms <= 300000 THEN 1 ELSE 0 END) AS within_300_seconds,
    SUM(CASE WHEN wait_ms <= 1800000 THEN 1 ELSE 0 END) AS within_1800_seconds
  FROM timed
  GROUP BY event_date, game_id, step, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, step, reached_players,
  completed_players, skipped_players,
  CASE WHEN reached_players > 0 THEN LEAST(completed_players * 1e0 / reached_players, 1e0) END AS step_completion,
  timed_players, step_seconds, CASE WHEN timed_players > 0 THEN step_seconds / timed_players END AS step_seconds_mean,
  within_10_seconds, within_30_seconds, within_60_seconds, within_300_seconds, within_1800_seconds
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
