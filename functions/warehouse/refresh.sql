-- Turns what the streaming view received since the last refresh into facts, in one transaction. A refresh can be
-- repeated; of two at the same time, the second waits at the lock.
LOCK warehouse.progress;

UPDATE warehouse.progress SET
  loaded_from = loaded_to,
  loaded_to = COALESCE((SELECT MAX(refresh_time) FROM staging.enriched_events), loaded_to);

INSERT INTO warehouse.unreadable_records
SELECT s.shard_id, s.sequence_number, s.arrived_at
FROM staging.enriched_events AS s
JOIN warehouse.progress AS p ON s.refresh_time BETWEEN p.loaded_from AND p.loaded_to
LEFT JOIN warehouse.unreadable_records AS u ON u.shard_id = s.shard_id AND u.sequence_number = s.sequence_number
WHERE (s.event.event_id IS NULL OR s.event.game_id IS NULL) AND u.shard_id IS NULL;

-- The last refresh of the view that was loaded is read again; events that the facts already hold are left out.
CREATE TEMP TABLE arrivals DISTKEY (player_id) AS
WITH received AS (
  SELECT
    s.event.event_id::VARCHAR(256) AS event_id,
    s.event.event_type::VARCHAR(256) AS event_type,
    s.event.schema_version::VARCHAR(256) AS schema_version,
    s.event.game_id::VARCHAR(256) AS game_id,
    s.event.player_id::VARCHAR(256) AS player_id,
    s.event.session_id::VARCHAR(256) AS session_id,
    s.event.sequence::BIGINT AS sequence,
    s.event.event_time::VARCHAR(64)::TIMESTAMPTZ AS event_time,
    s.event.sent_at::VARCHAR(64)::TIMESTAMPTZ AS sent_at,
    s.event.client AS client,
    s.event.privacy AS privacy,
    s.event.dimensions AS dimensions,
    s.event.payload AS payload,
    s.event.received_at::VARCHAR(64)::TIMESTAMPTZ AS received_at,
    s.event.processed_at::VARCHAR(64)::TIMESTAMPTZ AS processed_at,
    s.event.corrected_time::VARCHAR(64)::TIMESTAMPTZ AS corrected_time,
    s.event.event_date::VARCHAR(10)::DATE AS event_date,
    s.event.country::VARCHAR(256) AS country,
    s.event.platform::VARCHAR(44) AS platform,
    s.event.app_version::VARCHAR(392) AS app_version,
    s.event.ingest_source::VARCHAR(24) AS ingest_source,
    s.event.schema_id::VARCHAR(320) AS schema_id,
    s.event.late::BOOLEAN AS late,
    s.event.skewed::BOOLEAN AS skewed,
    s.event.bot::BOOLEAN AS bot,
    s.event.masked::BOOLEAN AS masked,
    s.event.verified::BOOLEAN AS verified,
    s.event.custom_1::VARCHAR(256) AS custom_1,
    s.event.install_1::VARCHAR(256) AS install_1,
    s.event.custom_2::VARCHAR(256) AS custom_2,
    s.event.install_2::VARCHAR(256) AS install_2,
    s.arrived_at,
    s.sequence_number
  FROM staging.enriched_events AS s
  JOIN warehouse.progress AS p ON s.refresh_time BETWEEN p.loaded_from AND p.loaded_to
  WHERE s.event.event_id IS NOT NULL AND s.event.game_id IS NOT NULL
),
numbered AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, event_id ORDER BY arrived_at, sequence_number) AS nth FROM received
)
SELECT
  n.event_id, n.event_type, n.schema_version, n.game_id, n.player_id, n.session_id, n.sequence, n.event_time, n.sent_at,
  n.client, n.privacy, n.dimensions, n.payload, n.received_at, n.processed_at, n.corrected_time, n.event_date, n.country,
  n.platform, n.app_version, n.ingest_source, n.schema_id, n.late, n.skewed, n.bot, n.masked, n.verified,
  n.custom_1, n.install_1, n.custom_2, n.install_2
FROM numbered AS n
LEFT JOIN warehouse.fact_events AS f ON f.game_id = n.game_id AND f.event_id = n.event_id
WHERE n.nth = 1 AND f.event_id IS NULL;

INSERT INTO warehouse.fact_events SELECT * FROM arrivals;

INSERT INTO warehouse.dim_game SELECT DISTINCT a.game_id, CAST(NULL AS DATE) AS last_arrival_date
FROM arrivals AS a LEFT JOIN warehouse.dim_game AS g ON g.game_id = a.game_id
WHERE g.game_id IS NULL;

UPDATE warehouse.dim_game SET last_arrival_date = GREATEST(dim_game.last_arrival_date, a.arrival_date)
FROM (SELECT game_id, MAX(CAST(received_at AS DATE)) AS arrival_date FROM arrivals GROUP BY game_id) AS a
WHERE dim_game.game_id = a.game_id;

CREATE TEMP TABLE bought DISTKEY (player_id) AS
SELECT
  a.game_id, a.payload.store::VARCHAR(256) AS store, a.payload.transaction_id::VARCHAR(256) AS transaction_id,
  a.player_id, a.event_id, a.corrected_time, a.event_date, COALESCE(a.platform, 'unknown') AS platform,
  COALESCE(a.country, 'unknown') AS country, COALESCE(a.app_version, 'unknown') AS app_version,
  a.payload.currency::VARCHAR(256) AS currency, a.payload.amount_minor::BIGINT AS amount_minor,
  COALESCE(a.payload.purchase_kind::VARCHAR(256), 'one_off') AS purchase_kind,
  COALESCE(a.payload.sandbox::BOOLEAN, FALSE) AS sandbox, a.payload.tax_minor::BIGINT AS tax_minor,
  a.payload.store_fee_minor::BIGINT AS store_fee_minor
FROM arrivals AS a
WHERE a.event_type = 'purchase';

DELETE FROM warehouse.fact_purchases USING bought AS b
WHERE fact_purchases.game_id = b.game_id AND fact_purchases.store = b.store
  AND fact_purchases.transaction_id = b.transaction_id
  AND (b.corrected_time < fact_purchases.corrected_time
    OR b.corrected_time = fact_purchases.corrected_time AND b.event_id < fact_purchases.event_id);

INSERT INTO warehouse.fact_purchases
SELECT
  n.game_id, n.store, n.transaction_id, n.player_id, n.event_id, n.corrected_time, n.event_date, n.platform, n.country,
  n.app_version, n.currency, n.amount_minor, n.purchase_kind, n.sandbox, n.tax_minor, n.store_fee_minor
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY game_id, store, transaction_id ORDER BY corrected_time, event_id
  ) AS nth FROM bought
) AS n
LEFT JOIN warehouse.fact_purchases AS p
  ON p.game_id = n.game_id AND p.store = n.store AND p.transaction_id = n.transaction_id
WHERE n.nth = 1 AND p.event_id IS NULL;

DROP TABLE bought;

CREATE TEMP TABLE returned DISTKEY (player_id) AS
SELECT
  a.game_id, a.payload.store::VARCHAR(256) AS store, a.payload.transaction_id::VARCHAR(256) AS transaction_id,
  a.payload.refund_id::VARCHAR(256) AS refund_id, a.player_id, a.event_id, a.corrected_time, a.event_date,
  a.payload.refund_kind::VARCHAR(256) AS refund_kind, a.payload.amount_minor::BIGINT AS amount_minor
FROM arrivals AS a
WHERE a.event_type = 'refund';

DELETE FROM warehouse.fact_refunds USING returned AS b
WHERE fact_refunds.game_id = b.game_id AND fact_refunds.store = b.store
  AND fact_refunds.transaction_id = b.transaction_id AND fact_refunds.refund_id = b.refund_id
  AND (b.corrected_time < fact_refunds.corrected_time
    OR b.corrected_time = fact_refunds.corrected_time AND b.event_id < fact_refunds.event_id);

INSERT INTO warehouse.fact_refunds
SELECT
  n.game_id, n.store, n.transaction_id, n.refund_id, n.player_id, n.event_id, n.corrected_time, n.event_date,
  n.refund_kind, n.amount_minor
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY game_id, store, transaction_id, refund_id ORDER BY corrected_time, event_id
  ) AS nth FROM returned
) AS n
LEFT JOIN warehouse.fact_refunds AS r ON r.game_id = n.game_id AND r.store = n.store
  AND r.transaction_id = n.transaction_id AND r.refund_id = n.refund_id
WHERE n.nth = 1 AND r.event_id IS NULL;

DROP TABLE returned;

-- What players did: a refund is nothing that they do.
DELETE FROM arrivals WHERE event_type = 'refund';

-- Players, transactions and days of activity. A row that an earlier arrival replaces (for a day: a later one) is
-- deleted first, then each key without a row gets one. Redshift plans as if keys were unique, so they are at each step.
DELETE FROM warehouse.dim_player USING arrivals AS a
WHERE dim_player.game_id = a.game_id AND dim_player.player_id = a.player_id
  AND (a.corrected_time < dim_player.first_time
    OR a.corrected_time = dim_player.first_time AND a.event_id < dim_player.first_event_id);

INSERT INTO warehouse.dim_player
SELECT
  n.game_id, n.player_id, n.corrected_time, n.event_id, n.event_date, COALESCE(n.platform, 'unknown'),
  COALESCE(n.country, 'unknown'), COALESCE(n.app_version, 'unknown')
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY game_id, player_id ORDER BY corrected_time, event_id) AS nth FROM arrivals
) AS n
LEFT JOIN warehouse.dim_player AS p ON p.game_id = n.game_id AND p.player_id = n.player_id
WHERE n.nth = 1 AND p.player_id IS NULL;

CREATE TEMP TABLE played DISTKEY (player_id) AS
SELECT game_id, player_id, event_date, platform, country, app_version, corrected_time, event_id
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY game_id, player_id, event_date, platform, country, app_version
    ORDER BY corrected_time DESC, event_id DESC
  ) AS nth
  FROM (
    SELECT
      game_id, player_id, event_date, COALESCE(platform, 'unknown') AS platform,
      COALESCE(country, 'unknown') AS country, COALESCE(app_version, 'unknown') AS app_version, corrected_time, event_id
    FROM arrivals
  ) AS known
) AS numbered
WHERE nth = 1;

DELETE FROM warehouse.fact_activity USING played AS n
WHERE fact_activity.game_id = n.game_id AND fact_activity.player_id = n.player_id
  AND fact_activity.event_date = n.event_date AND fact_activity.platform = n.platform
  AND fact_activity.country = n.country AND fact_activity.app_version = n.app_version
  AND (n.corrected_time > fact_activity.last_time
    OR n.corrected_time = fact_activity.last_time AND n.event_id > fact_activity.last_event_id);

INSERT INTO warehouse.fact_activity
SELECT
  n.game_id, n.player_id, n.event_date, n.platform, n.country, n.app_version, n.corrected_time, n.event_id
FROM played AS n
LEFT JOIN warehouse.fact_activity AS f ON f.game_id = n.game_id AND f.player_id = n.player_id
  AND f.event_date = n.event_date AND f.platform = n.platform AND f.country = n.country
  AND f.app_version = n.app_version
WHERE f.event_date IS NULL;

DROP TABLE played;

INSERT INTO warehouse.fact_economy
SELECT
  a.game_id, a.event_id, a.player_id, a.event_date, COALESCE(a.platform, 'unknown'), COALESCE(a.country, 'unknown'),
  COALESCE(a.app_version, 'unknown'), a.payload.currency::VARCHAR(256), a.payload.flow::VARCHAR(256),
  a.payload.reason::VARCHAR(256), a.payload.amount::BIGINT, a.payload.balance_after::BIGINT
FROM arrivals AS a
WHERE a.event_type = 'economy';

-- A session is a chain of pieces: the known sessions and each new event. A late event can join two chains into one.
CREATE TEMP TABLE pieces DISTKEY (player_id) AS
SELECT
  game_id, player_id, session_id, corrected_time AS started_at, corrected_time AS ended_at, event_id AS first_event_id,
  event_date, COALESCE(platform, 'unknown') AS platform, COALESCE(country, 'unknown') AS country,
  COALESCE(app_version, 'unknown') AS app_version, CAST(1 AS BIGINT) AS events,
  CAST(CASE WHEN event_type = 'purchase' THEN 0 ELSE 1 END AS BIGINT) AS played_events
FROM arrivals
UNION ALL
SELECT
  s.game_id, s.player_id, s.session_id, s.started_at, s.ended_at, s.first_event_id, s.event_date, s.platform, s.country,
  s.app_version, s.events, s.played_events
FROM warehouse.fact_sessions AS s
JOIN (SELECT DISTINCT game_id, player_id, session_id FROM arrivals) AS a
  ON a.game_id = s.game_id AND a.player_id = s.player_id AND a.session_id = s.session_id;

DELETE FROM warehouse.fact_sessions USING arrivals AS a
WHERE fact_sessions.game_id = a.game_id AND fact_sessions.player_id = a.player_id
  AND fact_sessions.session_id = a.session_id;

INSERT INTO warehouse.fact_sessions
WITH ordered AS (
  SELECT *, MAX(ended_at) OVER (
    PARTITION BY game_id, player_id, session_id ORDER BY started_at, first_event_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS ended_before FROM pieces
),
parts AS (
  SELECT *, SUM(
    CASE WHEN DATEDIFF(millisecond, ended_before::TIMESTAMP, started_at::TIMESTAMP) <= 1800000 THEN 0 ELSE 1 END
  ) OVER (
    PARTITION BY game_id, player_id, session_id ORDER BY started_at, first_event_id ROWS UNBOUNDED PRECEDING
  ) AS part FROM ordered
),
numbered AS (
  SELECT *,
    ROW_NUMBER() OVER (PARTITION BY game_id, player_id, session_id, part ORDER BY started_at, first_event_id) AS nth,
    MAX(ended_at) OVER (PARTITION BY game_id, player_id, session_id, part) AS last_time,
    SUM(events) OVER (PARTITION BY game_id, player_id, session_id, part) AS all_events,
    SUM(played_events) OVER (PARTITION BY game_id, player_id, session_id, part) AS all_played
  FROM parts
)
SELECT
  game_id, player_id, session_id, started_at, last_time, first_event_id, event_date, platform, country, app_version,
  CAST(all_events AS BIGINT), CAST(all_played AS BIGINT),
  DATEDIFF(millisecond, started_at::TIMESTAMP, last_time::TIMESTAMP) / 1000::DOUBLE PRECISION
FROM numbered
WHERE nth = 1;

DROP TABLE pieces;

DROP TABLE arrivals;
