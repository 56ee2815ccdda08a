-- All that is published, with its times as text.
CREATE TEMPORARY VIEW published AS
SELECT
  *,
  `game_id` || '#' || `window` || '#' || `platform` || '#' || `app_version` AS `series`,
  DATE_FORMAT(`window_start`, 'yyyy-MM-dd') || 'T' || DATE_FORMAT(`window_start`, 'HH:mm') || ':00Z' AS `starts`,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd') || 'T' || DATE_FORMAT(`window_end`, 'HH:mm') || ':00Z' AS `ends`,
  TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', `window_end`) + {retention_seconds} AS `expires_at`
FROM (
  SELECT * FROM minute_windows UNION ALL SELECT * FROM five_minute_windows UNION ALL SELECT * FROM dropped_windows
);

CREATE TEMPORARY VIEW published_alerts AS
SELECT
  *,
  DATE_FORMAT(`window_end`, 'yyyy-MM-dd') || 'T' || DATE_FORMAT(`window_end`, 'HH:mm') || ':00Z' AS `ends`,
  TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', `window_end`) + {retention_seconds} AS `expires_at`
FROM alerts;

INSERT INTO realtime SELECT `series`, `starts`, `measures`, `expires_at` FROM published;

INSERT INTO metrics SELECT `window`, `game_id`, `platform`, `app_version`, `starts`, `ends`, `measures` FROM published;

INSERT INTO realtime
SELECT
  `game_id` || '#alerts', `ends` || '#' || `alert` || '#' || `subject`,
  JSON_OBJECT('observed' VALUE `observed`, 'reference' VALUE `reference`), `expires_at`
FROM published_alerts;

INSERT INTO raised SELECT 'alert', `game_id`, `alert`, `subject`, `observed`, `reference`, `ends` FROM published_alerts;
