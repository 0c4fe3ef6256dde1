"""Each input changed: in place or by replacement, and nothing besides it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab import Lab
from pydantic.alias_generators import to_camel
from tests import case_files

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import Ask

CASES = case_files.cases_in(case_files.CASES / "pulumi" / "changes.yaml")
USUAL: dict[str, dict[str, Any]] = {
    "machines": {"os_disk": {"size_gib": 80}},
    "switches": {"prefix": "192.168.60.0/24"},
}
STEPS = {"in place": ["update"], "replaced": ["delete-replaced", "replace", "create-replacement"]}


def test_each_input_changes_as_its_case_says(parent: Parent, many_on: Callable[[Parent], Lab], ask: Ask) -> None:
    _furnish(parent)
    before = parent.snapshot()
    lab = many_on(parent)
    ask(lab, **_inputs("from"))
    lab.up()
    first = {name: resource["id"] for name, resource in lab.resources().items() if "id" in resource}

    ask(lab, **_inputs("to"))
    cases = {**CASES["machines"], **CASES["switches"]}
    preview = lab.preview()
    assert {name: shown for name, shown in preview.diff.items() if name in cases} == {
        name: {case.get("shows", to_camel(name))} for name, case in cases.items()
    }
    up = lab.up()
    assert {name: sorted(up.steps[name]) for name in cases} == {
        name: sorted(STEPS[case["how"]]) for name, case in cases.items()
    }
    # Names on the host are fixed, so the old object is deleted before its replacement is created.
    replaced = [steps for steps in up.steps.values() if len(steps) > 1]
    assert all(steps.index("delete-replaced") < steps.index("create-replacement") for steps in replaced)
    now = {name: resource["id"] for name, resource in lab.resources().items() if name in cases}
    assert {name for name in cases if now[name] == first[name]} == {
        name for name, case in cases.items() if case["how"] == "in place"
    }
    assert len(parent.machines) == len(CASES["machines"])
    lab.expect_no_changes()

    lab.destroy()
    assert _without_traces_of_use(parent.snapshot()) == _without_traces_of_use(before)


def _without_traces_of_use(snapshot: Any) -> Any:
    """The host without what a machine leaves: its empty folder (Remove-VM), and the writes to a disk it was given."""
    files = snapshot["files"]["entries"]
    for path in [path for path in files if path.startswith(("d:\\one\\", "d:\\two\\")) and files[path]["is_folder"]]:
        del files[path]
    for file in files.values():
        file["disk"] = file["disk"] and {**file["disk"], "written": ""}
    return snapshot


def _furnish(parent: Parent) -> None:
    """Create what the cases name: images, disks, folders and two switches."""
    with parent.at_prompt() as run:
        for folder in ("Images", "One", "Two"):
            run("New-Item", Path=f"D:\\{folder}", ItemType="Directory")
        for disk in ("one", "two", "three", "four"):
            run("New-VHD", Path=f"D:\\Images\\{disk}.vhdx", SizeBytes=40 * 2**30, Dynamic=True)
        for switch in ("one", "two"):
            run("New-VMSwitch", Name=switch, SwitchType="Private")


def _inputs(when: str) -> dict[str, dict[str, Any]]:
    return {kind: {name: {**USUAL[kind], **case[when]} for name, case in CASES[kind].items()} for kind in USUAL}
