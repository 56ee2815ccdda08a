"""Terraform finds its provider and its environment."""

import subprocess
from pathlib import Path

import pytest
from tools import CommandError, emulator, infrastructure

PROVIDER = "registry.terraform.io/hashicorp/aws"


@pytest.fixture(autouse=True)
def _no_mirror_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    candidates = infrastructure._mirror_candidates
    monkeypatch.setattr(
        infrastructure,
        "_mirror_candidates",
        lambda: (path for path in candidates() if tmp_path in path.parents),
    )
    monkeypatch.setattr(infrastructure, "_locked_version", lambda: "5.100.0")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("TF_PROVIDER_MIRROR", "TF_PLUGIN_CACHE_DIR", "TF_CLI_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)


def _mirror(directory: Path, version: str = "5.100.0") -> Path:
    (directory / PROVIDER / version / "linux_amd64").mkdir(parents=True)
    return directory


def test_no_mirror_means_the_registry() -> None:
    assert infrastructure.provider_mirror() is None
    assert infrastructure.init_arguments() == ["-input=false"]


def test_mirror_is_found_where_terraform_itself_looks(tmp_path: Path) -> None:
    mirror = _mirror(tmp_path / "home" / ".terraform.d" / "plugins")
    assert infrastructure.provider_mirror() == mirror
    assert infrastructure.init_arguments() == ["-input=false", f"-plugin-dir={mirror}"]


def test_mirror_named_by_a_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _mirror(tmp_path / "home" / ".terraform.d" / "plugins")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(_mirror(tmp_path / "cache")))
    assert infrastructure.provider_mirror() == tmp_path / "cache"
    monkeypatch.setenv("TF_PROVIDER_MIRROR", str(_mirror(tmp_path / "mirror")))
    assert infrastructure.provider_mirror() == tmp_path / "mirror"


def test_mirror_without_the_locked_version_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_PROVIDER_MIRROR", str(_mirror(tmp_path / "mirror", "5.99.0")))
    assert infrastructure.provider_mirror() is None


def test_packed_mirror_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "mirror" / PROVIDER / "terraform-provider-aws_5.100.0_linux_amd64.zip"
    packed.parent.mkdir(parents=True)
    packed.touch()
    monkeypatch.setenv("TF_PROVIDER_MIRROR", str(tmp_path / "mirror"))
    assert infrastructure.provider_mirror() == tmp_path / "mirror"


def test_cli_configuration_that_does_not_exist_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "terraformrc"
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(named))
    assert Path(infrastructure.environment()["TF_CLI_CONFIG_FILE"]).is_file()
    named.touch()
    assert "TF_CLI_CONFIG_FILE" not in infrastructure.environment()


@pytest.mark.parametrize("version", ["1.10.5", "0.15.0"])
def test_old_terraform_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = subprocess.CompletedProcess([], 0, stdout=f'{{"terraform_version": "{version}"}}')
    monkeypatch.setattr(infrastructure, "_terraform", lambda *_: answer)
    monkeypatch.setattr(infrastructure.shutil, "which", lambda _: "terraform")
    with pytest.raises(CommandError, match=rf"1\.11 or newer is needed; terraform is {version}"):
        infrastructure.require_terraform()


def test_missing_terraform_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrastructure.shutil, "which", lambda _: None)
    with pytest.raises(CommandError, match="none is on PATH"):
        infrastructure.require_terraform()


def test_environment_is_named_or_a_directory(tmp_path: Path) -> None:
    assert infrastructure.root("dev") == infrastructure.ENVIRONMENTS / "dev"
    assert (
        infrastructure.root(str(infrastructure.INFRASTRUCTURE / "bootstrap"))
        == infrastructure.INFRASTRUCTURE / "bootstrap"
    )
    with pytest.raises(CommandError, match=r"neither an environment \(dev, local, prod\) nor a directory"):
        infrastructure.root(str(tmp_path))


def test_local_environment_never_reaches_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    environment = emulator.local_environment()
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
