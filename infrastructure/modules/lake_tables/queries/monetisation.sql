-- What a game earned in each currency, week by week, in minor units: also a player and day, and a payer and day.
SELECT
  date_trunc('week', event_date) AS week,
  currency,
  sum(purchases) AS purchases,
  sum(gross_minor) AS gross_minor,
  CAST(sum(gross_minor) AS double) / nullif(sum(active_players), 0) AS arpdau_minor,
  CAST(sum(gross_minor) AS double) / nullif(sum(currency_payers), 0) AS arppu_minor
FROM revenue
WHERE game_id = ?
  AND platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
  AND event_date >= current_date - INTERVAL '90' DAY
GROUP BY date_trunc('week', event_date), currency
ORDER BY currency, week
