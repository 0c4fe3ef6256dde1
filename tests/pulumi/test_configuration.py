"""Where the settings come from, and where the password must not go."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lab import Lab

from hyperv_sim.server import SimulatedServer

if TYPE_CHECKING:
    from lab import Run
    from tests.conftest import NewParent, Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi
import pulumi_nestedlab as lab

parts = [lab.Adapter(name=pulumi.Output.secret("hidden-adapter"))]
notes = pulumi.Output.secret("the key is 4711-0815")
lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=80), notes=notes, adapters=parts)
"""


def test_a_stack_can_hold_all_settings(new_parent: NewParent, lab_on: LabOn, tmp_path: Path) -> None:
    parent = new_parent(tls=True)
    lab = lab_on(parent, PROGRAM)
    for name in parent.environment:
        del lab.environment[name]
    log = tmp_path / "nestedlab.log"
    lab.environment["NESTEDLAB_LOG"] = str(log)
    # The stack's settings count before the environment's.
    lab.environment["NESTEDLAB_USERNAME"] = "nobody"
    lab.config("nestedlab:address", parent.server.url)
    lab.config("nestedlab:username", parent.server.username)
    lab.config("nestedlab:password", parent.server.password, secret=True)
    # As README has it: beside the program.
    shutil.copy(parent.server.ca_bundle, lab.folder / "hv01.pem")
    lab.config("nestedlab:caBundle", "hv01.pem")
    # Without -v: with it the engine itself logs the configuration that it hands to providers, secrets in clear.
    _lives_in_silence(parent, lab, tmp_path)
    logged = log.read_text()
    assert "New-VM -Name 'hv1'" in logged
    assert "[secret]" in logged
    assert not [secret for secret in ("4711-0815", "hidden-adapter") if secret in logged]
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_refresh_has_the_settings_of_the_last_up_and_says_how_it_gets_new_ones(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM)
    for name in ("ADDRESS", "USERNAME", "PASSWORD"):
        value = lab.environment.pop(f"NESTEDLAB_{name}")
        lab.config(f"nestedlab:{name.lower()}", value, secret=name == "PASSWORD")
    lab.up()
    state = lab.state()["resources"]
    remedy = "run `pulumi up` first, or add --run-program"
    parent.server.stop()
    with SimulatedServer(parent.host.shells, username="trainer", password="another-4711") as moved:
        address = moved.url
        lab.config("nestedlab:address", address)
        lab.config("nestedlab:username", moved.username)
        lab.config("nestedlab:password", moved.password, secret=True)
        refused = lab.refresh(fails=True)
        assert "refused the connection" in refused.text
        assert remedy in refused.text
        assert [resource["urn"] for resource in lab.state()["resources"]] == [resource["urn"] for resource in state]
        assert lab.refresh("--run-program").steps == {"hv1": ["same"]}
        lab.up()
        lab.refresh()
    listen = address.removeprefix("http://").partition("/")[0]
    with SimulatedServer(parent.host.shells, listen=listen, username="trainer", password="changed-4711"):
        lab.config("nestedlab:password", "changed-4711", secret=True)
        unknown = lab.destroy(fails=True)
        assert "refused the logon of trainer" in unknown.text
        assert remedy in unknown.text
        lab.destroy("--run-program")
    assert parent.machines == []


def test_the_environment_can_hold_all_settings(parent: Parent, lab_on: LabOn, tmp_path: Path) -> None:
    _lives_in_silence(parent, lab_on(parent, PROGRAM), tmp_path, "-v=9", "--logtostderr", "--logflow")


def _lives_in_silence(parent: Parent, lab: Lab, folder: Path, *loud: str) -> None:
    """Go through a life, logging what the options say; the password is in nothing that is printed or kept."""
    password = parent.server.password
    runs = [lab.up(*loud), lab.up("--refresh", "--diff", *loud)]
    _is_silent(runs, password)
    assert password not in str(lab.state())
    parent.server.arm("fault=5 any#*")
    failed = lab.refresh(*loud, fails=True)
    parent.server.arm()
    assert "may not use the endpoint" in failed.text
    runs = [failed, lab.destroy(*loud)]
    _is_silent(runs, password)
    kept = [file for file in folder.rglob("*") if file.is_file()]
    assert [file for file in kept if b"lab/dev/hv1" in file.read_bytes()]
    assert not [file for file in kept if password.encode() in file.read_bytes()]


def _is_silent(runs: list[Run], password: str) -> None:
    for run in runs:
        assert run.events
        assert password not in run.text, run.command
        assert password not in str(run.events), run.command
