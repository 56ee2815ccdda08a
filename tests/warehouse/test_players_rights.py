"""A player is found and erased in the warehouse by every id, whatever is loaded afterwards."""

from typing import Any

import golden_history as lake
import pytest
from emulated_warehouse import api, empty
from pydantic import ValidationError
from redshift_on_postgres import Server
from warehouse.erasure import TABLES, Player, erase, found
from warehouse_history import facts

PSEUDONYM = "f" * 64


def played(player: str, first: int, game: str = "skyforge") -> list[dict[str, Any]]:
    """One event for each table."""
    kinds: dict[str, dict[str, Any]] = {
        "session_start": {"payload": {}},
        "purchase": {
            "payload": {"transaction_id": f"t{first}", "currency": "EUR", "amount_minor": 99, "quantity": 1,
                        "store": "apple", "product_id": "gems"}
        },
        "refund": {
            "payload": {"transaction_id": f"t{first}", "store": "apple", "refund_id": "r",
                        "refund_kind": "refund"}
        },
        "economy": {
            "payload": {"currency": "gems", "flow": "source", "amount": 5, "reason": "gift",
                        "balance_after": 5}
        },
    }  # fmt: skip
    return [
        lake.event(first + n, kind, lake.FIRST, player, game_id=game, **fields)
        for n, (kind, fields) in enumerate(kinds.items())
    ]


def test_a_player_is_erased_and_nobody_else(server: Server) -> None:
    warehouse, ann = empty(server), Player(game_id="skyforge", player_ids=["ann", PSEUDONYM])
    others = [*played("bob", 10), *played("ann", 20, "farm"), *played("annie", 30)]
    alone = empty(server)
    alone.receive(others)
    alone.refresh()
    warehouse.receive([*played("ann", 1), *played(PSEUDONYM, 50), *others])
    warehouse.refresh()
    warehouse.receive([lake.event(9, "design", lake.FIRST, "ann", game_id="skyforge"), "no event"])

    before = found(api(warehouse.client), ann)
    assert before.keys() == {*TABLES, "enriched_events"}
    assert (before["fact_events"], before["enriched_events"]) == (8, 9)
    assert erase(api(warehouse.client), ann) == before
    assert found(api(warehouse.client), ann) == {}
    # What waited in the view, and what a refresh reads twice, comes to nothing.
    warehouse.refresh()
    assert found(api(warehouse.client), ann) == {}
    assert facts(warehouse) == facts(alone)
    assert sum(erase(api(warehouse.client), ann).values()) == 0


def test_consent_is_kept_with_an_event(server: Server) -> None:
    warehouse = empty(server)
    consent = {"analytics_storage": "granted", "age_group": "child"}
    warehouse.receive(
        [
            lake.event(1, "design", lake.FIRST, "ann", privacy=consent),
            lake.event(2, "design", lake.FIRST, "bob"),
        ]
    )
    warehouse.refresh()
    rows = warehouse.rows("SELECT player_id, privacy FROM warehouse.fact_events")
    assert rows == [{"player_id": "ann", "privacy": consent}, {"player_id": "bob", "privacy": None}]


@pytest.mark.parametrize(
    ("game", "players"),
    [("skyforge", []), ("skyforge", ["x' OR '1'='1"]), ("sky'forge", ["ann"]), ("", ["a\n"])],
)
def test_nothing_but_ids_gets_into_a_statement(game: str, players: list[str]) -> None:
    with pytest.raises(ValidationError):
        Player(game_id=game, player_ids=players)
