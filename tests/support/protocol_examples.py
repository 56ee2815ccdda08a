"""The examples of clients/protocol, each run as a game of four players uses it."""

import atexit
import json
import os
import shutil
import subprocess
import time
import uuid
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
from lupa import lua51
from tools import REPOSITORY
from tools.progress import STILL_SECONDS

EXAMPLES = REPOSITORY / "clients" / "protocol" / "examples"
HERE = REPOSITORY / "tests" / "clients"
# What Godot 4, which the example is written for, calls otherwise than Godot 3, which Debian has.
GODOT_3 = {
    ".is_empty()": ".empty()",
    ".remove_at(": ".remove(",
    "HTTPClient.METHOD_POST, JSON.stringify(": "true, HTTPClient.METHOD_POST, JSON.print(",
    "JSON.parse_string(": "parse_json(",
    "PackedByteArray": "PoolByteArray",
    "PackedStringArray": "PoolStringArray",
    "Time.get_datetime_string_from_unix_time(": "_datetime(",
    "Time.get_unix_time_from_system()": "OS.get_system_time_msecs() / 1000.0",
    "_http.request_completed.connect(_on_answer)": '_http.connect("request_completed", self, "_on_answer")',
}
DATETIME = """

func _datetime(seconds: int) -> String:
	var parts := OS.get_datetime_from_unix_time(seconds)
	for name in parts:
		parts[name] = "%02d" % parts[name]
	return "{year}-{month}-{day}T{hour}:{minute}:{second}".format(parts)
"""


def godot(folder: Path, task: dict[str, str]) -> str:
    """Run the example of Godot; return what it printed."""
    text = (EXAMPLES / "analytics.gd").read_text()
    for new, old in GODOT_3.items():
        assert new in text, f"the example has no {new} any more"
        text = text.replace(new, old)
    (folder / "analytics.gd").write_text(text + DATETIME)
    shutil.copy(HERE / "godot_game.gd", folder)
    return _printed(["godot3-server", "--path", ".", "-s", "godot_game.gd"], folder, task)


def unreal(folder: Path, task: dict[str, str]) -> str:
    """Compile the example of Unreal with stubs of the engine, and run it; return what it printed."""
    return _printed([_compiled()], folder, task)


@cache
def _compiled() -> str:
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    for name in (
        "CoreMinimal.h", "Containers/Ticker.h", "Dom/JsonObject.h", "HttpModule.h",
        "Interfaces/IHttpRequest.h", "Interfaces/IHttpResponse.h", "Serialization/JsonReader.h",
        "Serialization/JsonSerializer.h", "Serialization/JsonWriter.h",
    ):  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text('#include "unreal_stubs.h"\n')
    warnings = ["-Wall", "-Wextra", "-Werror"]
    paths = [f"-I{folder}", f"-I{HERE}", f"-I{EXAMPLES}"]
    program = str(folder / "game")
    subprocess.run(
        ["g++", "-std=c++20", *warnings, *paths, str(HERE / "unreal_game.cpp"), "-o", program], check=True
    )
    return program


def _printed(command: list[str], folder: Path, task: dict[str, str]) -> str:
    answer = subprocess.run(
        command,
        cwd=folder, env=task | {"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=STILL_SECONDS,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout
    return answer.stdout


def roblox(folder: Path, task: dict[str, str]) -> str:
    """Run the example of Roblox with stubs of its services in Lua 5.1, of which Luau is a superset."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    said: list[str] = []

    def request(url: str, headers: Any, body: str) -> tuple[int, Any, str]:
        answer = httpx.post(url, content=body.encode(), headers=dict(headers.items()), timeout=STILL_SECONDS)
        return answer.status_code, lua.table_from(dict(answer.headers)), answer.text

    lua.globals().python = lua.table_from(
        {
            "encode": lambda value: json.dumps(_value(value)),
            "decode": lambda text: lua.table_from(json.loads(text), recursive=True),
            "request": request,
            "now": time.time,
            "sleep": time.sleep,
            "say": said.append,
            "uuid": lambda: str(uuid.uuid4()).upper(),
            "module": (EXAMPLES / "Analytics.luau").read_text(),
            **task,
        }
    )
    lua.execute((HERE / "roblox_game.lua").read_text())
    return "\n".join(said)


def _value(found: Any) -> Any:
    """Return a value of Lua as HttpService writes it: an empty table is a list."""
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if lua51.lua_type(found) != "table":
        return found
    members = dict(found.items())
    if set(members) == set(range(1, len(members) + 1)):
        return [_value(members[number]) for number in sorted(members)]
    return {name: _value(value) for name, value in members.items()}
