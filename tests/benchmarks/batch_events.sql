-- Enriched events as bronze holds them, of skewed players: number 0 sends a twentieth of all.
COPY (
  WITH drawn AS (
    SELECT i, random() AS who, random() AS kind, random() AS share,
      CAST(CASE WHEN random() < 0.05 THEN 0 ELSE floor(pow(random(), 3) * {players}) END AS BIGINT) AS player
    FROM range({first}, {last}) AS numbers (i)
  ),
  placed AS (
    SELECT *, TIMESTAMP '{now}' - INTERVAL (CAST(1 + share * {span} + {age} AS BIGINT)) SECOND AS moment FROM drawn
  )
  SELECT
    uuid() AS event_id, 'game-' || player % 5 AS game_id, 'p-' || player AS player_id, '1-0-0' AS schema_version,
    's-' || player || '-' || strftime(moment, '%Y-%m-%d') AS session_id,
    CASE
      WHEN kind < 0.3 THEN 'session_heartbeat' WHEN kind < 0.5 THEN 'economy' WHEN kind < 0.7 THEN 'progression'
      WHEN kind < 0.8 THEN 'performance' WHEN kind < 0.82 THEN 'purchase' ELSE 'score_submitted'
    END AS event_type,
    i % 100 AS sequence, strftime(moment, '%Y-%m-%dT%H:%M:%S.000Z') AS corrected_time,
    corrected_time AS event_time, corrected_time AS sent_at, strftime(moment, '%Y-%m-%d') AS event_date,
    '{arrived}' AS received_at, '{arrived}' AS processed_at,
    CASE WHEN player % 3 = 0 THEN 'ios' ELSE 'android' END AS platform,
    ['DE', 'US', 'JP', 'BR'][1 + player % 4] AS country, '1.' || player % 2 || '.0' AS app_version,
    false AS late, false AS skewed, false AS bot, false AS masked,
    {{
      flow: CASE WHEN who < 0.5 THEN 'source' ELSE 'sink' END, reason: 'quest',
      currency: CASE WHEN kind < 0.5 THEN 'gold' ELSE 'EUR' END,
      amount: 1 + CAST(who * 100 AS BIGINT), balance_after: CAST(who * 1000 AS BIGINT),
      status: 'complete', level_1: 'w' || CAST(who * 5 AS BIGINT), fps: 30 + who * 60,
      store: 'web', transaction_id: CAST(i AS VARCHAR), amount_minor: 99 + CAST(who * 900 AS BIGINT)
    }} AS payload
  FROM placed
) TO '{path}' (FORMAT json, COMPRESSION gzip)
