-- The currencies in which purchases and ad revenue of a game are sent: each has a row in every table of money, zeros included.
SELECT DISTINCT game_id, currency FROM events
WHERE event_type = 'purchase' OR event_type = 'ad_impression' AND currency IS NOT NULL
