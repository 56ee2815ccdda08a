-- Which account each player counts to. A run reads this only for games that have links. Everything is computed twice: as
-- published gold has it (`shown`), and with what is new. `linked_games` has the published_ms of each game, -1 before the first.
CREATE OR REPLACE TEMPORARY VIEW told_links AS
SELECT l.game_id, s.shown, l.player_id, l.previous_player_id, l.event_date, l.at_ms, l.event_id
FROM all_links AS l
JOIN linked_games AS g ON g.game_id = l.game_id
JOIN (SELECT * FROM VALUES (TRUE), (FALSE) AS states (shown)) AS s ON NOT s.shown OR l.added_ms <= g.published_ms;

CREATE OR REPLACE TEMPORARY VIEW named_ids AS
SELECT game_id, player_id FROM all_links UNION SELECT game_id, previous_player_id FROM all_links;

-- The day of the first event of each id that a link names. An id without an event has no row.
CREATE OR REPLACE TEMPORARY VIEW first_days AS
SELECT i.game_id, s.shown, i.player_id, MIN(p.first_date) AS first_date
FROM named_ids AS i
JOIN every_player AS p ON p.game_id = i.game_id AND p.player_id = i.player_id AND p.first_date IS NOT NULL
JOIN linked_games AS g ON g.game_id = i.game_id
JOIN (SELECT * FROM VALUES (TRUE), (FALSE) AS states (shown)) AS s ON NOT s.shown OR p.added_ms <= g.published_ms
GROUP BY i.game_id, s.shown, i.player_id;

-- The links that count. The first link of a guest counts. One of the two must be new at that time, the guest or the account
-- with the guests that it has by then: the first event is at most 30 days before the link. An account takes its first 100 of
-- such guests.
CREATE OR REPLACE TEMPORARY VIEW counted_links AS
SELECT game_id, shown, previous_player_id AS player_id, player_id AS account_id
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY player_id, game_id, shown ORDER BY at_ms, event_id) AS nth_guest
  FROM (
    SELECT
      f.game_id, f.shown, f.player_id, f.previous_player_id, f.event_date, f.at_ms, f.event_id,
      COALESCE(p.first_date, f.event_date) AS guest_date,
      LEAST(COALESCE(a.first_date, f.event_date), COALESCE(MIN(p.first_date) OVER (
        PARTITION BY f.player_id, f.game_id, f.shown ORDER BY f.at_ms, f.event_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ), f.event_date)) AS account_date
    FROM (
      SELECT *, ROW_NUMBER() OVER (
        PARTITION BY previous_player_id, game_id, shown ORDER BY at_ms, event_id
      ) AS nth_link
      FROM told_links
    ) AS f
    LEFT JOIN first_days AS p ON p.game_id = f.game_id AND p.shown = f.shown AND p.player_id = f.previous_player_id
    LEFT JOIN first_days AS a ON a.game_id = f.game_id AND a.shown = f.shown AND a.player_id = f.player_id
    WHERE f.nth_link = 1
  ) AS dated
  WHERE GREATEST(guest_date, account_date) >= DATE_SUB(event_date, 30)
) AS numbered
WHERE nth_guest <= 100;

-- The end of each id's chain, if it is at most three links away. An id in a circle has no end.
CREATE OR REPLACE TEMPORARY VIEW followed_links AS
SELECT a.game_id, a.shown, a.player_id, COALESCE(c.account_id, b.account_id, a.account_id) AS account_id
FROM counted_links AS a
LEFT JOIN counted_links AS b ON b.game_id = a.game_id AND b.shown = a.shown AND b.player_id = a.account_id
LEFT JOIN counted_links AS c ON c.game_id = b.game_id AND c.shown = b.shown AND c.player_id = b.account_id
LEFT JOIN counted_links AS d ON d.game_id = c.game_id AND d.shown = c.shown AND d.player_id = c.account_id
WHERE d.player_id IS NULL;

-- The account of each id that links name, now and in published gold. An account is its own.
CREATE OR REPLACE TEMPORARY VIEW identities AS
SELECT
  i.game_id, i.player_id, f.first_date, COALESCE(n.account_id, i.player_id) AS account_id,
  COALESCE(s.account_id, i.player_id) AS shown_id
FROM named_ids AS i
LEFT JOIN first_days AS f ON f.game_id = i.game_id AND f.player_id = i.player_id AND NOT f.shown
LEFT JOIN followed_links AS n ON n.game_id = i.game_id AND n.player_id = i.player_id AND NOT n.shown
LEFT JOIN followed_links AS s ON s.game_id = i.game_id AND s.player_id = i.player_id AND s.shown;

-- An id has moved where published gold counts it apart from ids of the same account whose first event is earlier. Ids are
-- split where they are one player in published gold and have several accounts now.
CREATE OR REPLACE TEMPORARY VIEW accounts AS
SELECT
  game_id, player_id, account_id, first_date,
  DENSE_RANK() OVER (PARTITION BY account_id, game_id ORDER BY group_date, shown_id) > 1 AS moved,
  MIN(account_id) OVER (PARTITION BY shown_id, game_id) < MAX(account_id) OVER (PARTITION BY shown_id, game_id) AS split
FROM (
  SELECT *, COALESCE(
    MIN(first_date) OVER (PARTITION BY account_id, shown_id, game_id), DATE '9999-12-31'
  ) AS group_date
  FROM identities
) AS grouped
