"""Tests through the real Pulumi CLI, each with a project, a stack and a backend of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import interrupted
import psutil
import pulumi_cli as cli
import pytest
from lab import Lab, NewLab

if TYPE_CHECKING:
    from tests.conftest import Parent


LabOn = Callable[["Parent", str], Lab]
Ask = Callable[..., None]

SECONDS_TO_END = 10
"""How long a process that a test has started may go on after it."""


@pytest.fixture(autouse=True)
def nothing_is_left_running(tmp_path: Path) -> Iterator[None]:
    """Fail a test that leaves a process running: a command, or what a command has started in turn."""
    yield
    started = [*psutil.Process().children(recursive=True), *interrupted.working_on(tmp_path / "backend")]
    _, alive = psutil.wait_procs(started, SECONDS_TO_END)
    commands = [process.cmdline() for process in alive]
    for process in alive:
        process.kill()
    assert commands == []


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
    """Make a project of a program's text, and a stack of it; at most once in a test."""

    def new(program: str) -> Lab:
        folder = tmp_path / "project"
        folder.mkdir()
        lab = Lab(folder, pulumi_environment)
        lab.write(program)
        lab.init()
        return lab

    return new


@pytest.fixture
def lab_on(new_lab: NewLab) -> LabOn:
    """Make a lab of a program's text on a host, which its environment names."""

    def new(parent: Parent, program: str) -> Lab:
        lab = new_lab(program)
        lab.environment.update(parent.environment)
        return lab

    return new


MANY = """
import json
from pathlib import Path

import pulumi
import pulumi_nestedlab as lab

resources = json.loads(Path("lab.json").read_text())
switches = [lab.NatSwitch(name, **inputs) for name, inputs in resources.get("switches", {}).items()]
after = pulumi.ResourceOptions(depends_on=switches)
for name, inputs in resources.get("machines", {}).items():
    lab.NestedHyperVHost(name, **{**inputs, "os_disk": lab.Disk(**inputs["os_disk"])}, opts=after)
"""


@pytest.fixture
def ask() -> Ask:
    """Set the resources of a lab with the program MANY, by kind and logical name."""

    def write(lab: Lab, **resources: dict[str, dict[str, Any]]) -> None:
        (lab.folder / "lab.json").write_text(json.dumps(resources))

    return write


@pytest.fixture
def many_on(lab_on: LabOn) -> Callable[[Parent], Lab]:
    """Make a lab on a host whose resources are data; see `ask`."""
    return lambda parent: lab_on(parent, MANY)
