"""What changes behind Pulumi's back: seen under its own name with its live value, then healed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab import Lab
from tests import case_files

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import Ask

CASES = case_files.cases_in(case_files.CASES / "pulumi" / "drift.yaml")


def test_each_drift_is_seen_and_healed(parent: Parent, many_on: Callable[[Parent], Lab], ask: Ask) -> None:
    parent.by_hand("New-VMSwitch", Name="other", SwitchType="Private")
    parent.host.place(r"C:\Images\one.iso")
    before = parent.snapshot()
    lab = many_on(parent)
    machines = {
        name: {"os_disk": {"size_gib": 80}, "switch": "net-notes", **case.get("inputs", {})}
        for name, case in CASES["machines"].items()
    }
    networks = {name: f"192.168.{number}" for number, name in enumerate(CASES["switches"], start=50)}
    switches = {
        name: {"prefix": f"{network}.0/24", **_filled(CASES["switches"][name].get("inputs", {}), {"network": network})}
        for name, network in networks.items()
    }
    ask(lab, machines=machines, switches=switches)
    lab.up()
    made = lab.resources()
    cases = {**CASES["machines"], **CASES["switches"]}
    places = {
        name: {
            "name": name,
            "mark": _mark(made[name]),
            "nat": made[name]["outputs"].get("natName", ""),
            "network": networks.get(name, ""),
        }
        for name in cases
    }

    with parent.at_prompt() as run:
        for name, case in cases.items():
            for cmdlet, parameters in [command for line in case["by_hand"] for command in line.items()]:
                run(cmdlet, **_filled(parameters, places[name]))
    shows = {name: _filled(case["shows"], places[name]) for name, case in cases.items()}

    lab.refresh()
    seen = lab.resources()
    assert {name: _changed(made[name]["outputs"], seen[name]["outputs"]) for name in cases} == shows

    drifted = {name: {key for key in shown if key in made[name]["inputs"]} for name, shown in shows.items()}
    preview = lab.preview()
    assert preview.diff == {name: keys for name, keys in drifted.items() if keys}
    assert preview.changes["update"] == len(preview.diff)
    assert preview.changes.keys() == {"same", "update"}

    lab.up()
    lab.expect_no_changes()
    healed = lab.resources()
    assert not any(_changed(made[name]["outputs"], healed[name]["outputs"]) for name in cases)

    lab.destroy()
    assert parent.snapshot() == before


def _mark(made: dict[str, Any]) -> str:
    """What the marker in a resource's notes says: the owner, the stack, the creation, and its own id."""
    outputs, identity = made["outputs"], made["id"].replace("-", "")[:12]
    return f"{outputs['owner']} stack={outputs['stackId']} creation={outputs['creation']} id={identity}"


def _changed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    return {key: now.get(key) for key in {*before, *now} if before.get(key) != now.get(key)}


def _filled(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, places) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, places) for item in value]
    return value.format(**places) if isinstance(value, str) else value


def test_a_disk_that_was_grown_by_hand_is_not_made_anew(
    parent: Parent, many_on: Callable[[Parent], Lab], ask: Ask
) -> None:
    lab = many_on(parent)
    ask(lab, machines={"hv1": {"os_disk": {"size_gib": 80}, "running": False}})
    lab.up()
    disk = lab.resources()["hv1"]["outputs"]["osDiskPath"]
    parent.by_hand("Resize-VHD", Path=disk, SizeBytes=90 * 2**30)
    assert lab.refresh().diff == {"hv1": {"osDisk"}}
    assert "a disk cannot shrink: it has 90 GiB. Set size_gib to at least that" in lab.preview(fails=True).text
    ask(lab, machines={"hv1": {"os_disk": {"size_gib": 90}, "running": False}})
    lab.preview("--expect-no-changes")
