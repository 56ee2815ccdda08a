-- The first day whose rows can have changed since gold was published: the day on which a session with a new event began,
-- or the day of a new refund.
SELECT game_id, MIN(since) AS since FROM (
  SELECT begun.game_id, MIN(begun.begun_date) AS since FROM (
    SELECT
      game_id, added_ms, MAX(CASE WHEN begins = 1 THEN event_date END) OVER (
        PARTITION BY player_id, session_id, game_id ORDER BY first_ms, first_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS begun_date
    FROM (
      SELECT
        k.game_id, k.player_id, k.session_id, k.event_date, k.first_ms, k.first_id, k.added_ms,
        CASE WHEN k.first_ms - MAX(k.last_ms) OVER (
          PARTITION BY k.player_id, k.session_id, k.game_id ORDER BY k.first_ms, k.first_id
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) <= 1800000 THEN 0 ELSE 1 END AS begins
      FROM kept_presence AS k
      JOIN (
        SELECT DISTINCT n.player_id, n.session_id, n.game_id
        FROM kept_presence AS n JOIN games AS g ON g.game_id = n.game_id AND n.added_ms > g.published_ms
      ) AS touched ON touched.player_id = k.player_id AND touched.session_id = k.session_id
        AND touched.game_id = k.game_id
    ) AS marked
  ) AS begun
  JOIN games AS g ON g.game_id = begun.game_id AND begun.added_ms > g.published_ms
  GROUP BY begun.game_id
  UNION ALL
  SELECT r.game_id, MIN(r.event_date) FROM kept_refunds AS r
  JOIN games AS g ON g.game_id = r.game_id AND r.added_ms > g.published_ms
  GROUP BY r.game_id
) AS changed
GROUP BY game_id
