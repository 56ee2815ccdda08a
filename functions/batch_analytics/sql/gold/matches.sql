-- Who is in one place only is folded into a number; the others are told apart. Players of several platforms share a match.
WITH seen AS (
  SELECT *, COUNT(*) OVER (PARTITION BY event_date, game_id, mode, kind, id) AS slices FROM (
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, 'match' AS kind,
      match_id AS id, 0 AS starts, 0 AS ends, 0 AS wins, 0 AS losses, 0 AS draws, 0 AS abandons, 0 AS match_seconds,
      0 AS queued_starts, 0 AS queue_seconds
    FROM entries WHERE starts > 0
    GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, match_id
    UNION ALL
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, mode,
      'entry', CONCAT(player_id, ' ', match_id), 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM entries WHERE starts > 0
    GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, player_id, match_id
    UNION ALL
    SELECT
      event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, 'player', player_id,
      SUM(starts), SUM(ends), SUM(wins), SUM(losses), SUM(draws), SUM(abandons), SUM(match_seconds), SUM(queued_starts),
      SUM(queue_seconds)
    FROM entries GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, player_id
  ) AS things
),
folded AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, kind,
    CASE WHEN slices > 1 THEN id END AS who, COUNT(*) AS number, SUM(starts) AS starts, SUM(ends) AS ends, SUM(wins) AS wins, SUM(losses) AS losses,
    SUM(draws) AS draws, SUM(abandons) AS abandons, SUM(match_seconds) AS match_seconds,
    SUM(queued_starts) AS queued_starts, SUM(queue_seconds) AS queue_seconds
  FROM seen
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, mode, kind,
    CASE WHEN slices > 1 THEN id END
),
totals AS (
  SELECT
    event_date, game_id,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    mode, kind, COUNT(DISTINCT who) + SUM(CASE WHEN who IS NULL THEN number ELSE 0 END) AS number,
    SUM(starts) AS starts, SUM(ends) AS ends, SUM(wins) AS wins, SUM(losses) AS losses, SUM(draws) AS draws,
    SUM(abandons) AS abandons, SUM(match_seconds) AS match_seconds, SUM(queued_starts) AS queued_starts,
    SUM(queue_seconds) AS queue_seconds
  FROM folded
  GROUP BY event_date, game_id, mode, kind, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
counted AS (
  SELECT
    event_date, game_id, platform, country, app_version, custom_1, custom_2, mode,
    SUM(CASE WHEN kind = 'match' THEN number ELSE 0 END) AS matches,
    SUM(CASE WHEN kind = 'player' THEN number ELSE 0 END) AS players,
    SUM(CASE WHEN kind = 'entry' THEN number ELSE 0 END) AS match_entries,
    SUM(starts) AS match_starts, SUM(ends) AS match_ends, SUM(wins) AS wins, SUM(losses) AS losses, SUM(draws) AS draws,
    SUM(abandons) AS abandons, SUM(match_seconds) AS match_seconds, SUM(queued_starts) AS queued_starts,
    SUM(queue_seconds) AS queue_seconds
  FROM totals
  GROUP BY event_date, game_id, platform, country, app_version, custom_1, custom_2, mode
)
SELECT
  event_date, c.game_id, platform, country, app_version, custom_1, custom_2, mode, matches, players, match_entries,
  CASE WHEN matches > 0 THEN match_entries * 1e0 / matches END AS players_per_match,
  match_starts, match_ends, wins, losses, draws, abandons,
  CASE WHEN match_ends > 0 THEN wins * 1e0 / match_ends END AS win_share,
  CASE WHEN match_ends > 0 THEN abandons * 1e0 / match_ends END AS abandon_share,
  match_seconds, CASE WHEN match_ends > 0 THEN match_seconds * 1e0 / match_ends END AS match_seconds_mean,
  queued_starts, queue_seconds,
  CASE WHEN queued_starts > 0 THEN queue_seconds * 1e0 / queued_starts END AS queue_seconds_mean
FROM counted AS c
JOIN bounds AS b ON b.game_id = c.game_id AND (custom_1 = '*' OR slot_1 = 1) AND (custom_2 = '*' OR slot_2 = 1)
