"""Tests through the real Pulumi CLI, each with a project, a stack and a backend of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi_cli as cli
import pytest
from lab import Lab, NewLab

if TYPE_CHECKING:
    from tests.conftest import Parent


@pytest.fixture(scope="session")
def pulumi_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what the CLI keeps besides state: its logs and plugins."""
    return tmp_path_factory.mktemp("pulumi-home")


@pytest.fixture
def pulumi_environment(pulumi_home: Path, tmp_path: Path) -> dict[str, str]:
    """The environment to run `pulumi` in, with an empty backend."""
    environment = cli.environment(pulumi_home, tmp_path / "backend", passphrase="no secret: the backend is thrown away")
    for name in [name for name in environment if name.startswith("NESTEDLAB_")]:
        del environment[name]  # no test may reach a host that the developer works on
    return environment


@pytest.fixture
def pulumi_cli(pulumi_environment: dict[str, str]) -> Path:
    """The CLI that scripts/setup found, installed or built."""
    path = shutil.which("pulumi", path=pulumi_environment["PATH"])
    assert path, "no Pulumi CLI: run scripts/setup"
    return Path(path)


@pytest.fixture
def new_lab(pulumi_cli: Path, pulumi_environment: dict[str, str], tmp_path: Path) -> NewLab:
    """Make a project of a program's text, and a stack of it; one to a test."""

    def new(program: str) -> Lab:
        folder = tmp_path / "project"
        folder.mkdir()
        lab = Lab(folder, pulumi_environment)
        lab.write(program)
        lab.init()
        return lab

    return new


@pytest.fixture
def lab_on(new_lab: NewLab) -> Callable[[Parent, str], Lab]:
    """Make a lab of a program's text on a host, which its environment names."""

    def new(parent: Parent, program: str) -> Lab:
        lab = new_lab(program)
        lab.environment.update(parent.environment)
        return lab

    return new
