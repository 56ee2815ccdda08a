-- The half hours in which a session has events, by day, platform, country, version and current custom dimensions: the first
-- and the last event of each, its crashes and how many events are no purchases. Rows of the same half hour that come on several nights stand beside each other: first, last and
-- sums are the same whichever way events are divided among rows. A pause that ends a session is longer than a half hour,
-- so the events of one row are never of two sessions. A refund is no activity of the player.
SELECT
  game_id, event_date, player_id, session_id, platform, country, app_version, custom_1, custom_2,
  earliest.at_ms AS first_ms, earliest.event_id AS first_id, latest.at_ms AS last_ms, latest.event_id AS last_id, crashes,
  nonfatal_crashes, played
FROM (
  SELECT
    player_id, session_id, event_date, platform, country, app_version, custom_1, custom_2, game_id,
    MIN(STRUCT(at_ms AS at_ms, event_id AS event_id)) AS earliest, MAX(STRUCT(at_ms AS at_ms, event_id AS event_id)) AS latest,
    SUM(CASE WHEN event_type = 'crash' AND fatal THEN 1 ELSE 0 END) AS crashes,
    SUM(CASE WHEN event_type = 'crash' AND NOT fatal THEN 1 ELSE 0 END) AS nonfatal_crashes,
    SUM(CASE WHEN event_type = 'purchase' THEN 0 ELSE 1 END) AS played
  FROM events WHERE event_type <> 'refund'
  GROUP BY player_id, session_id, event_date, platform, country, app_version, custom_1, custom_2, game_id,
    at_ms DIV 1800000
) AS grouped
