-- The first day with a purchase that a client reported and a server has confirmed since gold was published.
SELECT o.game_id, MIN(o.event_date) AS since
FROM all_purchases AS o
JOIN all_purchases AS n ON n.game_id = o.game_id AND n.store = o.store AND n.transaction_id = o.transaction_id
  AND n.verified AND NOT o.verified
JOIN games AS g ON g.game_id = n.game_id AND n.added_ms > g.published_ms
GROUP BY o.game_id
