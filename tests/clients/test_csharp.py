"""The C# client's own tests, under Mono, and what its library holds."""

import json
import math
import random
import re
import struct
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mono
import pytest
from client_relay import Relay, RestApi
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools import REPOSITORY, client_artefacts, schemas
from tools.progress import STILL_SECONDS

HERE = Path(__file__).parent
GAME = (
    "using System.Collections.Generic;\nusing PlayerAnalytics;\nstatic class Game {{ static void Main() {{\n"
    'var client = new Client("", "", new Device(Platform.Web, "1"));\n'
    'var session = client.StartSession("p-1");\n{};\n}} }}\n'
)


def own_tests(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)


def test_its_own_tests_pass(tmp_path: Path) -> None:
    answer = own_tests(mono.program("csharp.test"), tmp_path)
    assert answer.returncode == 0, answer.stdout[-5000:] + answer.stderr[-5000:]
    passed, failed = map(int, re.findall(r"\d+", answer.stdout.splitlines()[-1]))
    assert passed >= 50
    assert failed == 0


def test_its_own_tests_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.cs"
    wrong.write_text((HERE / "csharp.test.cs").read_text().replace("1e9 86400", "1e9 86401"))
    command = [mono.runtime(), str(mono.compiled("wrong", [wrong, HERE / "cultures.cs"]))]
    answer = own_tests(command, tmp_path)
    assert answer.returncode == 1
    assert "failed: Retry-After may be a date and is bounded" in answer.stdout


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ('session.Track(new Refund(RefundStore.Appel, "t", "r", RefundKind.Refund))', "Appel"),
        ("session.Track(new Purchas())", "Purchas"),
        ("session.Track(new Design())", "required parameter|does not contain a constructor|no argument"),
        ('session.Track(new ScoreSubmitted("global", 1.5))', "double"),
        ("session.Track(new SessionStart())", ""),
        (
            'session.Track(new Design("a") { Extra = new Dictionary<string, object> { ["deck"] = "fire" } })',
            "",
        ),
    ],
)
def test_the_compiler_knows_the_events(tmp_path: Path, call: str, problem: str) -> None:
    library = mono.compiled("PlayerAnalytics")
    (tmp_path / "game.cs").write_text(GAME.format(call))
    command = [*mono.COMPILER, "-out:game.exe", f"-r:{library}", "game.cs"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode == 0) == (problem == ""), answer.stderr
    assert re.search(problem, answer.stderr)


def test_each_event_type_has_a_class_and_the_fields_of_its_schema() -> None:
    known = json.loads((REPOSITORY / "clients/python/player_analytics/schemas.json").read_text())["payloads"]
    source = (mono.CLIENT / "src" / "Events.cs").read_text()
    written = {
        event_type: set(re.findall(r'to\.Add\("(\w+)"', body))
        for event_type, body in re.findall(
            r'return "(\w+)";.*?void Write\(JsonObject to\)\s*\{(.*?)\}', source, re.DOTALL
        )
    }
    assert written == {
        event_type: set(payload["schema"]["properties"]) for event_type, payload in known.items()
    }


# What schemas may hold, and C# has other uses for.
ODD = {
    "$id": "/session/1-0-0.json",
    "title": "Odd",
    "description": 'Less < more & "quoted".',
    "type": "object",
    "properties": {
        "session": {"type": "string", "description": "Its name is that of the event type."},
        "event_type": {"type": "string", "enum": ["3d", "pt-BR", "class"], "description": "A choice."},
        "write": {"type": "integer", "description": "A name of the library."},
        "class": {"type": "boolean", "description": "A keyword."},
        "mixed": {"type": ["string", "null"], "description": "More than one type."},
        "level": {"type": "integer", "enum": [1, 2], "description": "A choice of numbers."},
        "nested": {"type": "object", "properties": {}, "description": "An object."},
    },
    "required": ["session", "event_type", "write", "class"],
}
ODD_GAME = """
using PlayerAnalytics;
static class Game {
    static void Main() {
        var odd = new SessionEvent("s", SessionEventType.PtBR, writeValue: 1, @class: true);
        odd.Mixed = "m";
        odd.Level = 2;
        var text = new JsonObject();
        odd.Write(text);
        System.Console.WriteLine(text);
    }
}
"""


def test_any_schema_gives_a_class_that_compiles(tmp_path: Path) -> None:
    documents = schemas.load(REPOSITORY) | {"/session/1-0-0.json": ODD}
    events = client_artefacts.artefacts(documents, schemas.forms(REPOSITORY))["clients/csharp/src/Events.cs"]
    (tmp_path / "Events.cs").write_text(events)
    (tmp_path / "game.cs").write_text(ODD_GAME)
    sources = [str(path) for path in mono.library() if path.name != "Events.cs"]
    runtime = mono.runtime()
    command = [*mono.COMPILER, "-out:game.exe", "game.cs", "Events.cs", *sources]
    compiled = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr
    answer = subprocess.run([runtime, "game.exe"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == {
        "session": "s", "event_type": "pt-BR", "write": 1, "class": True, "mixed": "m", "level": 2
    }  # fmt: skip


def test_the_generator_knows_every_type_of_the_library() -> None:
    source = "".join(path.read_text() for path in mono.library())
    types = set(
        re.findall(r"^    (?:public|internal) .*?\b(?:class|enum|interface) (\w+)", source, re.MULTILINE)
    )
    events = (mono.CLIENT / "src" / "Events.cs").read_text()
    generated = set(re.findall(r"^    public (?:sealed class|enum) (\w+)", events, re.MULTILINE))
    taken = {name for name in types if client_artefacts.CSHARP_TYPES.fullmatch(name)}
    assert taken == types - generated | {"Device", "Privacy"}


def test_without_mono_the_tests_name_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="apt-get install mono-mcs"):
        mono.runtime()


def test_the_project_of_dotnet_holds_the_same_library() -> None:
    project = ElementTree.parse(mono.CLIENT / "PlayerAnalytics.csproj").getroot()
    properties = {found.tag: found.text for found in project.iter()}
    assert properties["TargetFramework"] == "netstandard2.0"
    assert properties["LangVersion"] == "7.3"
    assert f'"player-analytics-csharp/{properties["Version"]}"' in (mono.CLIENT / "src/Client.cs").read_text()
    (compiled,) = project.iter("Compile")
    assert sorted(mono.CLIENT.glob(compiled.attrib["Include"])) == mono.library()


def test_it_needs_no_engine_and_no_package() -> None:
    """The compiler finds only what a library is given: here what every .NET has."""
    sources = "".join(path.read_text() for path in mono.library())
    used = set(re.findall(r"^using ([\w.]+);", sources, re.MULTILINE))
    assert used
    assert all(name == "System" or name.startswith("System.") for name in used), used
    assert "PackageReference" not in (mono.CLIENT / "PlayerAnalytics.csproj").read_text()


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
SCALARS = st.none() | st.booleans() | INTEGERS | NUMBERS | TEXTS
VALUES = SCALARS | st.dictionaries(TEXTS, st.lists(SCALARS, max_size=3), max_size=3)


def test_every_value_of_json_is_written_as_it_was_read() -> None:
    found: list[Any] = []

    @settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(VALUES)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    lines = "".join(json.dumps({"name": "", "value": value}) + "\n" for value in found)
    answer = subprocess.run(mono.program("judge"), input=lines, capture_output=True, text=True, check=True)
    sent = [json.loads(json.loads(line)[0])["value"] for line in answer.stdout.split("\n") if line]
    assert len(sent) >= 500
    assert [*map(repr, map(as_sent, sent))] == [*map(repr, map(as_sent, found))]


def test_numbers_of_a_game_arrive_exactly() -> None:
    """Mono rounds some numbers twice when it writes them, and reads them inexactly. Python judges."""
    dice = random.Random(26)
    patterns = [dice.getrandbits(64) for _ in range(20_000)]
    drawn = [*struct.unpack("<20000d", struct.pack("<20000Q", *patterns))]
    drawn += [dice.uniform(-1e15, 1e15) for _ in range(20_000)] + [dice.random() for _ in range(20_000)]
    drawn += [round(dice.uniform(0, 1000), dice.randrange(8)) for _ in range(20_000)]
    numbers = [number for number in drawn if math.isfinite(number)]
    lines = "".join(f"{struct.unpack('<q', struct.pack('<d', number))[0]}\n" for number in numbers)
    answer = subprocess.run(mono.program("numbers"), input=lines, capture_output=True, text=True, check=True)
    written = answer.stdout.split()
    assert [*map(json.loads, written)] == numbers
    # Few digits stay few.
    assert written[-20_000:] == [f"{number:.15g}" for number in numbers[-20_000:]]


def as_sent(value: Any) -> Any:
    """Return a value with 1 in place of 1.0, which C# sends."""
    if isinstance(value, dict):
        return {name: as_sent(item) for name, item in value.items()}
    if isinstance(value, list):
        return [*map(as_sent, value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_two_processes_share_a_directory(api: RestApi, tmp_path: Path) -> None:
    relay = Relay(api, lambda number: "refuse")
    task: dict[str, Any] = {"url": relay.url, "key": api.key, "players": 1, "flush_seconds": 0.1}
    task["settings"] = {"directory": str(tmp_path)}
    first = [*mono.program("driver"), json.dumps(task | {"events": 100_000, "tells_stored": True})]
    second = [*mono.program("driver"), json.dumps(task | {"events": 5, "close_seconds": 0.1})]
    with subprocess.Popen(first, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            assert running.stdout.readline().startswith("stored ")
            subprocess.run(second, check=True, capture_output=True, timeout=STILL_SECONDS)
            folders = {path.parent.name for path in tmp_path.rglob("*.ndjson")}
        finally:
            running.kill()
    relay.close()
    assert folders == {"0", "1"}
    # The first process has ended: its folder is free, and the next client takes both.
    relay = Relay(api)
    third = [
        *mono.program("driver"),
        json.dumps(task | {"url": relay.url, "events": 0, "flush_seconds": STILL_SECONDS}),
    ]
    subprocess.run(third, check=True, capture_output=True, timeout=STILL_SECONDS)
    relay.close()
    assert not [*tmp_path.rglob("*.ndjson")]
    assert len({event["session_id"] for event in api.stream.events()}) == 2


def test_the_unity_component_sends_a_session(api: RestApi, tmp_path: Path) -> None:
    """Unity is not here: the component meets stubs with the signatures of its documentation."""
    sources = [
        HERE / "unity_game.cs",
        HERE / "unity_stubs.cs",
        mono.CLIENT / "Samples~" / "UnityAnalytics.cs",
    ]
    command = [mono.runtime(), str(mono.compiled("unity_game", sources))]
    relay = Relay(api)
    arguments = [relay.url, api.key, str(tmp_path)]
    answer = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    relay.close()
    assert (answer.returncode, answer.stderr) == (0, "")
    events = api.stream.events()
    assert [event["event_type"] for event in events] == ["session_start", "score_submitted", "session_end"]
    device = events[0]["client"]
    assert (device["platform"], device["os_version"], device["locale"]) == ("ios", "iOS 19.1", "de-DE")
    assert len(device["device_model"]) == 64
    assert (tmp_path / "events").is_dir()
