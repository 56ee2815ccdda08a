-- Clients choose the names of versions, virtual currencies, design events and game modes, and each name makes rows or
-- measures in every window. A minute of a game keeps the names with the most events of each kind, so names that a client
-- makes up do not displace those in use.
CREATE TEMPORARY VIEW kinds AS
SELECT *, CASE
  WHEN `family` IN ('source', 'sink') THEN 'currency'
  WHEN `family` = 'design' THEN 'design'
  WHEN `family` LIKE 'match\_%' ESCAPE '\' THEN 'mode'
END AS `kind`
FROM minute_sums;

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

-- One limit for each kind: Flink ranks the rows of a window only up to a constant.
CREATE TEMPORARY VIEW named_items AS
SELECT `window_start`, `window_end`, `game_id`, `kind`, `item` FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `window_start`, `window_end`, `game_id`, `kind` ORDER BY `additions` DESC, `item`
  ) AS `place`
  FROM (
    SELECT `window_start`, `window_end`, `game_id`, `kind`, `item`, SUM(`additions`) AS `additions`
    FROM kinds
    WHERE `kind` IS NOT NULL
    GROUP BY `window_start`, `window_end`, `game_id`, `kind`, `item`
  )
)
WHERE `place` <= {items};

-- A minute's sums and ids under these names, from which every longer window and coarser group follows. The rest is the
-- version `other` and the item `*`: the event schemas allow neither name.
CREATE TEMPORARY VIEW minute_amounts AS
SELECT
  s.`minute`, s.`game_id`, s.`platform`,
  CASE WHEN v.`app_version` IS NULL THEN 'other' ELSE s.`app_version` END AS `app_version`, s.`family`,
  CASE WHEN s.`kind` IS NOT NULL AND n.`item` IS NULL THEN '*' ELSE s.`item` END AS `item`, s.`amount`
FROM kinds AS s
LEFT JOIN named_versions AS v
  ON s.`window_start` = v.`window_start` AND s.`window_end` = v.`window_end`
    AND s.`game_id` = v.`game_id` AND s.`app_version` = v.`app_version`
LEFT JOIN named_items AS n
  ON s.`window_start` = n.`window_start` AND s.`window_end` = n.`window_end`
    AND s.`game_id` = n.`game_id` AND s.`kind` = n.`kind` AND s.`item` = n.`item`;

CREATE TEMPORARY VIEW named_ids AS
SELECT
  i.`minute`, i.`game_id`, i.`platform`,
  CASE WHEN v.`app_version` IS NULL THEN 'other' ELSE i.`app_version` END AS `app_version`, i.`item`, i.`id`
FROM minute_ids AS i
LEFT JOIN named_versions AS v
  ON i.`window_start` = v.`window_start` AND i.`window_end` = v.`window_end`
    AND i.`game_id` = v.`game_id` AND i.`app_version` = v.`app_version`;
