-- The first source and the first campaign that a day of a player tells. Days after the player's known first day tell
-- nothing: an acquisition is what the first day says.
SELECT n.game_id, n.event_date, n.player_id, n.at_ms, n.event_id, n.kind, n.value
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY player_id, kind, game_id, event_date ORDER BY at_ms, event_id) AS nth
  FROM (
    SELECT
      e.game_id, e.event_date, e.player_id, e.at_ms, e.event_id, k.kind,
      CASE k.kind WHEN 'source' THEN e.install_source ELSE e.campaign END AS value
    FROM events AS e CROSS JOIN (SELECT * FROM VALUES ('source'), ('campaign') AS kinds (kind)) AS k
  ) AS each_one
  WHERE value IS NOT NULL
) AS n
LEFT ANTI JOIN old_players AS o ON o.game_id <=> n.game_id AND o.player_id <=> n.player_id
  AND o.first_date < n.event_date
WHERE n.nth = 1
