"""The Terraform roots and their outputs, with `terraform init` where it is needed."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import REPOSITORY, CommandError

INFRASTRUCTURE = REPOSITORY / "infrastructure"
ENVIRONMENTS = INFRASTRUCTURE / "environments"
MINIMUM_VERSION = (1, 11)
PROVIDER = Path("registry.terraform.io", "hashicorp", "aws")


def provider_mirror() -> Path | None:
    """Return a directory of this machine that holds the AWS provider at the locked version."""
    version = _locked_version()
    for directory in _mirror_candidates():
        provider = directory / PROVIDER
        unpacked = (provider / version).is_dir()
        if unpacked or any(provider.glob(f"terraform-provider-aws_{version}_*.zip")):
            return directory
    return None


def environment() -> dict[str, str]:
    """Return what to add to terraform's environment: it asks nothing and finds its CLI configuration.

    Terraform and its provider are short runs: collecting garbage less often saves a fifth of their CPU time.
    """
    added = {"CHECKPOINT_DISABLE": "1", "GOGC": os.environ.get("GOGC", "400"), "TF_IN_AUTOMATION": "1"}
    named = os.environ.get("TF_CLI_CONFIG_FILE")
    if named and not Path(named).is_file():
        empty = REPOSITORY / ".local" / "terraform.tfrc"
        empty.parent.mkdir(exist_ok=True)
        empty.touch()
        added["TF_CLI_CONFIG_FILE"] = str(empty)
    return added


def init_arguments() -> list[str]:
    """Return the arguments of `terraform init`."""
    mirror = provider_mirror()
    return ["-input=false", *([f"-plugin-dir={mirror}"] if mirror else [])]


def require_terraform() -> str:
    """Return the version of terraform. Raises CommandError where it is missing or too old."""
    needed = "Terraform {}.{} or newer is needed".format(*MINIMUM_VERSION)
    if not shutil.which("terraform"):
        raise CommandError(f"{needed} and none is on PATH: https://developer.hashicorp.com/terraform/install")
    answer = _terraform(REPOSITORY, "version", "-json")
    version: str = json.loads(answer.stdout)["terraform_version"]
    if tuple(map(int, version.split(".")[:2])) < MINIMUM_VERSION:
        raise CommandError(f"{needed}; {shutil.which('terraform')} is {version}")
    return version


def initialise(directory: Path) -> None:
    """Run `terraform init` in a root that changed since the last one. Raises CommandError where it fails."""
    stamp = directory / os.environ.get("TF_DATA_DIR", ".terraform") / "initialised"
    sources = [
        directory / ".terraform.lock.hcl",
        *directory.glob("*.tf"),
        *INFRASTRUCTURE.glob("modules/**/*.tf"),
    ]
    if stamp.is_file() and stamp.stat().st_mtime > max(
        path.stat().st_mtime for path in sources if path.exists()
    ):
        return
    answer = _terraform(directory, "init", "-no-color", *init_arguments(), *backend_arguments(directory))
    if answer.returncode:
        raise CommandError(f"terraform init failed in {directory}\n{answer.stderr.strip()}")
    stamp.touch()


def outputs(environment: str) -> dict[str, Any]:
    """Return the outputs of an applied environment's platform. Raises CommandError where there are none."""
    directory = root(environment)
    require_terraform()
    initialise(directory)
    answer = _terraform(directory, "output", "-json", "-no-color")
    if answer.returncode:
        raise CommandError(f"terraform output failed in {directory}\n{answer.stderr.strip()}")
    found: dict[str, Any] = json.loads(answer.stdout).get("platform", {})
    if not found:
        todo = "make demo" if directory.name == "local" else f"scripts/terraform {directory.name} apply"
        raise CommandError(f"nothing is applied to {directory.name}: run `{todo}`")
    platform: dict[str, Any] = found["value"]
    return platform


def root(name: str) -> Path:
    """Return the directory of an environment or the directory named. Raises CommandError for others."""
    for directory in (ENVIRONMENTS / name, Path(name).resolve()):
        if any(directory.glob("*.tf")):
            return directory
    known = ", ".join(sorted(path.name for path in ENVIRONMENTS.iterdir() if path.is_dir()))
    raise CommandError(f"{name} is neither an environment ({known}) nor a directory with Terraform files")


def _terraform(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["terraform", *arguments],
        cwd=directory,
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        check=False,
    )


def _locked_version() -> str:
    lock = (ENVIRONMENTS / "local" / ".terraform.lock.hcl").read_text()
    (version,) = re.findall(r'hashicorp/aws" \{\s+version\s+= "([^"]+)"', lock)
    return str(version)


def _mirror_candidates() -> Iterator[Path]:
    for name in ("TF_PROVIDER_MIRROR", "TF_PLUGIN_CACHE_DIR"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    yield Path.home() / ".terraform.d" / "plugins"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    yield from sorted(Path("/opt").glob("*"))


def backend_arguments(directory: Path) -> list[str]:
    """Return what names the file that bootstrap wrote for the environments whose state is on S3."""
    file = directory.parent / "backend.hcl"
    remote = 'backend "s3"' in (directory / "terraform.tf").read_text()
    return [f"-backend-config={file}"] if remote and file.is_file() else []
