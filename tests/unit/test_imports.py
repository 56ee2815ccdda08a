"""Rules of imports: a function imports itself and the layer; a test imports helpers from tests/support."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTIONS = REPOSITORY / "functions"
LAYER = FUNCTIONS / "layers" / "telemetry"
TESTS = REPOSITORY / "tests"
# Scripts of their own, which share what tests/benchmarks holds.
BENCHMARKS = TESTS / "benchmarks"


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(root: Path, folder: Path) -> dict[str, Path]:
    """Return the files below a folder by the names they are imported by from a root."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in folder.rglob("*.py")
    }


def graph(files: dict[str, Path]) -> dict[str, set[str]]:
    """Return which of the modules each of them imports, but for the packages that it is in."""
    return {
        name: {other for other in imported(path) if other in files and not f"{name}.".startswith(f"{other}.")}
        for name, path in files.items()
    }


def cycle(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of a cycle, none where there is no cycle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def beside(imports: dict[str, set[str]]) -> set[str]:
    """Return the imports of one function by another, or of a function by the layer."""
    return {
        f"{name} imports {other}"
        for name, others in imports.items()
        for other in others
        if other.split(".")[0] not in (name.split(".")[0], "telemetry")
    }


def out_of_place(files: dict[Path, set[str]], helpers: set[str], others: set[str]) -> set[str]:
    """Return the imports of modules of tests/ that are not helpers."""
    return {f"{path} imports {name}" for path, names in files.items() for name in names & others - helpers}


@pytest.fixture(scope="module")
def code() -> dict[str, set[str]]:
    """What the modules of all functions and of the layer import of each other."""
    functions = modules(FUNCTIONS, FUNCTIONS)
    return graph(
        {name: path for name, path in functions.items() if LAYER not in path.parents} | modules(LAYER, LAYER)
    )


def test_no_function_imports_another(code: dict[str, set[str]]) -> None:
    assert {"telemetry.store", "processor.handler", "metrics_api.app"} <= code.keys()
    assert beside(code) == set()


def test_imports_have_no_cycles(code: dict[str, set[str]]) -> None:
    scripts, clients = REPOSITORY / "scripts", REPOSITORY / "clients" / "python"
    for imports in (
        code,
        graph(modules(scripts, scripts)),
        graph(modules(clients, clients)),
        graph(modules(TESTS / "support", TESTS / "support")),
    ):
        assert sum(map(len, imports.values())) > 5
        assert cycle(imports) == []


def untyped(path: Path) -> set[str]:
    """Return the clients of AWS services that a file declares as Any."""
    services = {"athena", "client", "dynamodb", "firehose", "kinesis", "s3", "sns", "sqs", "table"}
    declared = {
        node.arg: node.annotation
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.arg)
    } | {
        ast.unparse(node.target): node.annotation
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AnnAssign)
    }
    return {
        name for name in declared.keys() & services if ast.unparse(declared[name] or ast.Name("")) == "Any"
    }


def test_clients_of_aws_have_types(tmp_path: Path) -> None:
    code = [*FUNCTIONS.rglob("*.py"), *(REPOSITORY / "scripts" / "tools").rglob("*.py")]
    assert {str(path): names for path in code if (names := untyped(path))} == {}
    wrong = tmp_path / "wrong.py"
    wrong.write_text("class A:\n    dynamodb: Any\n\ndef f(kinesis: Any, table: str): ...\n")
    assert untyped(wrong) == {"dynamodb", "kinesis"}


def reads_environment(path: Path) -> bool:
    """Return whether a file reads the environment without telemetry.environment."""
    attributes = {
        ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
    }
    return bool(attributes & {"os.environ", "os.getenv"}) or "pydantic_settings" in imported(path)


def test_functions_read_their_settings_one_way(tmp_path: Path) -> None:
    # The page asks whether it runs on Lambda.
    allowed = {LAYER / "telemetry" / "environment.py", FUNCTIONS / "metrics_api" / "live_page.py"}
    assert {path for path in FUNCTIONS.rglob("*.py") if reads_environment(path)} == allowed
    wrong = tmp_path / "settings.py"
    for text in ("import os\nname = os.environ['TABLE']", "from pydantic_settings import BaseSettings"):
        wrong.write_text(text)
        assert reads_environment(wrong)


def test_tests_import_helpers_from_their_folder_only() -> None:
    files = {path: {name.split(".")[0] for name in imported(path)} for path in TESTS.rglob("*.py")}
    helpers = {path.stem for path in (TESTS / "support").glob("*.py")}
    scripts = {path.stem for path in BENCHMARKS.glob("*.py")}
    stray = {path.stem for path in files if not path.is_relative_to(TESTS / "support")} - scripts
    read = {path: names for path, names in files.items() if path.parent != BENCHMARKS}
    assert out_of_place(read, helpers, stray) == set()


def test_helpers_are_in_their_folder() -> None:
    strays = {
        str(path.relative_to(REPOSITORY))
        for path in TESTS.rglob("*.py")
        if not path.name.startswith(("test_", "conftest")) and "support" not in path.parts
    }
    assert {name for name in strays if not name.startswith("tests/benchmarks/")} == set()


def test_a_file_and_a_folder_of_one_name_do_not_stand_side_by_side() -> None:
    code = [*FUNCTIONS.rglob("*.py"), *(REPOSITORY / "scripts" / "tools").rglob("*.py")]
    assert {str(path.relative_to(REPOSITORY)) for path in code if path.with_suffix("").is_dir()} == set()


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    for name, text in {
        "a/one.py": "from b import two",
        "a/three.py": "def late():\n    from a import four",
        "a/four.py": "import a.three",
        "b/two.py": "import telemetry.store",
        "telemetry/store.py": "from a.one import x",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    imports = graph(modules(tmp_path, tmp_path))
    assert beside(imports) == {"a.one imports b.two", "telemetry.store imports a.one"}
    assert set(cycle({name: imports[name] for name in ("a.three", "a.four")})) == {"a.three", "a.four"}
    assert set(cycle(imports)) <= imports.keys()
    wrong = {Path("tests/unit/test_b.py"): {"test_a", "json", "fake"}}
    assert out_of_place(wrong, {"fake"}, {"test_a", "test_b"}) == {"tests/unit/test_b.py imports test_a"}
