-- Clients choose the names of versions and virtual currencies, and each name makes rows or measures in every window. A
-- minute of a game keeps the names with the most events, so names that a client makes up do not displace those in use.
CREATE TEMPORARY VIEW named_versions AS
SELECT `window_start`, `window_end`, `game_id`, `app_version` FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `window_start`, `window_end`, `game_id` ORDER BY `additions` DESC, `app_version`
  ) AS `place`
  FROM (
    SELECT `window_start`, `window_end`, `game_id`, `app_version`, SUM(`additions`) AS `additions`
    FROM minute_sums
    WHERE `family` = 'events'
    GROUP BY `window_start`, `window_end`, `game_id`, `app_version`
  )
)
WHERE `place` <= {versions};

CREATE TEMPORARY VIEW named_currencies AS
SELECT `window_start`, `window_end`, `game_id`, `item` FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `window_start`, `window_end`, `game_id` ORDER BY `additions` DESC, `item`
  ) AS `place`
  FROM (
    SELECT `window_start`, `window_end`, `game_id`, `item`, SUM(`additions`) AS `additions`
    FROM minute_sums
    WHERE `family` IN ('source', 'sink')
    GROUP BY `window_start`, `window_end`, `game_id`, `item`
  )
)
WHERE `place` <= {currencies};

-- A minute's sums and ids under these names, from which every longer window and coarser group follows. The rest is the
-- version `other` and the currency `*`: the event schemas allow neither name.
CREATE TEMPORARY VIEW minute_amounts AS
SELECT
  s.`minute`, s.`game_id`, s.`platform`,
  CASE WHEN v.`app_version` IS NULL THEN 'other' ELSE s.`app_version` END AS `app_version`, s.`family`,
  CASE WHEN s.`family` IN ('source', 'sink') AND c.`item` IS NULL THEN '*' ELSE s.`item` END AS `item`, s.`amount`
FROM minute_sums AS s
LEFT JOIN named_versions AS v
  ON s.`window_start` = v.`window_start` AND s.`window_end` = v.`window_end`
    AND s.`game_id` = v.`game_id` AND s.`app_version` = v.`app_version`
LEFT JOIN named_currencies AS c
  ON s.`window_start` = c.`window_start` AND s.`window_end` = c.`window_end`
    AND s.`game_id` = c.`game_id` AND s.`item` = c.`item`;

CREATE TEMPORARY VIEW named_ids AS
SELECT
  i.`minute`, i.`game_id`, i.`platform`,
  CASE WHEN v.`app_version` IS NULL THEN 'other' ELSE i.`app_version` END AS `app_version`, i.`item`, i.`id`
FROM minute_ids AS i
LEFT JOIN named_versions AS v
  ON i.`window_start` = v.`window_start` AND i.`window_end` = v.`window_end`
    AND i.`game_id` = v.`game_id` AND i.`app_version` = v.`app_version`;
