-- The first event of each tutorial step of a player, the first completion and the first skip, unless an earlier one is
-- kept. A kept one that is later stays beside it: gold takes the first of both.
SELECT
  n.game_id, n.event_date, n.player_id, n.platform, n.country, n.app_version, n.custom_1, n.custom_2,
  n.step, n.outcome, n.at_ms, n.event_id
FROM (
  SELECT
    e.game_id, e.event_date, e.player_id, e.platform, e.country, e.app_version, e.custom_1, e.custom_2, e.step,
    o.outcome, e.at_ms, e.event_id,
    ROW_NUMBER() OVER (PARTITION BY e.player_id, e.step, o.outcome, e.game_id ORDER BY e.at_ms, e.event_id) AS nth
  FROM events AS e CROSS JOIN (
    SELECT * FROM VALUES ('reach'), ('complete'), ('skip') AS outcomes (outcome)
  ) AS o
  WHERE e.event_type = 'tutorial_step' AND o.outcome IN ('reach', e.status)
) AS n
LEFT ANTI JOIN old_steps AS o ON o.game_id <=> n.game_id AND o.player_id <=> n.player_id AND o.step <=> n.step
  AND o.outcome <=> n.outcome AND (o.at_ms < n.at_ms OR o.at_ms = n.at_ms AND o.event_id < n.event_id)
WHERE n.nth = 1
