-- The first report of each refund, unless an earlier one of the same refund is kept. A kept one that is later stays beside
-- it: gold takes the first of both.
SELECT
  n.game_id, n.event_date, n.store, n.transaction_id, n.refund_id, n.at_ms, n.event_id, n.player_id, n.refund_kind,
  n.amount_minor
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, store, transaction_id, refund_id ORDER BY at_ms, event_id) AS nth
  FROM events WHERE event_type = 'refund'
) AS n
LEFT ANTI JOIN old_refunds AS o ON o.game_id <=> n.game_id AND o.store <=> n.store
  AND o.transaction_id <=> n.transaction_id AND o.refund_id <=> n.refund_id
  AND (o.at_ms < n.at_ms OR o.at_ms = n.at_ms AND o.event_id < n.event_id)
WHERE n.nth = 1
