-- The first exposure of each player to an experiment, unless an earlier one is kept. A kept one that is later stays beside
-- it: gold takes the first of both.
SELECT n.game_id, n.event_date, n.player_id, n.experiment, n.variant, n.at_ms, n.event_id
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY player_id, experiment, game_id ORDER BY at_ms, event_id) AS nth
  FROM events WHERE event_type = 'experiment_exposure'
) AS n
LEFT ANTI JOIN old_exposures AS o ON o.game_id <=> n.game_id AND o.player_id <=> n.player_id
  AND o.experiment <=> n.experiment AND (o.at_ms < n.at_ms OR o.at_ms = n.at_ms AND o.event_id < n.event_id)
WHERE n.nth = 1
