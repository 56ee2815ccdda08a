-- How many refunds each game has, and how many of them name a transaction that no event reported as a purchase. Gold counts
-- the money of a refund once its purchase is known.
SELECT
  r.game_id, COUNT(*) AS refunds, SUM(CASE WHEN p.transaction_id IS NULL THEN 1 ELSE 0 END) AS unmatched_refunds
FROM (SELECT DISTINCT game_id, store, transaction_id, refund_id FROM every_refund) AS r
LEFT JOIN (SELECT DISTINCT game_id, store, transaction_id FROM every_purchase) AS p
  ON p.game_id = r.game_id AND p.store = r.store AND p.transaction_id = r.transaction_id
GROUP BY r.game_id
