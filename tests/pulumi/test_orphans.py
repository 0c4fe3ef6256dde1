"""`nestedlab orphans`: what a run that was killed has left on the host, and no state knows."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from tests.pulumi.commands import run_nestedlab
from tests.pulumi.test_killed import PROGRAM, kill_at

if TYPE_CHECKING:
    from lab import Lab
    from tests.conftest import Parent
    from tests.pulumi.conftest import Ask, LabOn

FOUND = 3
NEW_VM = 5
"""Which answer to an `up` is the one to New-VM, counted from the first that opens its session."""


def orphans(lab: Lab, *options: str, code: int = 0) -> dict[str, Any]:
    """Run the command in the stack's project, and return what it answers."""
    return dict(json.loads(_run(lab, *options, "--json", code=code)))


def _run(lab: Lab, *options: str, code: int = 0) -> str:
    arguments = ("orphans", "--stack", lab.stack, *options)
    done = run_nestedlab(*arguments, folder=lab.folder, environment=lab.environment, code=code)
    return done.stdout + done.stderr


def _names(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(thing["what"], thing["name"]) for thing in found]


def test_a_machine_that_a_killed_up_has_left_is_listed_and_removed(parent: Parent, lab_on: LabOn) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM.format(processors=4, size=80))
    kill_at(NEW_VM, parent, lab)
    found = orphans(lab, code=FOUND)
    assert _names(found["orphans"]) == [("machine", "hv1")]
    assert found["orphans"][0]["id"] == str(parent.machine("hv1").id)
    text = _run(lab, code=FOUND)
    assert "hv1" in text
    assert "--remove" in text
    assert "Error" in _run(lab, "--remove", code=2)
    assert _names(orphans(lab, "--remove", "--yes")["removed"]) == [("machine", "hv1")]
    assert parent.snapshot() == before
    assert "Nothing of lab/dev is left" in _run(lab)


def test_after_a_destroy_the_identity_tells_whose_it_is(parent: Parent, lab_on: LabOn) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM.format(processors=4, size=80))
    kill_at(NEW_VM, parent, lab)
    (warning,) = lab.destroy().messages("warning")
    assert parent.machines == ["hv1"]
    assert f"machine 'hv1' ({parent.machine('hv1').id})" in warning
    found = orphans(lab, "--remove", "--yes", code=FOUND)
    assert (found["orphans"], found["removed"]) == ([], [])
    assert _names(found["doubtful"]) == [("machine", "hv1")]
    identity = found["doubtful"][0]["identity"]
    assert f"nestedlab orphans --identity {identity} --remove" in warning
    backend = Path(lab.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    first, *_ = sorted(backend.glob(".pulumi/history/lab/dev/*.checkpoint.json"))
    assert _names(orphans(lab, "--earlier-state", str(first), code=FOUND)["orphans"]) == [("machine", "hv1")]
    assert _names(orphans(lab, "--identity", identity, "--remove", "--yes")["removed"]) == [("machine", "hv1")]
    assert parent.snapshot() == before


def test_a_destroy_does_not_warn_of_what_it_is_removing(
    parent: Parent, many_on: Callable[[Parent], Lab], ask: Ask
) -> None:
    before = parent.snapshot()
    lab = many_on(parent)
    machines = {f"hv{number}": {"os_disk": {"size_gib": 40}} for number in range(6)}
    ask(lab, switches={"lab-net": {"prefix": "192.168.50.0/24"}}, machines=machines)
    lab.up()
    assert lab.destroy().messages("warning") == []
    assert parent.snapshot() == before


def test_a_killed_command_leaves_a_lock_and_a_pending_operation(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM.format(processors=4, size=80))
    _kill_all_at(NEW_VM, parent, lab)
    assert "locked" in lab.up(fails=True).text
    lab.run("cancel", "--yes")
    assert [pending["type"] for pending in lab.state()["pending_operations"]] == ["creating"]
    assert _names(orphans(lab, code=FOUND)["orphans"]) == [("machine", "hv1")]
    created_id = parent.machine("hv1").id
    assert "pending operations" in lab.up().text
    assert parent.machine("hv1").id == created_id
    assert orphans(lab)["orphans"] == []
    lab.refresh("--clear-pending-creates")
    assert not lab.state().get("pending_operations")
    assert "pending operations" not in lab.destroy().text


def _kill_all_at(answer: int, parent: Parent, lab: Lab) -> None:
    """Kill an `up`, with all that it has started, while it waits for an answer of the host."""
    held = parent.server.arm(f"stall=120 Receive#{answer}")
    command = lab.command("up", "--yes", "--skip-preview")
    with subprocess.Popen(command, cwd=lab.folder, env=lab.environment, stdout=subprocess.DEVNULL) as up:
        while not held.fired:
            assert up.poll() is None
            time.sleep(0.01)
        for process in [psutil.Process(up.pid), *psutil.Process(up.pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # ended with the one before
                process.kill()
    parent.server.arm()


def test_disks_that_no_state_knows_are_removed_if_an_earlier_state_has_them_and_nothing_of_others_is_listed(
    parent: Parent, lab_on: LabOn
) -> None:
    with parent.at_prompt() as run:
        for name, notes in (
            ("by-hand", "a note"),
            ("theirs", "[nestedlab owner=lab/prod/theirs stack=abc creation=1]"),
        ):
            run("New-VM", Name=name, Generation=2, NoVHD=True, MemoryStartupBytes=2**30)
            run("Set-VM", Name=name, Notes=notes)
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM.format(processors=4, size=80))
    lab.up()
    earlier = lab.folder / "earlier.json"
    earlier.write_text(lab.run("stack", "export").text)
    found = orphans(lab, "--remove", "--yes")
    assert [found[kind] for kind in ("orphans", "doubtful", "looseDisks", "removed")] == [[], [], [], []]
    assert sorted(parent.machines) == ["by-hand", "hv1", "theirs"]
    # After the read comes Remove-VM: the machine is gone then, and its disk is not.
    kill_at(4, parent, lab, "destroy", "--target", lab.resources()["hv1"]["urn"])
    assert sorted(parent.machines) == ["by-hand", "theirs"]
    assert orphans(lab)["looseDisks"] == []  # the state still has it, and `destroy` removes it
    lab.refresh()
    found = orphans(lab, "--remove", "--yes")
    assert (found["orphans"], found["removed"], len(found["looseDisks"])) == ([], [], 1)
    removed = orphans(lab, "--earlier-state", str(earlier), "--remove", "--yes")
    assert _names(removed["removed"]) == [("disks of a machine that is gone", "hv1")]
    assert removed["looseDisks"] == []
    assert parent.snapshot() == before


def test_what_is_wrong_is_told_with_its_remedy_and_without_a_password(
    parent: Parent, lab_on: LabOn, tmp_path: Path
) -> None:
    lab = lab_on(parent, PROGRAM.format(processors=4, size=80))
    assert "Pulumi.yaml" in _run(lab, "--cwd", str(tmp_path), code=1)
    lab.config("nestedlab:password", "wrong-4711", secret=True)
    refused = _run(lab, code=1)
    assert "password" in refused
    assert "wrong-4711" not in refused
    lab.stack = "absent"
    assert "absent" in _run(lab, code=1)
