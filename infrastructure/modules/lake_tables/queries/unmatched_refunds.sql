-- Which refunds of the last 90 days name a transaction that no event reported as a purchase: no figure of money has them.
SELECT
  r.event_date,
  r.store,
  r.transaction_id,
  r.refund_id,
  r.refund_kind,
  r.amount_minor
FROM kept_refunds AS r
LEFT JOIN kept_purchases AS p
  ON p.game_id = r.game_id AND p.store = r.store AND p.transaction_id = r.transaction_id
WHERE r.game_id = ?
  AND r.event_date >= current_date - INTERVAL '90' DAY
  AND p.transaction_id IS NULL
ORDER BY r.event_date DESC, r.store, r.transaction_id, r.refund_id
