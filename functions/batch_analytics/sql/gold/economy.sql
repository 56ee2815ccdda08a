WITH totals AS (
  SELECT
    event_date, game_id, currency, flow, COALESCE(reason, '*') AS reason,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    '*' AS custom_1, '*' AS custom_2,
    SUM(events) AS economy_events, SUM(amount) AS amount, SORT_ARRAY(FLATTEN(COLLECT_LIST(balances))) AS balances
  FROM moves
  GROUP BY event_date, game_id, currency, flow, CUBE (platform, country, app_version, reason)
  UNION ALL
  SELECT
    event_date, game_id, currency, flow, COALESCE(reason, '*'), '*', '*', '*', custom_1, custom_2,
    SUM(events), SUM(amount), SORT_ARRAY(FLATTEN(COLLECT_LIST(balances)))
  FROM (
    SELECT
      m.event_date, m.game_id, m.currency, m.flow, m.reason, CASE WHEN c.slot = 1 THEN m.custom_1 ELSE '*' END AS custom_1,
      CASE WHEN c.slot = 2 THEN m.custom_2 ELSE '*' END AS custom_2, m.events, m.amount, m.balances
    FROM moves AS m JOIN customs AS c ON c.game_id = m.game_id
  ) AS apart
  GROUP BY event_date, game_id, currency, flow, custom_1, custom_2, ROLLUP (reason)
),
-- Who is in one place only is folded into a number; the others are told apart.
seen AS (
  SELECT *, COUNT(*) OVER (PARTITION BY event_date, game_id, currency, flow, reason, player_id) AS slices FROM (
    SELECT
      event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, currency, flow,
      COALESCE(reason, '*') AS reason
    FROM movers
    GROUP BY event_date, game_id, player_id, platform, country, app_version, custom_1, custom_2, currency, flow,
      ROLLUP (reason)
  ) AS grouped
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, currency, flow, reason,
    CASE WHEN slices > 1 THEN player_id END AS who, COUNT(*) AS players
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, currency, flow, reason,
    CASE WHEN slices > 1 THEN player_id END
),
people AS (
  SELECT
    event_date, game_id, currency, flow, reason,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN players ELSE 0 END) AS players
  FROM folded
  GROUP BY event_date, game_id, currency, flow, reason,
    GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
)
SELECT
  t.event_date, t.game_id, t.platform, t.country, t.app_version, t.custom_1, t.custom_2, t.currency, t.flow, t.reason,
  t.economy_events, p.players, CAST(t.amount AS DECIMAL(38, 0)) AS amount,
  (t.balances[CAST(FLOOR((SIZE(t.balances) - 1) / 2e0) AS INT)] * 1e0
    + t.balances[CAST(CEIL((SIZE(t.balances) - 1) / 2e0) AS INT)]) / 2 AS balance_after_median
FROM totals AS t
JOIN people AS p ON p.event_date = t.event_date AND p.game_id = t.game_id AND p.platform = t.platform
  AND p.country = t.country AND p.app_version = t.app_version AND p.currency = t.currency AND p.flow = t.flow
  AND p.reason = t.reason AND p.custom_1 = t.custom_1 AND p.custom_2 = t.custom_2
