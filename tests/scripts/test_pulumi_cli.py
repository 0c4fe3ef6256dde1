"""Which Pulumi CLI is used, and the message if none can be had."""

import os
from pathlib import Path

import cache
import pulumi_cli
import pytest
from pulumi_cli import UnavailableError


def stub(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho {says}\n")
    (folder / name).chmod(0o755)
    return folder / name


@pytest.fixture(autouse=True)
def nothing_to_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pulumi, no go, an empty cache, and no network to ask for an installer."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("NESTEDLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pulumi_cli, "install", closed)
    monkeypatch.setattr(pulumi_cli, "LINK", tmp_path / "venv/bin/pulumi")
    (tmp_path / "venv/bin").mkdir(parents=True)


def closed(_folder: Path) -> None:
    raise UnavailableError("Pulumi's installer: no network")


def test_a_good_one_on_path_is_linked(tmp_path: Path) -> None:
    pulumi = stub(tmp_path / "bin", "pulumi", "v3.216.0")
    stub(tmp_path / "bin", "pulumi-language-python", "")
    pulumi_cli.main()
    assert pulumi_cli.LINK.readlink() == pulumi


def test_the_link_follows_a_changed_path(tmp_path: Path) -> None:
    pulumi_cli.LINK.symlink_to(tmp_path / "gone")
    pulumi = stub(tmp_path / "bin", "pulumi", "v3.300.1")
    stub(tmp_path / "bin", "pulumi-language-python", "")
    pulumi_cli.main()
    assert pulumi_cli.LINK.readlink() == pulumi


def test_the_environments_own_link_is_not_found_as_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    stub(pulumi_cli.LINK.parent, "pulumi", "v3.300.0")
    monkeypatch.setenv("PATH", str(pulumi_cli.LINK.parent))
    with pytest.raises(UnavailableError, match="no pulumi on PATH"):
        pulumi_cli.on_path()


@pytest.mark.parametrize("version", ["v3.215.9", "v2.99.0", "v4.0.0", "nonsense"])
def test_another_version_is_refused(tmp_path: Path, version: str) -> None:
    stub(tmp_path / "bin", "pulumi", version)
    with pytest.raises(UnavailableError, match=r"is not of version 3\.216 or a later 3"):
        pulumi_cli.on_path()


def test_one_without_its_python_language_host_is_refused(tmp_path: Path) -> None:
    stub(tmp_path / "bin", "pulumi", "v3.259.0")
    with pytest.raises(UnavailableError, match="has no pulumi-language-python beside it"):
        pulumi_cli.on_path()


def test_one_in_the_cache_is_taken_again() -> None:
    pulumi = stub(cache.folder() / pulumi_cli.built_name() / "bin", "pulumi", "v3.259.0")
    pulumi_cli.main()
    assert pulumi_cli.LINK.readlink() == pulumi


def test_an_older_go_is_not_tried(tmp_path: Path) -> None:
    stub(tmp_path / "bin", "go", "go version go1.25.10 linux/amd64")
    with pytest.raises(UnavailableError, match=r"is older than 1\.25\.11"):
        pulumi_cli.built()


def test_where_none_can_be_had_every_reason_and_the_remedy_are_told() -> None:
    with pytest.raises(SystemExit) as end:
        pulumi_cli.main()
    for fragment in ("no pulumi on PATH", "no network", "no go on PATH", "install Pulumi 3.259.0 or a later 3"):
        assert fragment in str(end.value)
    assert not pulumi_cli.LINK.is_symlink()


def test_commands_run_on_their_own_and_with_this_python(tmp_path: Path) -> None:
    environment = pulumi_cli.environment(tmp_path / "home", tmp_path / "state", "word")
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/state"
    assert (Path(environment["PATH"].split(os.pathsep)[0]) / "python3").exists()
