-- Each event once, with the columns of event-schemas/generated/events.redshift.sql. Queries count players, so DISTKEY
-- puts a player's facts on one node; they ask for a game and some days, so SORTKEY orders by both.
CREATE TABLE warehouse.fact_events (
  event_id VARCHAR(256) NOT NULL,
  event_type VARCHAR(256) NOT NULL,
  schema_version VARCHAR(256) NOT NULL,
  game_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  session_id VARCHAR(256) NOT NULL,
  sequence BIGINT NOT NULL,
  event_time TIMESTAMPTZ NOT NULL,
  sent_at TIMESTAMPTZ NOT NULL,
  client SUPER NOT NULL,
  privacy SUPER,
  dimensions SUPER,
  payload SUPER NOT NULL,
  received_at TIMESTAMPTZ NOT NULL,
  processed_at TIMESTAMPTZ NOT NULL,
  corrected_time TIMESTAMPTZ NOT NULL,
  event_date DATE NOT NULL,
  country VARCHAR(256),
  platform VARCHAR(44) NOT NULL,
  app_version VARCHAR(392) NOT NULL,
  ingest_source VARCHAR(24) NOT NULL,
  schema_id VARCHAR(320) NOT NULL,
  late BOOLEAN NOT NULL,
  skewed BOOLEAN NOT NULL,
  bot BOOLEAN NOT NULL,
  masked BOOLEAN NOT NULL,
  verified BOOLEAN NOT NULL,
  custom_1 VARCHAR(256),
  install_1 VARCHAR(256),
  custom_2 VARCHAR(256),
  install_2 VARCHAR(256),
  PRIMARY KEY (game_id, event_id)
)
DISTKEY (player_id)
SORTKEY (game_id, event_date);

-- A player on a day, one row for each platform, country and version; last_* belong to the last event of the row.
CREATE TABLE warehouse.fact_activity (
  game_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  event_date DATE NOT NULL,
  platform VARCHAR(44) NOT NULL,
  country VARCHAR(256) NOT NULL,
  app_version VARCHAR(392) NOT NULL,
  last_time TIMESTAMPTZ NOT NULL,
  last_event_id VARCHAR(256) NOT NULL,
  PRIMARY KEY (game_id, player_id, event_date, platform, country, app_version)
)
DISTKEY (player_id)
SORTKEY (game_id, event_date);

-- Events of one session_id and player with gaps of at most 30 minutes. Platform, country and version are those of the
-- first event. Gold counts a session once an event is not a purchase: played_events > 0.
CREATE TABLE warehouse.fact_sessions (
  game_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  session_id VARCHAR(256) NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ NOT NULL,
  first_event_id VARCHAR(256) NOT NULL,
  event_date DATE NOT NULL,
  platform VARCHAR(44) NOT NULL,
  country VARCHAR(256) NOT NULL,
  app_version VARCHAR(392) NOT NULL,
  events BIGINT NOT NULL,
  played_events BIGINT NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (game_id, first_event_id)
)
DISTKEY (player_id)
SORTKEY (game_id, event_date);

-- One row for each store and transaction_id: the earliest event. Revenue are those with NOT sandbox and a purchase_kind
-- other than trial.
CREATE TABLE warehouse.fact_purchases (
  game_id VARCHAR(256) NOT NULL,
  store VARCHAR(256) NOT NULL,
  transaction_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  event_id VARCHAR(256) NOT NULL,
  corrected_time TIMESTAMPTZ NOT NULL,
  event_date DATE NOT NULL,
  platform VARCHAR(44) NOT NULL,
  country VARCHAR(256) NOT NULL,
  app_version VARCHAR(392) NOT NULL,
  currency VARCHAR(256) NOT NULL,
  amount_minor BIGINT NOT NULL,
  purchase_kind VARCHAR(256) NOT NULL,
  sandbox BOOLEAN NOT NULL,
  tax_minor BIGINT,
  store_fee_minor BIGINT,
  PRIMARY KEY (game_id, store, transaction_id)
)
DISTKEY (player_id)
SORTKEY (game_id, event_date);

-- One row for each refund of a transaction: the earliest event. Without an amount it returns the rest of the transaction.
-- gold.revenue says what refunds pay back: of a transaction at most its amount.
CREATE TABLE warehouse.fact_refunds (
  game_id VARCHAR(256) NOT NULL,
  store VARCHAR(256) NOT NULL,
  transaction_id VARCHAR(256) NOT NULL,
  refund_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  event_id VARCHAR(256) NOT NULL,
  corrected_time TIMESTAMPTZ NOT NULL,
  event_date DATE NOT NULL,
  refund_kind VARCHAR(256) NOT NULL,
  amount_minor BIGINT,
  PRIMARY KEY (game_id, store, transaction_id, refund_id)
)
DISTKEY (player_id)
SORTKEY (game_id, event_date);

CREATE TABLE warehouse.fact_economy (
  game_id VARCHAR(256) NOT NULL,
  event_id VARCHAR(256) NOT NULL,
  player_id VARCHAR(256) NOT NULL,
  event_date DATE NOT NULL,
  platform VARCHAR(44) NOT NULL,
  country VARCHAR(256) NOT NULL,
  app_version VARCHAR(392) NOT NULL,
  currency VARCHAR(256) NOT NULL,
  flow VARCHAR(256) NOT NULL,
  reason VARCHAR(256) NOT NULL,
  amount BIGINT NOT NULL,
  balance_after BIGINT,
  PRIMARY KEY (game_id, event_id)
)
DISTKEY (player_id)
SORTKEY (game_id, event_date);

-- Records of the stream that are not events. They are few, so their distribution does not matter.
CREATE TABLE warehouse.unreadable_records (
  shard_id VARCHAR(256) NOT NULL,
  sequence_number VARCHAR(256) NOT NULL,
  arrived_at TIMESTAMP NOT NULL,
  PRIMARY KEY (shard_id, sequence_number)
)
DISTSTYLE EVEN;
