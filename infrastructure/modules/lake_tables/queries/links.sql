-- Guests who became accounts in the last 90 days, by day: the pairs of ids that events link, the guests and accounts of the
-- links that count, and the links that the history ignores.
SELECT
  l.event_date,
  count(DISTINCT concat(l.previous_player_id, ' ', l.player_id)) AS links,
  count(DISTINCT CASE
    WHEN coalesce(g.account_id, l.previous_player_id) = coalesce(a.account_id, l.player_id)
      THEN l.previous_player_id
  END) AS linked_guests,
  count(DISTINCT CASE
    WHEN coalesce(g.account_id, l.previous_player_id) = coalesce(a.account_id, l.player_id)
      THEN coalesce(a.account_id, l.player_id)
  END) AS linked_accounts,
  count(DISTINCT CASE
    WHEN coalesce(g.account_id, l.previous_player_id) <> coalesce(a.account_id, l.player_id)
      THEN concat(l.previous_player_id, ' ', l.player_id)
  END) AS ignored_links
FROM kept_links AS l
LEFT JOIN kept_accounts AS g
  ON g.game_id = l.game_id AND g.player_id = l.previous_player_id
LEFT JOIN kept_accounts AS a
  ON a.game_id = l.game_id AND a.player_id = l.player_id
WHERE l.game_id = ?
  AND l.event_date >= current_date - INTERVAL '90' DAY
GROUP BY l.event_date
ORDER BY l.event_date DESC
