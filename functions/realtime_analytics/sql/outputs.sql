INSERT INTO metrics
SELECT
  `window`, `game_id`, `platform`, `app_version`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd') || 'T' || DATE_FORMAT(`window_start`, 'HH:mm:ss') || 'Z',
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd') || 'T' || DATE_FORMAT(`window_end`, 'HH:mm:ss') || 'Z',
  `measures`
FROM (
  SELECT * FROM minute_windows UNION ALL SELECT * FROM five_minute_windows UNION ALL SELECT * FROM dropped_windows
);

INSERT INTO raised
SELECT
  'alert', `game_id`, `alert`, `subject`, `observed`, `reference`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd') || 'T' || DATE_FORMAT(`window_end`, 'HH:mm:ss') || 'Z'
FROM alerts;
