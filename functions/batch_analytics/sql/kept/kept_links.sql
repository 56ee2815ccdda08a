-- The first event of each pair of ids that says that a player (a guest) is an account, unless an earlier one of the pair is
-- kept. A kept one that is later stays beside it: the first of all counts.
SELECT n.game_id, n.event_date, n.player_id, n.previous_player_id, n.at_ms, n.event_id
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY previous_player_id, player_id, game_id ORDER BY at_ms, event_id
  ) AS nth
  FROM events WHERE event_type = 'identify' AND previous_player_id <> player_id
) AS n
LEFT ANTI JOIN old_links AS o ON o.game_id <=> n.game_id AND o.player_id <=> n.player_id
  AND o.previous_player_id <=> n.previous_player_id
  AND (o.at_ms < n.at_ms OR o.at_ms = n.at_ms AND o.event_id < n.event_id)
WHERE n.nth = 1
