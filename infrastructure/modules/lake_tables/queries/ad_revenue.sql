-- What advertisements of a game brought in the last 30 days, by network, placement and format, in millionths of the currency.
SELECT
  network,
  placement,
  format,
  currency,
  sum(impressions) AS impressions,
  sum(revenue_micros) AS revenue_micros,
  CAST(sum(completed_impressions) AS double) / nullif(sum(impressions), 0) AS completed_share,
  1000 * (CAST(sum(revenue_micros) AS double) / nullif(sum(impressions), 0)) AS ecpm_micros
FROM ads
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '30' DAY
GROUP BY network, placement, format, currency
ORDER BY currency, revenue_micros DESC
