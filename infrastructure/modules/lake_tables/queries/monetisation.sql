-- What a game earned in each currency, week by week, in minor units: before and after refunds, and a player or payer and day.
-- Trials and purchases in a store's test environment (sandbox) are in no other figure.
SELECT
  date_trunc('week', event_date) AS week,
  currency,
  sum(purchases) AS purchases,
  sum(gross_minor) AS gross_minor,
  sum(refunded_minor) AS refunded_minor,
  sum(net_minor) AS net_minor,
  sum(proceeds_minor) AS proceeds_minor,
  sum(trials) AS trials,
  sum(sandbox_purchases) AS sandbox_purchases,
  CAST(sum(gross_minor) AS double) / nullif(sum(active_players), 0) AS arpdau_minor,
  CAST(sum(net_minor) AS double) / nullif(sum(active_players), 0) AS net_arpdau_minor,
  CAST(sum(gross_minor) AS double) / nullif(sum(currency_payers), 0) AS arppu_minor
FROM revenue
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '90' DAY
GROUP BY date_trunc('week', event_date), currency
ORDER BY currency, week
