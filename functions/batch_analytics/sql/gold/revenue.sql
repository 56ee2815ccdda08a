WITH counted AS (
  SELECT game_id, event_date, platform, country, app_version, custom_1, custom_2, SUM(players) AS active_players
  FROM stays GROUP BY game_id, event_date, platform, country, app_version, custom_1, custom_2
),
-- Purchases and refunds, one beside the other.
money AS (
  SELECT
    game_id, event_date, currency, platform, country, app_version, custom_1, custom_2,
    CASE WHEN sale THEN player_id END AS payer,
    CASE WHEN sale THEN 1 ELSE 0 END AS purchases, CASE WHEN sale THEN amount_minor ELSE 0 END AS gross_minor,
    CASE WHEN sale AND NOT verified THEN amount_minor ELSE 0 END AS unverified_minor,
    CASE WHEN sale AND purchase_kind = 'subscription' THEN 1 ELSE 0 END AS subscription_purchases,
    CASE WHEN sale AND purchase_kind = 'subscription' THEN amount_minor ELSE 0 END AS subscription_minor,
    CASE WHEN sale THEN COALESCE(tax_minor, 0) ELSE 0 END AS tax_minor,
    CASE WHEN sale THEN COALESCE(store_fee_minor, 0) ELSE 0 END AS store_fee_minor,
    CASE WHEN sale AND store_fee_minor IS NOT NULL THEN 1 ELSE 0 END AS purchases_with_fee,
    CASE WHEN purchase_kind = 'trial' AND NOT sandbox THEN 1 ELSE 0 END AS trials,
    CASE WHEN sandbox THEN 1 ELSE 0 END AS sandbox_purchases,
    CASE WHEN sandbox AND purchase_kind <> 'trial' THEN amount_minor ELSE 0 END AS sandbox_minor,
    0 AS refunds, 0 AS chargebacks, 0 AS refunded_minor
  FROM transactions
  UNION ALL
  SELECT
    r.game_id, r.event_date, r.currency, r.platform, r.country, r.app_version, r.custom_1, r.custom_2, NULL, 0, 0, 0, 0,
    0, -r.tax_minor, -r.store_fee_minor, 0, 0, 0, 0, 1, CASE WHEN r.refund_kind = 'chargeback' THEN 1 ELSE 0 END, r.amount_minor
  FROM refunds AS r JOIN bounds AS b ON b.game_id = r.game_id AND r.event_date >= b.floor
),
paid AS (
  SELECT
    game_id, event_date, currency,
    COALESCE(platform, '*') AS platform, COALESCE(country, '*') AS country, COALESCE(app_version, '*') AS app_version,
    COALESCE(custom_1, '*') AS custom_1, COALESCE(custom_2, '*') AS custom_2,
    SUM(purchases) AS purchases, COUNT(DISTINCT payer) AS currency_payers, SUM(gross_minor) AS gross_minor,
    SUM(unverified_minor) AS unverified_minor,
    SUM(refunds) AS refunds, SUM(chargebacks) AS chargebacks, SUM(refunded_minor) AS refunded_minor,
    SUM(subscription_purchases) AS subscription_purchases, SUM(subscription_minor) AS subscription_minor,
    SUM(tax_minor) AS tax_minor, SUM(store_fee_minor) AS store_fee_minor,
    SUM(purchases_with_fee) AS purchases_with_fee, SUM(trials) AS trials, SUM(sandbox_purchases) AS sandbox_purchases,
    SUM(sandbox_minor) AS sandbox_minor
  FROM money
  GROUP BY game_id, event_date, currency, GROUPING SETS (CUBE (platform, country, app_version), (custom_1), (custom_2))
),
-- Every currency of the game on every day with players, so that sums over days have all players below the line; and on
-- days with a refund only.
shown AS (
  SELECT
    c.game_id, c.event_date, c.platform, c.country, c.app_version, c.custom_1, c.custom_2,
    SUM(c.active_players) AS active_players, k.currency
  FROM (
    SELECT game_id, event_date, platform, country, app_version, custom_1, custom_2, active_players FROM counted
    UNION ALL
    SELECT game_id, event_date, platform, country, app_version, custom_1, custom_2, 0 FROM paid WHERE refunds > 0
  ) AS c
  JOIN bounds AS b ON b.game_id = c.game_id AND c.event_date >= b.since AND (c.custom_1 = '*' OR b.slot_1 = 1)
    AND (c.custom_2 = '*' OR b.slot_2 = 1)
  JOIN currencies AS k ON k.game_id = c.game_id
  GROUP BY c.game_id, c.event_date, c.platform, c.country, c.app_version, c.custom_1, c.custom_2, k.currency
),
-- Players count for 30 days, or until another day of theirs takes over; a payment or a refund for 30 days.
steps AS (
  SELECT game_id, platform, country, app_version, custom_1, custom_2, event_date, players FROM stays
  UNION ALL
  SELECT game_id, platform, country, app_version, custom_1, custom_2, CAST(DATE_ADD(event_date, until) AS DATE), -players
  FROM stays
  UNION ALL
  SELECT game_id, platform, country, app_version, custom_1, custom_2, event_date, 0 FROM shown
),
reach AS (
  SELECT game_id, platform, country, app_version, custom_1, custom_2, event_date, SUM(SUM(players)) OVER (
      PARTITION BY game_id, platform, country, app_version, custom_1, custom_2 ORDER BY event_date
    ) AS players
  FROM steps GROUP BY game_id, platform, country, app_version, custom_1, custom_2, event_date
),
payments AS (
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, currency, event_date, gross_minor, refunded_minor
  FROM paid
  UNION ALL
  SELECT
    game_id, platform, country, app_version, custom_1, custom_2, currency, CAST(DATE_ADD(event_date, 30) AS DATE),
    -gross_minor, -refunded_minor
  FROM paid
  UNION ALL
  SELECT game_id, platform, country, app_version, custom_1, custom_2, currency, event_date, 0, 0 FROM shown
),
months AS (
  SELECT game_id, platform, country, app_version, custom_1, custom_2, currency, event_date,
    SUM(SUM(gross_minor)) OVER w AS gross_minor, SUM(SUM(refunded_minor)) OVER w AS refunded_minor
  FROM payments GROUP BY game_id, platform, country, app_version, custom_1, custom_2, currency, event_date
  WINDOW w AS (
    PARTITION BY game_id, platform, country, app_version, custom_1, custom_2, currency ORDER BY event_date
  )
)
SELECT
  s.event_date, s.game_id, s.platform, s.country, s.app_version, s.custom_1, s.custom_2, s.currency,
  COALESCE(p.purchases, 0) AS purchases, COALESCE(p.currency_payers, 0) AS currency_payers,
  CAST(COALESCE(p.gross_minor, 0) AS DECIMAL(38, 0)) AS gross_minor,
  CAST(COALESCE(p.unverified_minor, 0) AS DECIMAL(38, 0)) AS unverified_minor,
  COALESCE(p.refunds, 0) AS refunds, COALESCE(p.chargebacks, 0) AS chargebacks,
  CAST(COALESCE(p.refunded_minor, 0) AS DECIMAL(38, 0)) AS refunded_minor,
  CAST(COALESCE(p.gross_minor - p.refunded_minor, 0) AS DECIMAL(38, 0)) AS net_minor,
  CAST(COALESCE(p.tax_minor, 0) AS DECIMAL(38, 0)) AS tax_minor,
  CAST(COALESCE(p.store_fee_minor, 0) AS DECIMAL(38, 0)) AS store_fee_minor,
  CAST(COALESCE(p.gross_minor - p.refunded_minor - p.tax_minor - p.store_fee_minor, 0) AS DECIMAL(38, 0))
    AS proceeds_minor,
  COALESCE(p.purchases_with_fee, 0) AS purchases_with_fee,
  COALESCE(p.subscription_purchases, 0) AS subscription_purchases,
  CAST(COALESCE(p.subscription_minor, 0) AS DECIMAL(38, 0)) AS subscription_minor, COALESCE(p.trials, 0) AS trials,
  COALESCE(p.sandbox_purchases, 0) AS sandbox_purchases,
  CAST(COALESCE(p.sandbox_minor, 0) AS DECIMAL(38, 0)) AS sandbox_minor,
  s.active_players, CAST(m.gross_minor AS DECIMAL(38, 0)) AS month_gross_minor,
  CAST(m.gross_minor - m.refunded_minor AS DECIMAL(38, 0)) AS month_net_minor, r.players AS monthly_active_players,
  COALESCE(p.gross_minor, 0) * 1e0 / NULLIF(s.active_players, 0) AS arpdau_minor,
  COALESCE(p.gross_minor - p.refunded_minor, 0) * 1e0 / NULLIF(s.active_players, 0) AS net_arpdau_minor,
  p.gross_minor * 1e0 / NULLIF(p.currency_payers, 0) AS arppu_minor,
  (p.gross_minor - p.refunded_minor) * 1e0 / NULLIF(p.currency_payers, 0) AS net_arppu_minor,
  m.gross_minor * 1e0 / NULLIF(r.players, 0) AS arpu_minor,
  (m.gross_minor - m.refunded_minor) * 1e0 / NULLIF(r.players, 0) AS net_arpu_minor
FROM shown AS s
LEFT JOIN paid AS p ON p.game_id = s.game_id AND p.event_date = s.event_date AND p.currency = s.currency
  AND p.platform = s.platform AND p.country = s.country AND p.app_version = s.app_version
  AND p.custom_1 = s.custom_1 AND p.custom_2 = s.custom_2
JOIN months AS m ON m.game_id = s.game_id AND m.event_date = s.event_date AND m.currency = s.currency
  AND m.platform = s.platform AND m.country = s.country AND m.app_version = s.app_version
  AND m.custom_1 = s.custom_1 AND m.custom_2 = s.custom_2
JOIN reach AS r ON r.game_id = s.game_id AND r.event_date = s.event_date AND r.platform = s.platform
  AND r.country = s.country AND r.app_version = s.app_version
  AND r.custom_1 = s.custom_1 AND r.custom_2 = s.custom_2
