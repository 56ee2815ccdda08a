-- The first event of a player that tells the source, the campaign or the value of a custom dimension. Later days than the
-- player's known first day tell nothing: what counts is what the first day says.
SELECT n.game_id, n.event_date, n.player_id, n.at_ms, n.event_id, n.kind, n.value
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY player_id, kind, game_id ORDER BY at_ms, event_id) AS nth
  FROM (
    SELECT
      e.game_id, e.event_date, e.player_id, e.at_ms, e.event_id, k.kind,
      CASE k.kind
        WHEN 'source' THEN e.install_source WHEN 'campaign' THEN e.campaign
        WHEN 'custom_1' THEN NULLIF(COALESCE(e.custom_1, e.install_1), 'unknown')
        ELSE NULLIF(COALESCE(e.custom_2, e.install_2), 'unknown')
      END AS value
    FROM events AS e CROSS JOIN (
      SELECT * FROM VALUES ('source'), ('campaign'), ('custom_1'), ('custom_2') AS kinds (kind)
    ) AS k
    WHERE e.event_type <> 'refund'
  ) AS each_one
  WHERE value IS NOT NULL
) AS n
LEFT ANTI JOIN old_players AS o ON o.game_id <=> n.game_id AND o.player_id <=> n.player_id
  AND o.first_date < n.event_date
WHERE n.nth = 1
