"""A tiny gold: two games, six weeks, two platforms, two custom dimensions, every table of metrics.json."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from tools import lake_tables
from tools.emulator import Emulator, free_port

METRICS = Path(__file__).resolve().parents[2] / "event-schemas" / "metrics.json"
DAYS = 42
ALL = dict.fromkeys(("platform", "country", "app_version", "custom_1", "custom_2"), "*")
PLATFORMS = ("android", "ios")
Row = dict[str, Any]


@pytest.fixture(scope="session")
def small_gold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Write the Iceberg tables on an emulator; yield the environment that names them."""
    declared = json.loads(METRICS.read_text())["tables"]
    patch = pytest.MonkeyPatch()
    with Emulator(free_port(), tmp_path_factory.mktemp("emulator") / "data") as emulator, patch.context():
        for name, value in emulator.environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="gold")
        tables = lake_tables.catalog()
        tables.create_namespace("small")
        for name, table in declared.items():
            schema = lake_tables.schema_of(
                {column: field["type"] for column, field in table["columns"].items()}
            )
            rows = [
                {column: (row | {"game_id": game}).get(column) for column in table["columns"]}
                for game in ("arena", "other")
                for row in _with_dimensions(name, table["grain"])
            ]
            made = tables.create_table(("small", name), schema, f"s3://gold/{name}")
            made.append(pa.Table.from_pylist(rows, schema=schema.as_arrow()))
        costs = json.loads(METRICS.read_text())["ad_spend"]["columns"]
        schema = lake_tables.schema_of({column: field["type"] for column, field in costs.items()})
        tables.create_table(("small", "ad_spend"), schema, "s3://gold/ad_spend")
        yield {**emulator.environment, "LAKE_DATABASE": "small"}


def _days() -> Iterator[tuple[int, date]]:
    today = datetime.now(UTC).date()
    for age in range(DAYS, 0, -1):
        yield age, today - timedelta(age)


def _with_dimensions(table: str, grain: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table, and of each total two that tell a custom dimension apart."""
    for row in _rows(table):
        yield row
        if "custom_1" in grain and row["platform"] == "*":
            facts = {name: 7 * value for name, value in row.items() if name not in grain}
            yield row | facts | {"custom_1": "mage"}
            yield row | facts | {"custom_2": "eu"}


def _rows(table: str) -> Iterator[Row]:
    for age, day in _days():
        match table:
            case "daily":
                for dimensions in (ALL, *({**ALL, "platform": name} for name in PLATFORMS)):
                    yield {"event_date": day, **dimensions, "active_players": 100, "new_players": 10}
            case "revenue":
                yield {"event_date": day, **ALL, "currency": "EUR", "purchases": 2, "gross_minor": 998}
            case "retention":
                for number in range(age):
                    installed = 248 * (1 + age % 2)
                    back = installed // (number + 1)
                    counts = {"cohort_players": installed, "retained_players": back}
                    shown = {"day_number": number, **counts, "retention": back / installed}
                    yield {"cohort_date": day, **ALL, **shown}
            case "lifetime_value":
                for number in range(age):
                    paid = {"cohort_players": 10, "lifetime_gross_minor": 100 * (number + 1)}
                    yield {"cohort_date": day, **ALL, "day_number": number, "currency": "EUR", **paid}
            case "economy":
                for flow, amount in (("source", 500), ("sink", 300)):
                    for reason in ("*", "quest"):
                        kind = {"currency": "gold", "flow": flow, "reason": reason}
                        yield {"event_date": day, **ALL, **kind, "amount": amount}
            case "progression":
                for level, completes in (("1", 90), ("2", 30)):
                    counts = {"starts": 100, "completes": completes, "fails": 60, "attempts": completes + 60}
                    yield {
                        "event_date": day,
                        **ALL,
                        "level_1": "w",
                        "level_2": level,
                        "level_3": "",
                        **counts,
                    }
            case "stability":
                for version, crashed in (("*", 5), ("1.0.0", 1), ("1.1.0", 4)):
                    counts = {"active_sessions": 100, "crashes": crashed, "crashed_sessions": crashed}
                    yield {"event_date": day, **ALL, "app_version": version, **counts}
            case "ads":
                # As of the events: USD 0.02 of four impressions, then one without a currency.
                shown = {"network": "admob", "placement": "shop", "format": "rewarded"}
                for currency, impressions, micros in (("USD", 4, 20_000), ("", 1, 0)):
                    counts = {
                        "impressions": impressions,
                        "completed_impressions": 1,
                        "revenue_micros": micros,
                    }
                    yield {"event_date": day, **ALL, **shown, "currency": currency, "players": 1, **counts}
            case "design":
                for platform, factor in (("*", 3), ("android", 1), ("ios", 2)):
                    for depth, name in (("1", "boss"), ("2", "boss:dragon")):
                        kind = {**ALL, "platform": platform, "depth": depth, "name": name, "players": factor}
                        sums = {
                            "design_events": 2 * factor,
                            "valued_events": factor,
                            "value_sum": 1.5 * factor,
                        }
                        yield {"event_date": day, **kind, **sums, "value_mean": 1.5}
            case "experiments":
                for variant, back in (("new", 40), ("old", 50)):
                    for number in range(min(age, 31)):
                        kind = {"experiment": "gate", "variant": variant, "exposure_date": day}
                        counts = {"exposed_players": 100, "returned_players": back if number else 100}
                        yield {
                            "event_date": day + timedelta(number),
                            **kind,
                            "day_number": number,
                            **counts,
                            "exposed_payers": 5,
                            "exposed_sessions": 150,
                            "exposed_sessions_squared": 350,
                        }
            case "experiment_design":
                for variant, senders in (("new", 60), ("old", 50)):
                    for number in range(min(age, 31)):
                        kind = {"experiment": "gate", "variant": variant, "exposure_date": day}
                        counts = {"exposed_players": 100, "exposed_senders": senders}
                        counts |= {
                            "exposed_design_events": 2 * senders,
                            "exposed_design_squared": 4 * senders,
                        }
                        yield {
                            "event_date": day + timedelta(number),
                            **kind,
                            "day_number": number,
                            **counts,
                            "depth": "1",
                            "name": "boss",
                            "exposed_valued_events": 10,
                            "exposed_value_sum": 15.0,
                            "exposed_value_squared": 40.0,
                        }
            case "performance":
                for platform in ("*", *PLATFORMS):
                    measured = {"measure": "fps", "samples": 50, "p50": 60.0, "slow_5": 30.0, "slow_1": 20.0}
                    yield {"event_date": day, **ALL, "platform": platform, **measured}
