-- What every table starts from. The kept tables (../kept) hold what earlier runs and this one made of the events; `bounds`
-- has for each game the day `since` which rows are computed anew, the `floor` since which kept rows are read, and
-- `last_day`, which is over because an event has arrived on a later one. A run that computes everything has a floor and a
-- `since` before all events. CUBE makes eight rows of a player or a place, not of an event.

-- What is known of each player: the first event, the last day before the floor, the first payment before it.
CREATE OR REPLACE TEMPORARY VIEW players AS
SELECT
  game_id, player_id, earliest.event_date AS cohort_date,
  earliest.platform AS platform, earliest.country AS country, earliest.app_version AS app_version,
  latest.event_date AS left_date, latest.platform AS left_platform, latest.country AS left_country,
  latest.app_version AS left_app_version, latest.custom_1 AS left_custom_1, latest.custom_2 AS left_custom_2, paid_date
FROM (
  SELECT
    p.player_id, p.game_id,
    MIN(CASE WHEN p.first_ms IS NOT NULL THEN STRUCT(
      p.first_ms AS at_ms, p.first_id AS event_id, p.first_date AS event_date, p.platform AS platform,
      p.country AS country, p.app_version AS app_version
    ) END) AS earliest,
    MAX(CASE WHEN p.left_date < b.floor THEN STRUCT(
      p.left_date AS event_date, p.left_platform AS platform, p.left_country AS country,
      p.left_app_version AS app_version, p.left_custom_1 AS custom_1, p.left_custom_2 AS custom_2
    ) END) AS latest,
    MIN(p.paid_date) AS paid_date
  FROM kept_players AS p JOIN bounds AS b ON b.game_id = p.game_id
  GROUP BY p.player_id, p.game_id
) AS merged;

-- What the first day of a player tells of the game's custom dimensions. Rows of players without a row count as unknown.
CREATE OR REPLACE TEMPORARY VIEW first_values AS
SELECT
  k.game_id, k.player_id,
  MIN(CASE WHEN v.kind = 'custom_1' THEN STRUCT(
    v.at_ms AS at_ms, v.event_id AS event_id, v.value AS value
  ) END).value AS custom_1,
  MIN(CASE WHEN v.kind = 'custom_2' THEN STRUCT(
    v.at_ms AS at_ms, v.event_id AS event_id, v.value AS value
  ) END).value AS custom_2
FROM players AS k
JOIN kept_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id AND v.event_date = k.cohort_date
GROUP BY k.game_id, k.player_id;

-- The custom dimensions that the events of a game have.
CREATE OR REPLACE TEMPORARY VIEW customs AS
SELECT game_id, 1 AS slot FROM bounds WHERE slot_1 = 1
UNION ALL
SELECT game_id, 2 AS slot FROM bounds WHERE slot_2 = 1;

-- Kept rows of days that change, with the custom dimensions that they count by: the event's own value, else what the
-- player's first day tells.
CREATE OR REPLACE TEMPORARY VIEW present AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.session_id, k.crashes, k.nonfatal_crashes, k.played
FROM touched_presence AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

CREATE OR REPLACE TEMPORARY VIEW attempts AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.level_1, k.level_2, k.level_3, k.starts, k.completes, k.fails
FROM kept_attempts AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

CREATE OR REPLACE TEMPORARY VIEW shown_ads AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.network, k.placement, k.format, k.currency, k.impressions, k.completed_impressions, k.revenue_micros
FROM kept_ads AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

CREATE OR REPLACE TEMPORARY VIEW entries AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.match_id, k.mode, k.starts, k.ends, k.wins, k.losses, k.draws, k.abandons, k.match_seconds, k.queued_starts,
  k.queue_seconds
FROM kept_matches AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

CREATE OR REPLACE TEMPORARY VIEW moves AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.currency, k.flow, k.reason, k.events, k.amount, k.balances
FROM kept_moves AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

CREATE OR REPLACE TEMPORARY VIEW movers AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.currency, k.flow, k.reason
FROM kept_movers AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

CREATE OR REPLACE TEMPORARY VIEW sampled AS
SELECT
  k.game_id, k.event_date, k.player_id, k.platform, k.country, k.app_version,
  COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
  k.measure, k.samples, k.sorted
FROM kept_samples AS k LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id;

-- The players who installed at most 90 days before `since`, with the source, the campaign and the custom dimensions that
-- their first day tells.
CREATE OR REPLACE TEMPORARY VIEW installs AS
SELECT
  k.game_id, k.player_id, k.cohort_date, k.platform, k.country, k.app_version,
  COALESCE(MIN(v.custom_1), 'unknown') AS custom_1, COALESCE(MIN(v.custom_2), 'unknown') AS custom_2,
  COALESCE(MIN(CASE WHEN s.kind = 'source' THEN STRUCT(
    s.at_ms AS at_ms, s.event_id AS event_id, s.value AS value
  ) END).value, 'unknown') AS install_source,
  COALESCE(MIN(CASE WHEN s.kind = 'campaign' THEN STRUCT(
    s.at_ms AS at_ms, s.event_id AS event_id, s.value AS value
  ) END).value, 'unknown') AS campaign
FROM players AS k
JOIN bounds AS b ON b.game_id = k.game_id AND k.cohort_date >= DATE_SUB(b.since, 90)
LEFT JOIN kept_sources AS s ON s.game_id = k.game_id AND s.player_id = k.player_id AND s.event_date = k.cohort_date
LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id
GROUP BY k.game_id, k.player_id, k.cohort_date, k.platform, k.country, k.app_version;

-- The same players once for each custom dimension of their game.
CREATE OR REPLACE TEMPORARY VIEW installs_apart AS
SELECT
  i.game_id, i.player_id, i.cohort_date, CASE WHEN c.slot = 1 THEN i.custom_1 ELSE '*' END AS custom_1,
  CASE WHEN c.slot = 2 THEN i.custom_2 ELSE '*' END AS custom_2, i.install_source, i.campaign
FROM installs AS i JOIN customs AS c ON c.game_id = i.game_id;

-- How many players a cohort has of each source and campaign, and which days of it are computed.
CREATE OR REPLACE TEMPORARY VIEW install_sizes AS
SELECT
  i.game_id, i.cohort_date, i.install_source, i.campaign,
  COALESCE(i.platform, '*') AS platform, COALESCE(i.country, '*') AS country,
  COALESCE(i.app_version, '*') AS app_version, '*' AS custom_1, '*' AS custom_2,
  COUNT(*) AS cohort_players, MIN(DATEDIFF(b.since, i.cohort_date)) AS since_number,
  MIN(DATEDIFF(b.last_day, i.cohort_date)) AS last_number
FROM installs AS i JOIN bounds AS b ON b.game_id = i.game_id
GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, CUBE (i.platform, i.country, i.app_version)
UNION ALL
SELECT
  i.game_id, i.cohort_date, i.install_source, i.campaign, '*', '*', '*', i.custom_1, i.custom_2, COUNT(*),
  MIN(DATEDIFF(b.since, i.cohort_date)), MIN(DATEDIFF(b.last_day, i.cohort_date))
FROM installs_apart AS i JOIN bounds AS b ON b.game_id = i.game_id
GROUP BY i.game_id, i.cohort_date, i.install_source, i.campaign, i.custom_1, i.custom_2;

-- The purchase that counts of each transaction: the first that a server confirmed, else the first one. An earlier
-- purchase may arrive up to 31 days after a later one, so more days are kept than are returned.
-- A sale is what earns money: neither paid in a store's test environment, nor a trial.
CREATE OR REPLACE TEMPORARY VIEW transactions AS
SELECT
  n.game_id, n.player_id, n.event_date, n.at_ms, n.event_id, n.platform, n.country, n.app_version,
  COALESCE(n.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(n.custom_2, v.custom_2, 'unknown') AS custom_2,
  n.currency,
  CAST(n.amount_minor AS DECIMAL(19, 0)) AS amount_minor, n.purchase_kind, n.sandbox,
  CAST(n.tax_minor AS DECIMAL(19, 0)) AS tax_minor, CAST(n.store_fee_minor AS DECIMAL(19, 0)) AS store_fee_minor,
  NOT n.sandbox AND n.purchase_kind <> 'trial' AS sale,
  n.verified
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY game_id, store, transaction_id ORDER BY verified DESC, at_ms, event_id
  ) AS nth
  FROM kept_purchases
) AS n
JOIN bounds AS b ON b.game_id = n.game_id AND n.event_date >= b.floor
LEFT JOIN first_values AS v ON v.game_id = n.game_id AND v.player_id = n.player_id
WHERE n.nth = 1;

CREATE OR REPLACE TEMPORARY VIEW purchases AS
SELECT * FROM transactions WHERE sale;

-- Refunds of sales that are known, whenever they were made. A transaction is paid back at most once: each refund returns
-- what is left by those before it, and the same share of tax and fee. It counts where the purchase was made, on its own
-- day, or on the purchase's where that is later.
CREATE OR REPLACE TEMPORARY VIEW refunds AS
SELECT
  s.game_id, s.player_id, s.event_date, s.platform, s.country, s.app_version,
  COALESCE(s.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(s.custom_2, v.custom_2, 'unknown') AS custom_2,
  s.currency, s.refund_kind, upto - before AS amount_minor,
  CAST(
    FLOOR(tax_minor * 1e0 * upto / paid + 0.5e0) - FLOOR(tax_minor * 1e0 * before / paid + 0.5e0) AS DECIMAL(19, 0)
  ) AS tax_minor,
  CAST(
    FLOOR(store_fee_minor * 1e0 * upto / paid + 0.5e0) - FLOOR(store_fee_minor * 1e0 * before / paid + 0.5e0)
    AS DECIMAL(19, 0)
  ) AS store_fee_minor
FROM (
  SELECT *, COALESCE(LAG(upto) OVER (
    PARTITION BY game_id, store, transaction_id ORDER BY at_ms, event_id
  ), CAST(0 AS DECIMAL(19, 0))) AS before
  FROM (
    SELECT
      r.game_id, r.store, r.transaction_id, r.at_ms, r.event_id, r.refund_kind, p.player_id,
      GREATEST(r.event_date, p.event_date) AS event_date, p.platform, p.country, p.app_version, p.custom_1,
      p.custom_2, p.currency,
      CAST(p.amount_minor AS DECIMAL(19, 0)) AS paid, COALESCE(p.tax_minor, 0) AS tax_minor,
      COALESCE(p.store_fee_minor, 0) AS store_fee_minor,
      CAST(LEAST(CAST(p.amount_minor AS DECIMAL(38, 0)), SUM(
        CAST(COALESCE(r.amount_minor, p.amount_minor) AS DECIMAL(19, 0))
      ) OVER (
        PARTITION BY r.game_id, r.store, r.transaction_id ORDER BY r.at_ms, r.event_id
      )) AS DECIMAL(19, 0)) AS upto
    FROM (
      SELECT *, ROW_NUMBER() OVER (
        PARTITION BY game_id, store, transaction_id, refund_id ORDER BY at_ms, event_id
      ) AS nth FROM kept_refunds
    ) AS r
    JOIN (
      SELECT a.*, ROW_NUMBER() OVER (
        PARTITION BY a.game_id, a.store, a.transaction_id ORDER BY a.verified DESC, a.at_ms, a.event_id
      ) AS nth
      FROM all_purchases AS a
      JOIN (SELECT DISTINCT game_id, store, transaction_id FROM kept_refunds) AS k
        ON k.game_id = a.game_id AND k.store = a.store AND k.transaction_id = a.transaction_id
    ) AS p ON p.game_id = r.game_id AND p.store = r.store AND p.transaction_id = r.transaction_id
    WHERE r.nth = 1 AND p.nth = 1 AND NOT p.sandbox AND p.purchase_kind <> 'trial'
  ) AS summed
) AS s
LEFT JOIN first_values AS v ON v.game_id = s.game_id AND v.player_id = s.player_id
WHERE upto > before;

-- The currencies of a game, and how many millionths of its unit a currency's minor unit is (telemetry.money).
CREATE OR REPLACE TEMPORARY VIEW currencies AS
SELECT game_id, currency, CAST(CASE
  WHEN currency IN (
    'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
  ) THEN 1000000
  WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 ELSE 10000
END AS DECIMAL(8, 0)) AS micros_of_minor
FROM (SELECT DISTINCT game_id, currency FROM kept_currencies) AS each_currency;

-- Sessions: a pause of more than half an hour ends one, and the same session_id goes on as another. Purchases alone are no
-- session, because a server sends them. before_ms is the last event of what began before, whole_ms the last one of all;
-- before_played and whole_played count events that are no purchases in the same way.
CREATE OR REPLACE TEMPORARY VIEW plays AS
SELECT
  f.game_id, f.player_id, f.event_date, f.platform, f.country, f.app_version, f.length_ms,
  COALESCE(f.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(f.custom_2, v.custom_2, 'unknown') AS custom_2
FROM (
  SELECT
    game_id, player_id, event_date, platform, country, app_version, custom_1, custom_2,
    COALESCE(LEAD(before_ms) OVER w, whole_ms) - first_ms AS length_ms,
    COALESCE(LEAD(before_played) OVER w, whole_played) - COALESCE(before_played, 0) AS played
  FROM (
    SELECT
      game_id, player_id, session_id, event_date, platform, country, app_version, custom_1, custom_2, first_ms,
      first_id,
      MAX(last_ms) OVER (
        PARTITION BY player_id, session_id, game_id ORDER BY first_ms, first_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS before_ms,
      MAX(last_ms) OVER (PARTITION BY player_id, session_id, game_id) AS whole_ms,
      SUM(played) OVER (
        PARTITION BY player_id, session_id, game_id ORDER BY first_ms, first_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS before_played,
      SUM(played) OVER (PARTITION BY player_id, session_id, game_id) AS whole_played
    FROM kept_presence
  ) AS ordered
  WHERE before_ms IS NULL OR first_ms - before_ms > 1800000
  WINDOW w AS (PARTITION BY player_id, session_id, game_id ORDER BY first_ms, first_id)
) AS f
LEFT JOIN first_values AS v ON v.game_id = f.game_id AND v.player_id = f.player_id
WHERE played > 0;

-- A player's days, each with the platform, country, version and custom dimensions of its last event. Of the days before the
-- floor only the last one of a player is there. own_1 and own_2 are what the event itself says.
CREATE OR REPLACE TEMPORARY VIEW days AS
SELECT
  d.game_id, d.player_id, d.event_date, d.platform, d.country, d.app_version, d.custom_1 AS own_1, d.custom_2 AS own_2,
  COALESCE(d.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(d.custom_2, v.custom_2, 'unknown') AS custom_2,
  LAG(d.event_date) OVER (PARTITION BY d.player_id, d.game_id ORDER BY d.event_date) AS previous_date,
  LEAD(d.event_date) OVER (PARTITION BY d.player_id, d.game_id ORDER BY d.event_date) AS next_date
FROM (
  SELECT
    game_id, player_id, event_date, latest.platform AS platform, latest.country AS country,
    latest.app_version AS app_version, latest.custom_1 AS custom_1, latest.custom_2 AS custom_2
  FROM (
    SELECT player_id, event_date, game_id, MAX(STRUCT(
      last_ms AS at_ms, last_id AS event_id, platform AS platform, country AS country, app_version AS app_version,
      custom_1 AS custom_1, custom_2 AS custom_2
    )) AS latest
    FROM kept_presence GROUP BY player_id, event_date, game_id
  ) AS grouped
  UNION ALL
  SELECT game_id, player_id, left_date, left_platform, left_country, left_app_version, left_custom_1, left_custom_2
  FROM players WHERE left_date IS NOT NULL
) AS d
LEFT JOIN first_values AS v ON v.game_id = d.game_id AND v.player_id = d.player_id;

CREATE OR REPLACE TEMPORARY VIEW sides AS
SELECT * FROM VALUES (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)
AS sides (platform, country, app_version);

-- Where players were on the days of which a day since `since` counts the players of a month.
CREATE OR REPLACE TEMPORARY VIEW visits AS
SELECT
  *, CASE WHEN MIN(platform) OVER w = MAX(platform) OVER w THEN 0 ELSE 1 END AS platforms,
  CASE WHEN MIN(country) OVER w = MAX(country) OVER w THEN 0 ELSE 1 END AS countries,
  CASE WHEN MIN(app_version) OVER w = MAX(app_version) OVER w THEN 0 ELSE 1 END AS app_versions
FROM (
  SELECT DISTINCT
    p.player_id, p.event_date, p.platform, p.country, p.app_version, p.game_id,
    COALESCE(p.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(p.custom_2, v.custom_2, 'unknown') AS custom_2
  FROM kept_presence AS p
  JOIN bounds AS b ON b.game_id = p.game_id AND p.event_date >= DATE_SUB(b.since, 30)
  LEFT JOIN first_values AS v ON v.game_id = p.game_id AND v.player_id = p.player_id
) AS seen
WINDOW w AS (PARTITION BY player_id, game_id);

-- How many players were there on a day, by what they are to the game and the days until they are there again (at most
-- 30). Unique players do not add up; but who never changes platform is on it whenever playing at all. So players are
-- told apart by what they do change, counted, and only the counts get their totals. A custom dimension is a slice of its
-- own, of all platforms, countries and versions: crossed with them, rows would multiply by its values.
CREATE OR REPLACE TEMPORARY VIEW stays AS
SELECT
  game_id, event_date, state,
  CASE WHEN sides.platform = 1 THEN counted.platform ELSE '*' END AS platform,
  CASE WHEN sides.country = 1 THEN counted.country ELSE '*' END AS country,
  CASE WHEN sides.app_version = 1 THEN counted.app_version ELSE '*' END AS app_version,
  custom_1, custom_2, until, SUM(players) AS players
FROM (
  SELECT
    game_id, event_date, platform, country, app_version, custom_1, custom_2, platforms, countries, app_versions, state,
    LEAST(COALESCE(DATEDIFF(next_date, event_date), 30), 30) AS until, COUNT(*) AS players
  FROM (
    SELECT
      s.*, CASE
        WHEN d.event_date = k.cohort_date THEN 'new' WHEN DATEDIFF(d.event_date, d.previous_date) <= 30 THEN 'returning'
        ELSE 'resurrected'
      END AS state,
      LEAD(s.event_date) OVER (
        PARTITION BY s.player_id, s.game_id, s.platform, s.country, s.app_version, s.custom_1, s.custom_2
        ORDER BY s.event_date
      ) AS next_date
    FROM (
      SELECT DISTINCT
        game_id, player_id, event_date, platforms, countries, app_versions,
        CASE WHEN sides.platform = 1 THEN visits.platform ELSE '*' END AS platform,
        CASE WHEN sides.country = 1 THEN visits.country ELSE '*' END AS country,
        CASE WHEN sides.app_version = 1 THEN visits.app_version ELSE '*' END AS app_version,
        '*' AS custom_1, '*' AS custom_2
      FROM visits JOIN sides ON sides.platform + platforms >= 1 AND sides.country + countries >= 1
        AND sides.app_version + app_versions >= 1
      UNION ALL
      SELECT DISTINCT
        s.game_id, s.player_id, s.event_date, 1, 1, 1, '*', '*', '*',
        CASE WHEN c.slot = 1 THEN s.custom_1 ELSE '*' END, CASE WHEN c.slot = 2 THEN s.custom_2 ELSE '*' END
      FROM visits AS s JOIN customs AS c ON c.game_id = s.game_id
    ) AS s
    JOIN days AS d ON d.player_id = s.player_id AND d.game_id = s.game_id AND d.event_date = s.event_date
    JOIN players AS k ON k.player_id = s.player_id AND k.game_id = s.game_id
  ) AS followed
  GROUP BY game_id, event_date, platform, country, app_version, custom_1, custom_2, platforms, countries, app_versions,
    state, LEAST(COALESCE(DATEDIFF(next_date, event_date), 30), 30)
) AS counted
JOIN sides ON sides.platform >= platforms AND sides.country >= countries AND sides.app_version >= app_versions
GROUP BY game_id, event_date, state, until, custom_1, custom_2,
  CASE WHEN sides.platform = 1 THEN counted.platform ELSE '*' END,
  CASE WHEN sides.country = 1 THEN counted.country ELSE '*' END,
  CASE WHEN sides.app_version = 1 THEN counted.app_version ELSE '*' END;

-- The cohorts whose retention changes: those whose first 90 days reach `since`, and older ones of which a player is back
-- who had not been there after 90 days.
CREATE OR REPLACE TEMPORARY VIEW cohorts AS
SELECT k.game_id, k.cohort_date FROM players AS k
JOIN bounds AS b ON b.game_id = k.game_id AND k.cohort_date >= DATE_SUB(b.since, 90)
UNION
SELECT k.game_id, k.cohort_date FROM days AS d
JOIN bounds AS b ON b.game_id = d.game_id AND d.event_date >= b.since
  AND (d.previous_date < b.since OR d.previous_date IS NULL)
JOIN players AS k ON k.game_id = d.game_id AND k.player_id = d.player_id
WHERE k.cohort_date < DATE_SUB(b.since, 90)
  AND (d.previous_date IS NULL OR DATEDIFF(d.previous_date, k.cohort_date) < 90);

-- The first exposure of each player to an experiment, whose variant counts. An exposure may arrive up to 31 days after a
-- later one, so more days are kept than are returned.
CREATE OR REPLACE TEMPORARY VIEW exposed AS
SELECT o.game_id, o.player_id, o.experiment, o.variant, o.event_date AS exposure_date
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY player_id, experiment, game_id ORDER BY at_ms, event_id) AS nth
  FROM kept_exposures
) AS o JOIN bounds AS b ON b.game_id = o.game_id AND o.event_date >= DATE_SUB(b.since, 30)
WHERE o.nth = 1;

-- How many players met each variant on a day, and which days after it are computed. A game that sends any number of names
-- has the largest 50 experiments of a day and 10 variants of each, so that gold does not grow with them.
CREATE OR REPLACE TEMPORARY VIEW variants AS
SELECT game_id, exposure_date, experiment, variant, exposed_players, since_number, last_number
FROM (
  SELECT
    *, DENSE_RANK() OVER (
      PARTITION BY game_id, exposure_date ORDER BY experiment_players DESC, experiment
    ) AS nth_experiment,
    ROW_NUMBER() OVER (
      PARTITION BY game_id, exposure_date, experiment ORDER BY exposed_players DESC, variant
    ) AS nth_variant
  FROM (
    SELECT *, SUM(exposed_players) OVER (PARTITION BY game_id, exposure_date, experiment) AS experiment_players
    FROM (
      SELECT
        x.game_id, x.exposure_date, x.experiment, x.variant, COUNT(*) AS exposed_players,
        MIN(DATEDIFF(b.since, x.exposure_date)) AS since_number, MIN(DATEDIFF(b.last_day, x.exposure_date)) AS last_number
      FROM exposed AS x JOIN bounds AS b ON b.game_id = x.game_id
      GROUP BY x.game_id, x.exposure_date, x.experiment, x.variant
    ) AS counted
  ) AS totalled
) AS ranked
WHERE nth_experiment <= 50 AND nth_variant <= 10;

-- Design events of a player by day. Each name counts for itself and for the names above it: boss:dragon:killed for boss
-- and boss:dragon too. `touched` days have new events; the others are days of which `experiment_design` adds up events.
CREATE OR REPLACE TEMPORARY VIEW designs AS
SELECT * FROM (
  SELECT
    k.event_date, k.game_id, k.player_id, k.platform, k.country, k.app_version,
    COALESCE(k.custom_1, v.custom_1, 'unknown') AS custom_1, COALESCE(k.custom_2, v.custom_2, 'unknown') AS custom_2,
    k.events, k.valued_events, k.value_sum, k.touched, d.depth, CASE d.depth
      WHEN '1' THEN REGEXP_EXTRACT(k.name, '^[^:]+', 0)
      WHEN '2' THEN REGEXP_EXTRACT(k.name, '^[^:]+:[^:]+', 0)
      WHEN '3' THEN REGEXP_EXTRACT(k.name, '^[^:]+:[^:]+:[^:]+', 0)
      WHEN '4' THEN REGEXP_EXTRACT(k.name, '^[^:]+:[^:]+:[^:]+:[^:]+', 0)
      ELSE REGEXP_EXTRACT(k.name, '^[^:]+:[^:]+:[^:]+:[^:]+:[^:]+', 0)
    END AS name
  FROM kept_designs AS k
  LEFT JOIN first_values AS v ON v.game_id = k.game_id AND v.player_id = k.player_id
  CROSS JOIN (SELECT * FROM VALUES ('1'), ('2'), ('3'), ('4'), ('5') AS depths (depth)) AS d
) AS named
WHERE name <> ''
