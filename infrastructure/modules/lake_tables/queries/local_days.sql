-- Active players and events of the last 14 days by day of a studio's clock: put its time zone in the place of Asia/Tokyo.
-- The first and the last day are not whole. For hours, group by date_trunc('hour', …) of the same time instead of date(…).
SELECT
  date(at_timezone(with_timezone(corrected_time, 'UTC'), 'Asia/Tokyo')) AS local_day,
  count(DISTINCT player_id) AS active_players,
  count(*) AS events
FROM events
WHERE game_id = ?
  AND event_date >= current_date - INTERVAL '14' DAY
GROUP BY date(at_timezone(with_timezone(corrected_time, 'UTC'), 'Asia/Tokyo'))
ORDER BY local_day
