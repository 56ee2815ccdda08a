-- The purchase that counts of each transaction (a server's first, then the earliest), unless one that goes before it is kept.
-- A kept one that goes after it stays beside it: gold takes the first of both.
SELECT
  n.game_id, n.event_date, n.store, n.transaction_id, n.at_ms, n.event_id, n.player_id, n.platform, n.country,
  n.app_version, n.custom_1, n.custom_2, n.currency, n.amount_minor, COALESCE(n.purchase_kind, 'one_off') AS purchase_kind,
  COALESCE(n.sandbox, FALSE) AS sandbox, n.tax_minor, n.store_fee_minor, n.verified
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY game_id, store, transaction_id ORDER BY verified DESC, at_ms, event_id
  ) AS nth
  FROM events WHERE event_type = 'purchase'
) AS n
LEFT ANTI JOIN old_purchases AS o ON o.game_id <=> n.game_id AND o.store <=> n.store
  AND o.transaction_id <=> n.transaction_id AND (
    o.verified AND NOT n.verified
    OR o.verified = n.verified AND (o.at_ms < n.at_ms OR o.at_ms = n.at_ms AND o.event_id < n.event_id)
  )
WHERE n.nth = 1
