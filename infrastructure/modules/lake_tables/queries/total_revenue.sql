-- Revenue of a game from purchases and ads in the last 30 days, before and after refunds, in millionths of each currency.
SELECT
  currency,
  sum(purchase_micros) AS purchase_micros,
  sum(ad_revenue_micros) AS ad_revenue_micros,
  sum(refunded_micros) AS refunded_micros,
  sum(total_micros) AS total_micros,
  sum(net_total_micros) AS net_total_micros,
  CAST(sum(total_micros) AS double) / nullif(sum(active_players), 0) AS total_arpdau_micros,
  CAST(sum(net_total_micros) AS double) / nullif(sum(active_players), 0) AS net_total_arpdau_micros,
  CAST(sum(ad_revenue_micros) AS double) / nullif(sum(active_players), 0) AS ad_arpdau_micros
FROM total_revenue
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '30' DAY
GROUP BY currency
ORDER BY currency
