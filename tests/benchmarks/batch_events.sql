-- Enriched events as bronze holds them: players who stay and players who leave, sessions of minutes with an event every few
-- seconds. Each day {new} players begin, from 60 days before the first day. A tenth of them play most days for three
-- months, the others less each day. {share} of the sessions of the days {first} to {last} are written, of one in 8 players.
-- One in 30 purchases is refunded three hours later.
COPY (
  WITH player_days AS (
    SELECT player, day, hash(player, day, {salt}) AS chance
    FROM (SELECT player, DATE '{begin}' - 60 + CAST(player // {new} AS INT) AS installed FROM range(0, {players}) AS p (player))
    JOIN (SELECT CAST(unnest(generate_series(DATE '{first}', DATE '{last}', INTERVAL 1 DAY)) AS DATE) AS day)
      ON day BETWEEN installed AND installed + 90
    WHERE player % 8 = {part} AND hash(player, day) % 1000 < CASE
      WHEN hash(player) % 10 = 0 OR day = installed THEN 700 ELSE 500 // (1 + day - installed)
    END
  ),
  sessions AS (
    SELECT player, day, n, hash(chance, n) AS chance
    FROM (SELECT *, unnest(range(0, 1 + CAST(chance % 2 AS INT))) AS n FROM player_days)
    WHERE hash(n, chance) % 100000 < 100000 * {share}
  ),
  placed AS (
    SELECT player, day, n, i, hash(chance, i) AS chance,
      day + INTERVAL (CAST(chance % 86400 AS INT)) SECOND + INTERVAL (i * 15 + CAST(hash(i, chance) % 12 AS INT)) SECOND
        AS moment
    FROM (SELECT *, unnest(range(0, 10 + CAST(chance % 41 AS INT))) AS i FROM sessions)
  ),
  done AS (
    SELECT *, (chance % 10000) / 10000.0 AS kind, (chance // 10000 % 10000) / 10000.0 AS who, moment AS paid FROM placed
  ),
  drawn AS (
    SELECT * FROM done
    UNION ALL BY NAME
    SELECT * REPLACE (2 AS kind, moment + INTERVAL 3 HOUR AS moment) FROM done
    WHERE kind BETWEEN 0.8 AND 0.8049 AND chance % 30 = 0
  )
  SELECT
    uuid() AS event_id, 'game-' || player % 5 AS game_id, 'p-' || player AS player_id, '1-0-0' AS schema_version,
    's-' || player || '-' || day || '-' || n || '-' || {salt} AS session_id,
    CASE
      WHEN kind < 0.3 THEN 'session_heartbeat' WHEN kind < 0.5 THEN 'economy' WHEN kind < 0.7 THEN 'progression'
      WHEN kind < 0.8 THEN 'performance' WHEN kind < 0.805 THEN 'purchase' WHEN kind < 0.807 THEN 'crash'
      WHEN kind < 0.82 THEN 'ad_impression' WHEN kind < 0.85 THEN 'design' WHEN kind < 0.88 THEN 'session_start'
      WHEN kind < 0.89 THEN 'tutorial_step' WHEN kind < 0.91 THEN 'match_start' WHEN kind < 0.93 THEN 'match_end'
      WHEN kind < 0.935 THEN 'experiment_exposure' WHEN kind = 2 THEN 'refund'
      ELSE 'score_submitted'
    END AS event_type,
    i AS sequence, strftime(moment, '%Y-%m-%dT%H:%M:%S.000Z') AS corrected_time,
    corrected_time AS event_time, corrected_time AS sent_at, strftime(moment, '%Y-%m-%d') AS event_date,
    '{arrived}' AS received_at, '{arrived}' AS processed_at, 'rest' AS ingest_source, '/event/1-0-0.json' AS schema_id,
    CASE WHEN player % 97 = 0 AND n = 1 THEN 'web' WHEN player % 3 = 0 THEN 'ios' ELSE 'android' END AS platform,
    ['DE', 'US', 'JP', 'BR'][1 + player % 4] AS country, '1.' || month(day) || '.0' AS app_version,
    false AS late, false AS skewed, false AS bot, false AS masked, true AS verified,
    {{platform: 'ios', app_version: '1.0.0'}} AS client,
    {{
      elapsed_seconds: CASE WHEN event_type = 'session_heartbeat' THEN i END,
      score: CASE WHEN event_type = 'score_submitted' THEN i END,
      leaderboard: CASE WHEN event_type = 'score_submitted' THEN 'arena' END,
      signature: CASE WHEN event_type = 'crash' THEN 'abc' END, fatal: CASE WHEN event_type = 'crash' THEN who < 0.8 END,
      flow: CASE WHEN event_type = 'economy' THEN CASE WHEN who < 0.5 THEN 'source' ELSE 'sink' END END,
      reason: CASE WHEN event_type = 'economy' THEN 'quest' END, item: CASE WHEN event_type = 'economy' THEN 'sword' END,
      currency: CASE event_type WHEN 'economy' THEN 'gold' WHEN 'purchase' THEN 'EUR' WHEN 'ad_impression' THEN 'EUR' END,
      amount: CASE WHEN event_type = 'economy' THEN 1 + CAST(who * 100 AS BIGINT) END,
      balance_after: CASE WHEN event_type = 'economy' THEN CAST(who * 1000 AS BIGINT) END,
      status: CASE event_type
        WHEN 'progression' THEN CASE chance % 3 WHEN 0 THEN 'start' WHEN 1 THEN 'complete' ELSE 'fail' END
        WHEN 'tutorial_step' THEN CASE chance % 3 WHEN 0 THEN 'start' WHEN 1 THEN 'complete' ELSE 'skip' END
      END,
      level_1: CASE WHEN event_type = 'progression' THEN 'w' || CAST(who * 5 AS BIGINT) END,
      fps: CASE WHEN event_type = 'performance' THEN 30 + who * 60 END,
      store: CASE WHEN event_type IN ('purchase', 'refund') THEN 'web' END,
      transaction_id: CASE WHEN event_type IN ('purchase', 'refund') THEN 't-' || player || '-' || epoch(paid) || '-' || i END,
      product_id: CASE WHEN event_type = 'purchase' THEN 'gems' END, quantity: CASE WHEN event_type = 'purchase' THEN 1 END,
      amount_minor: CASE WHEN event_type = 'purchase' THEN 99 + CAST(who * 900 AS BIGINT) END,
      purchase_kind: CASE WHEN event_type = 'purchase' THEN
        CASE WHEN who < 0.8 THEN 'one_off' WHEN who < 0.95 THEN 'subscription' ELSE 'trial' END
      END,
      sandbox: CASE WHEN event_type = 'purchase' THEN who BETWEEN 0.5 AND 0.51 END,
      tax_minor: CASE WHEN event_type = 'purchase' THEN 10 + CAST(who * 90 AS BIGINT) END,
      store_fee_minor: CASE WHEN event_type = 'purchase' THEN 15 END,
      refund_id: CASE WHEN event_type = 'refund' THEN 'r-1' END, refund_kind: CASE WHEN event_type = 'refund' THEN 'refund' END,
      network: CASE WHEN event_type = 'ad_impression' THEN 'ads-' || CAST(who * 3 AS BIGINT) END,
      placement: CASE WHEN event_type = 'ad_impression' THEN 'shop' END,
      format: CASE WHEN event_type = 'ad_impression' THEN 'rewarded' END,
      completed: CASE WHEN event_type = 'ad_impression' THEN who < 0.7 END,
      revenue_micros: CASE WHEN event_type = 'ad_impression' THEN CAST(who * 20000 AS BIGINT) END,
      name: CASE WHEN event_type = 'design' THEN 'menu:open:' || CAST(who * 50 AS BIGINT) END,
      value: CASE WHEN event_type = 'design' THEN who * 10 END,
      step: CASE WHEN event_type = 'tutorial_step' THEN 1 + CAST(who * 8 AS BIGINT) END,
      match_id: CASE WHEN event_type IN ('match_start', 'match_end') THEN 'm-' || day || '-' || CAST(who * 1000 AS BIGINT) END,
      mode: CASE WHEN event_type IN ('match_start', 'match_end') THEN 'duel' END,
      result: CASE WHEN event_type = 'match_end' THEN CASE WHEN who < 0.5 THEN 'win' ELSE 'loss' END END,
      duration_seconds: CASE WHEN event_type = 'match_end' THEN CAST(who * 600 AS BIGINT) END,
      queue_seconds: CASE WHEN event_type = 'match_start' THEN CAST(who * 30 AS BIGINT) END,
      install_source: CASE WHEN event_type = 'session_start' THEN CASE WHEN player % 2 = 0 THEN 'organic' ELSE 'ads' END END,
      experiment: CASE WHEN event_type = 'experiment_exposure' THEN 'shop' END,
      variant: CASE WHEN event_type = 'experiment_exposure' THEN CASE WHEN player % 3 = 0 THEN 'new' ELSE 'old' END END
    }} AS payload
  FROM drawn WHERE moment < TIMESTAMP '{last}' + INTERVAL 1 DAY
) TO '{path}' (FORMAT json, COMPRESSION gzip)
