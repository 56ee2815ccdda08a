-- The measures of each window of {size} and group; * is all. (The planner pushes a filter on a mere
-- COALESCE(`platform`, '*') below the grouping sets and loses rows, hence GROUPING.)
CREATE TEMPORARY VIEW {name}_measures AS
SELECT * FROM (
  SELECT
    `window_start`, `window_end`, `window_time`, `game_id`,
    COALESCE(CASE GROUPING(`platform`) WHEN 0 THEN `platform` END, '*') AS `platform`,
    COALESCE(CASE GROUPING(`app_version`) WHEN 0 THEN `app_version` END, '*') AS `app_version`,
    `family`, `item`, SUM(`amount`) AS `amount`
  FROM TABLE({window}(TABLE minute_amounts, DESCRIPTOR(`minute`), {size}))
  GROUP BY `window_start`, `window_end`, `window_time`, `game_id`, `family`, `item`,
    GROUPING SETS ((), (`platform`), (`app_version`), (`platform`, `app_version`))
)
UNION ALL
SELECT * FROM (
  SELECT
    `window_start`, `window_end`, `window_time`, `game_id`,
    COALESCE(CASE GROUPING(`platform`) WHEN 0 THEN `platform` END, '*') AS `platform`,
    COALESCE(CASE GROUPING(`app_version`) WHEN 0 THEN `app_version` END, '*') AS `app_version`,
    'unique' AS `family`, `item`, COUNT(DISTINCT `id`) AS `amount`
  FROM TABLE({window}(TABLE named_ids, DESCRIPTOR(`minute`), {size}))
  GROUP BY `window_start`, `window_end`, `window_time`, `game_id`, `item`,
    GROUPING SETS ((), (`platform`), (`app_version`), (`platform`, `app_version`))
);

-- One row a window and group. `measures` is a JSON object of whole numbers by family.item.
CREATE TEMPORARY VIEW {name}_windows AS
SELECT
  '{label}' AS `window`, `window_start`, `window_end`, `game_id`, `platform`, `app_version`,
  JSON_OBJECTAGG(KEY `family` || '.' || `item` VALUE `amount`) AS `measures`
FROM ({measures})
GROUP BY `window_start`, `window_end`, `game_id`, `platform`, `app_version`;
