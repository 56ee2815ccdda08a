-- The currencies in which purchases of a game are sent: each has a row in revenue and lifetime value, zeros included.
SELECT DISTINCT game_id, currency FROM events WHERE event_type = 'purchase'
