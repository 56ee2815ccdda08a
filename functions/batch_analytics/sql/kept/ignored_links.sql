-- How many pairs of ids the events of each game link, and how many of these pairs count as two players all the same.
SELECT
  l.game_id, COUNT(*) AS links, SUM(CASE
    WHEN COALESCE(g.account_id, l.previous_player_id) = COALESCE(a.account_id, l.player_id) THEN 0 ELSE 1
  END) AS ignored_links
FROM (SELECT DISTINCT game_id, player_id, previous_player_id FROM every_link) AS l
LEFT JOIN every_account AS g ON g.game_id = l.game_id AND g.player_id = l.previous_player_id
LEFT JOIN every_account AS a ON a.game_id = l.game_id AND a.player_id = l.player_id
GROUP BY l.game_id
