"""The cost model: against months computed by hand; no price without a source, no resource without a price."""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import reference
from flink_harness import event
from telemetry import catalog
from telemetry.normalisation import PLATFORMS
from tools import REPOSITORY, CommandError, cost
from tools.costs import model, settings
from tools.costs.model import BESIDE, FREE, PRICED, Load
from tools.costs.settings import Consumer, Settings

HOUR = 3600
MONTH = 730 * HOUR
GIVEN = Settings(
    shards={"raw": 2, "enriched": None, "metrics": 1},
    scaled=False,
    retention_hours=48,
    metrics_retention_hours=48,
    processor=Consumer(batch_size=2000, window_seconds=1, memory_mb=1769),
    player_state=Consumer(batch_size=2000, window_seconds=1, memory_mb=1769),
    leaderboards=Consumer(batch_size=2000, window_seconds=1, memory_mb=1769, at_once=4),
    ingest_memory_mb=1769,
    api_memory_mb=1024,
    log_retention_days=30,
    tracing=False,
    recovery=True,
    dedupe_hours=48,
    flink_units=4,
    batch=True,
    batch_every_hours=24,
    worker_vcpus=4,
    worker_memory_gb=16,
    named_items=50,
    named_versions=20,
)


def dollars(lines: list[model.Line], component: str, item: str = "") -> float:
    return sum(line.dollars for line in lines if line.component == component and line.item.startswith(item))


def hostile_minutes(events: int) -> Iterator[dict[str, Any]]:
    """Yield five minutes, each of other names, whose events share as few of them as they can."""
    platforms = sorted([*PLATFORMS, "other"])
    for number in range(5 * events):
        minute, nth = divmod(number, events)
        version, platform, name = nth % 21, nth % 10, nth // 21 % (51 + 2 * 51 + 4 * 51)
        if name < 51:
            kind, payload = "design", {"name": f"{minute}{name:0127}"}
        elif name < 51 + 2 * 51:
            currency, flow = divmod(name - 51, 2)
            kind, payload = (
                "economy",
                {
                    "flow": ("source", "sink")[flow],
                    "currency": f"{minute}{currency:063}",
                    "amount": 9 * 10**15,
                },
            )
        else:
            mode, ending = divmod(name - 51 - 2 * 51, 4)
            result = ("win", "loss", "draw", "abandoned")[ending]
            kind, payload = "match_end", {"mode": f"{minute}{mode:063}", "result": result}
        yield event(
            kind,
            number * 60 / events,
            f"p-{number}",
            platform=platforms[platform],
            app_version=f"{minute}.{version}.0",
            payload=payload,
        )


@pytest.mark.parametrize("events", [200, 4000, 10_000])
def test_windows_of_made_up_names_cost_at_most_what_the_worst_key_is_billed(
    tmp_path: Path, events: int
) -> None:
    """The rows of a hostile minute by DuckDB, as items of the table, against the model's bound."""
    path = reference.write(hostile_minutes(events), tmp_path / "events.ndjson")
    names = {kind: getattr(GIVEN, f"named_{kind}") for kind in reference.NAMES}
    windows = reference.windows(reference.load(path, **names))
    published = {
        key: measures
        for key, measures in windows.items()
        if key in {(key[0], f"2026-01-31T12:0{4 if '#1m#' in key[0] else 0}:00Z")}
    }
    most = model.most_windows(GIVEN, events)
    assert len(published) <= most.rows
    assert 0.5 * most.units < units(published) <= most.units


def units(windows: reference.Windows) -> int:
    """Return the write units that windows take as items of the table."""
    return sum(
        math.ceil(
            len(f"series{series}window{key}measures{json.dumps(measures, separators=(',', ':'))}".encode())
            / 1024
        )
        for (series, key), measures in windows.items()
    )


@pytest.mark.parametrize("events", [20, 4000, 10_000])
def test_values_of_custom_dimensions_cost_at_most_what_the_worst_key_is_billed(
    tmp_path: Path, events: int
) -> None:
    """Purchases of a minute in all currencies, by the longest values that a game may declare."""
    currencies = catalog.newest("common/currency", catalog.documents())["enum"]
    values = [*(f"{'é' * 62}{number:02}" for number in range(20)), "other", "unknown"]
    bought = (
        event(
            "purchase",
            nth * 60 / events,
            f"p-{nth}",
            custom_1=values[nth % 22],
            custom_2=values[nth // 22 % 22],
            payload={
                "store": "apple",
                "transaction_id": f"{nth}",
                "currency": currencies[nth % len(currencies)],
                "amount_minor": 10**12,
            },
        )
        for nth in range(events)
    )
    windows = reference.windows(reference.load(reference.write(bought, tmp_path / "events.ndjson")))
    by_value = {key: measures for key, measures in windows.items() if "#custom_" in key[0]}
    most = model.most_values(events)
    assert len(by_value) <= most.rows
    assert 0.4 * most.units < units(by_value) <= most.units
    assert most.rows == min(2 * events, 44)


def test_a_small_month_by_hand() -> None:
    """10 events of 1,000 bytes a second, one at a time, all to the stream."""
    lines = model.bill(Load(10, 1000, games=1, together=1, rest_share=0), GIVEN)
    events = 10 * MONTH
    # Two shards at 1.5 cents an hour and 2 more for the second day; a record of 1,030 bytes is one unit.
    assert dollars(lines, "Kinesis", "raw") == pytest.approx(2 * 730 * (0.015 + 0.02) + events * 0.014e-6)
    # On demand a record of 1,420 bytes counts as 2 KB in, as it is out, for three readers.
    enriched = (
        730 * 0.04 + events * 2048e-9 * 0.08 + events * 1420e-9 * 3 * 0.04 + 10 * 1420 * 86400e-9 * 0.10
    )
    assert dollars(lines, "Kinesis", "enriched") == pytest.approx(enriched)
    # One write unit claims an event, 1.337 write and 1.05 read units keep its player.
    assert dollars(lines, "DynamoDB", "dedupe: writes") == pytest.approx(events * 0.625e-6)
    assert dollars(lines, "DynamoDB", "player state: writes") == pytest.approx(events * 1.337 * 0.625e-6)
    assert dollars(lines, "DynamoDB", "player state: reads") == pytest.approx(events * 1.05 * 0.125e-6)
    # Four units and the orchestrator's, with 50 GB each of the four.
    assert dollars(lines, "Flink", "processing") == pytest.approx(5 * 730 * 0.11)
    assert dollars(lines, "Flink", "running") == pytest.approx(4 * 50 * 0.10)
    assert dollars(lines, "REST API", "requests") == 0


def test_a_large_month_by_hand() -> None:
    """10,000 events a second, 12 together, half by REST."""
    lines = model.bill(Load(10_000, 1000, games=3, together=12, rest_share=0.5), GIVEN)
    requests = 10_000 * MONTH / 2 / 12
    # 1,095 million requests: three of API Gateway's tiers.
    assert requests == pytest.approx(1.095e9)
    gateway = 333 * 3.5 + 667 * 2.8 + 95 * 2.38
    assert dollars(lines, "REST API", "requests") == pytest.approx(gateway)
    assert dollars(lines, "REST API", "firewall: requests") == pytest.approx(1095 * 0.6)
    # A record of 12,360 bytes is one unit of 25 KB.
    puts = 10_000 / 12 * MONTH * 0.014e-6
    assert dollars(lines, "Kinesis", "raw: puts") == pytest.approx(puts)
    # 10,000 events a second fit in four units and keep them.
    assert dollars(lines, "Flink", "processing") == pytest.approx(5 * 730 * 0.11)
    # 4.5 MB of records, 364 at a time, are full before the second is over.
    runs = model.invocations(Load(10_000), GIVEN, "raw", GIVEN.processor)
    assert runs == pytest.approx(10_000 / 12 / (4.5e6 / 12_360) * MONTH)


def test_a_window_runs_the_function_once_a_shard_until_batches_are_full() -> None:
    slow = replace(GIVEN.processor, window_seconds=5)
    load = Load(100, together=1)
    assert model.invocations(load, GIVEN, "raw", GIVEN.processor) == 2 * MONTH
    assert model.invocations(load, GIVEN, "raw", slow) == 2 * MONTH / 5
    assert model.invocations(Load(0.1, together=1), GIVEN, "raw", slow) == pytest.approx(0.1 * MONTH)


def test_scores_run_their_function_for_each_batch_of_a_shard_that_runs_at_once() -> None:
    given = replace(GIVEN, shards={"raw": 2, "enriched": 3, "metrics": 1})
    run = lambda rate, share: model.invocations(Load(rate), given, "enriched", given.leaderboards, share)  # noqa: E731
    assert run(1000, 0.1) == 3 * 4 * MONTH, "four parts of each of three shards each second"
    assert run(100, 0.1) == 10 * MONTH, "no more than there are scores"
    assert settings.read("prod").leaderboards.at_once == 4


def test_shards_fit_bytes_and_records_with_a_fifth_to_spare() -> None:
    assert model.shards_needed(Load(1, together=12), "raw") == 1
    # 1,600 enriched records a second, 1.42 KB each: bytes bind.
    assert model.shards_needed(Load(1600), "enriched") == 3
    # 1,600 records of 520 bytes: records bind.
    assert model.shards_needed(Load(1600, event_bytes=100), "enriched") == 2
    fitted = model.fitted(Load(50_000), GIVEN)
    assert fitted.flink_units == math.ceil(50_000 / model.usage("flink_events_per_unit"))
    assert all(fitted.shards.values())


def test_scaled_streams_have_half_as_much_again_as_their_load_and_no_fewer_than_they_began_with() -> None:
    scaled = replace(GIVEN, shards={"raw": 2, "enriched": 1, "metrics": 1}, scaled=True)
    lines = {line.item: line for line in model.bill(Load(1600), scaled)}
    # 1,600 records of 1.42 KB fill 2.17 shards: five, half full.
    assert lines["enriched: shards"].quantity == 5 * 730
    # 134 records of 12.36 KB fill 1.65: four.
    assert lines["raw: shards"].quantity == 4 * 730
    assert {line.item: line for line in model.bill(Load(1), scaled)}["raw: shards"].quantity == 2 * 730
    assert lines["metrics read to scale"].dollars == pytest.approx(730 * 60 * 4 * 0.01e-3)


def test_spark_pays_for_its_starts_for_new_events_and_in_each_run_for_the_last_days() -> None:
    def vcpu_hours(months: int, every_hours: int) -> float:
        lines = model.bill(Load(100, months=months), replace(GIVEN, batch_every_hours=every_hours))
        return sum(line.quantity for line in lines if (line.component, line.item) == ("Spark", "vCPU"))

    # Six minutes of sixteen vCPUs a run; 262.8 million new events, and in a month's middle half as many held.
    starts, new, gold = 30.417 * 32 / 60, 262.8 * 27 / 3600, 30.417 * 131.4 * 9 / 3600
    assert vcpu_hours(0, 24) == pytest.approx(starts + new + gold, rel=1e-3)
    # A run reads what is kept of 65 days, which are 2.137 months, however old the lake is.
    assert vcpu_hours(11, 24) == pytest.approx(starts + new + 4.274 * gold, rel=1e-3)
    assert vcpu_hours(35, 24) == vcpu_hours(11, 24)
    assert vcpu_hours(0, 1) == pytest.approx(24 * starts + new + 24 * gold, rel=1e-3)
    year, month = (
        {line.item: line.dollars for line in model.bill(Load(100, months=months), GIVEN)}
        for months in (11, 0)
    )
    assert {item for item in year if year[item] != month[item]} == {
        "bronze", "silver and gold", "vCPU", "memory",
    }  # fmt: skip


def test_without_a_window_nothing_is_claimed() -> None:
    lines = model.bill(Load(100), replace(GIVEN, dedupe_hours=0))
    assert dollars(lines, "DynamoDB", "dedupe") == 0
    assert dollars(lines, "Lambda", "processor: time") < dollars(
        model.bill(Load(100), GIVEN), "Lambda", "processor: time"
    )


def test_the_guidance_is_compared_by_its_own_requests_and_items() -> None:
    found = cost.compared(Load(100, rest_share=0), GIVEN)
    lake, both = found[model.LAKE], found[cost.BOTH]
    assert lake.guidance == pytest.approx((0.209, 0.355), abs=0.001)
    assert found[model.REALTIME].guidance[0] == pytest.approx(2.974, abs=0.001)
    assert both.listed == pytest.approx(lake.listed + found[model.REALTIME].listed)
    # A request a second, and what it does not count: alarms, logs, keys, the firewall.
    alike = Load(100, rest_share=1, a_request=100)
    lines = model.bill(alike, GIVEN)
    assert dollars(lines, "REST API", "requests") == pytest.approx(MONTH * 3.5e-6)
    left_out = {line.component for line in lines if not line.listed}
    assert left_out == {"CloudWatch", "KMS", "Alerts", "REST API", "Metrics API"}
    whole = cost.per_million(model.total(lines), alike)
    assert found[cost.EVERYTHING].billed == pytest.approx(whole)
    assert lake.alike < lake.listed < lake.billed
    # A day of enriched events is kept less.
    realtime = found[model.REALTIME]
    kept = 100 * 1420 * 86400e-9 * 0.10
    assert realtime.listed - realtime.alike == pytest.approx(kept / (100 * MONTH) * 1e6)


def test_more_events_never_cost_less_and_a_million_events_never_more() -> None:
    bills = [(rate, model.total(model.bill(Load(rate), GIVEN))) for rate in cost.RATES]
    assert bills == sorted(bills, key=lambda bill: bill[1])
    each = [dollars / rate for rate, dollars in bills]
    assert each == sorted(each, reverse=True)


def test_every_price_has_a_source_a_unit_and_a_date() -> None:
    table = model.prices()
    assert date.fromisoformat(table["date"]) <= date.today()
    for name, price in table["prices"].items():
        assert price["source"].startswith("https://aws.amazon.com/"), name
        assert price["unit"], name
        tiers = price["usd"] if isinstance(price["usd"], list) else [[None, price["usd"]]]
        assert all(usd > 0 for _, usd in tiers), name
        assert tiers[-1][0] is None, name


def test_every_price_is_used_and_every_measured_figure_names_a_file() -> None:
    load = Load(1000)
    used = {line.price for line in [*model.bill(load, GIVEN), *model.beside(load)]}
    scaled = replace(GIVEN, shards=dict.fromkeys(GIVEN.shards, 1), scaled=True)
    used |= {line.price for line in model.bill(load, scaled)}
    # The advisor weighs what we do not buy.
    advised = {"dynamodb_read_hour", "dynamodb_write_hour"}
    assert used | advised == set(model.prices()["prices"])
    factors = json.loads((REPOSITORY / "scripts/tools/costs/usage.json").read_text())
    for name, factor in factors.items():
        assert factor["kind"] in ("measured", "assumed"), name
        if factor["kind"] == "measured":
            assert (REPOSITORY / factor["source"].split(",")[0].split()[0]).exists(), name


def test_every_resource_of_the_modules_is_priced_or_free() -> None:
    priced = set().union(*PRICED.values(), *BESIDE.values())
    assert not priced & FREE
    assert set(settings.resource_types()) - priced - FREE == set()


def test_components_of_priced_resources_are_on_the_bill() -> None:
    assert set(PRICED) == {line.component for line in model.bill(Load(100), GIVEN)}
    assert set(BESIDE) == {line.component for line in model.beside(Load(100))}


def test_settings_are_those_of_terraform() -> None:
    prod = settings.read("prod")
    assert (prod.shards["raw"], prod.retention_hours, prod.dedupe_hours) == (1, 168, 168)
    assert prod.scaled
    assert prod.flink_units == 1
    assert prod.ingest_memory_mb == 1769
    assert prod.recovery
    dev = settings.read("dev")
    assert dev.shards["raw"]
    assert not dev.recovery
    with pytest.raises(CommandError):
        settings.read("local")


@pytest.mark.parametrize(
    ("page", "columns", "dollars"), [("cost.md", 5, 3), ("scale.md", 8, 7)], ids=["cost", "scale"]
)
def test_the_documents_say_what_the_model_says(page: str, columns: int, dollars: int) -> None:
    rows = re.findall(r"^\| (\d[\d,]*) \| (.+) \|$", (REPOSITORY / "docs" / page).read_text(), re.MULTILINE)
    found = {rate: rest.split(" | ") for rate, rest in rows}
    table = {int(rate.replace(",", "")): cells for rate, cells in found.items() if len(cells) == columns - 1}
    assert len(table) >= 5
    for rate, cells in table.items():
        said = float(cells[dollars - 1].replace(",", ""))
        told = model.total(model.bill(Load(rate), settings.read("prod")))
        assert math.isclose(said, told, rel_tol=0.005), (rate, told)


def test_the_command_prints_json_that_adds_up() -> None:
    command = [
        "scripts/cost",
        "--environment",
        "prod",
        "--events-per-second",
        "100",
        "--games",
        "5",
        "--json",
    ]
    answer = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)
    assert sum(answer["components"].values()) == pytest.approx(answer["dollars_a_month"])
    assert sum(line["dollars"] for line in answer["lines"]) == pytest.approx(answer["dollars_a_month"])


def test_windows_are_gathered_as_long_as_the_module_says() -> None:
    module = (REPOSITORY / "infrastructure/modules/realtime_analytics/main.tf").read_text()
    (seconds,) = re.findall(r"batch_window_seconds = (\d+)", module)
    assert model.usage("windows_batch_seconds") == int(seconds)
    # A game closes a window a second: five of them come together.
    lines = list(model.bill(Load(100), GIVEN))
    requests = next(line for line in lines if line.item == "realtime_windows: requests")
    assert requests.quantity == pytest.approx(MONTH / 5)
