-- What advertising cost by install source, and what its players brought by day 0, 7 and 30, of the installs of the last 90 days.
-- Day N counts the install days whose day N is over, and the costs of the same days. Nothing is converted. For campaigns:
-- scripts/spend show.
WITH costs AS (
  SELECT game_id, install_source, currency, cohort_date, sum(spend_micros) AS spend_micros
  FROM ad_spend
  WHERE cohort_date >= current_date - INTERVAL '90' DAY
  GROUP BY game_id, install_source, currency, cohort_date
),
-- Gold has the players of a campaign once for each currency.
campaigns AS (
  SELECT game_id, install_source, campaign, cohort_date, max(cohort_players) AS cohort_players
  FROM acquisition_value
  WHERE platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
    AND day_number = 0
    AND cohort_date >= current_date - INTERVAL '90' DAY
  GROUP BY game_id, install_source, campaign, cohort_date
),
installs AS (
  SELECT game_id, install_source, cohort_date, sum(cohort_players) AS cohort_players
  FROM campaigns
  GROUP BY game_id, install_source, cohort_date
),
brought AS (
  SELECT
    game_id, install_source, currency, cohort_date, day_number,
    sum(lifetime_net_total_micros) AS lifetime_net_total_micros
  FROM acquisition_value
  WHERE platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
    AND day_number IN (0, 7, 30)
    AND cohort_date >= current_date - INTERVAL '90' DAY
  GROUP BY game_id, install_source, currency, cohort_date, day_number
),
newest AS (
  SELECT game_id, max(event_date) AS last_day
  FROM acquisition_value
  WHERE platform = '*' AND country = '*' AND app_version = '*' AND custom_1 = '*' AND custom_2 = '*'
    AND event_date >= current_date - INTERVAL '90' DAY
  GROUP BY game_id
),
facts AS (
  SELECT
    c.game_id, c.cohort_date, c.currency, c.install_source, n.day_number, c.spend_micros,
    coalesce(i.cohort_players, 0) AS cohort_players,
    coalesce(b.lifetime_net_total_micros, 0) AS lifetime_net_total_micros
  FROM costs AS c
  CROSS JOIN (VALUES (0), (7), (30)) AS n (day_number)
  JOIN newest AS w
    ON w.game_id = c.game_id AND date_diff('day', c.cohort_date, w.last_day) >= n.day_number
  LEFT JOIN installs AS i
    ON i.game_id = c.game_id AND i.install_source = c.install_source AND i.cohort_date = c.cohort_date
  LEFT JOIN brought AS b
    ON b.game_id = c.game_id AND b.install_source = c.install_source AND b.currency = c.currency
    AND b.cohort_date = c.cohort_date AND b.day_number = n.day_number
)
SELECT
  currency,
  install_source,
  day_number,
  sum(spend_micros) AS spend_micros,
  sum(cohort_players) AS cohort_players,
  sum(lifetime_net_total_micros) AS lifetime_net_total_micros,
  CAST(sum(spend_micros) AS double) / nullif(sum(cohort_players), 0) AS cost_per_player_micros,
  CAST(sum(lifetime_net_total_micros) AS double) / nullif(sum(spend_micros), 0) AS return_on_ad_spend
FROM facts
WHERE game_id = ?
  AND cohort_date >= current_date - INTERVAL '90' DAY
GROUP BY currency, install_source, day_number
ORDER BY currency, install_source, day_number
