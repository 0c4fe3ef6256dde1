"""What a change does beside what it says: told from the last look, in a preview."""

from __future__ import annotations

from typing import Any

import pytest

from nestedlab.lifecycle import check, diff
from nestedlab.machine.disks.table import HELD
from nestedlab.machine.table import NestedHyperVHost

MADE = [{"location": 1, "size_gib": 5, "fixed": False, "keep": False}]


def told(found: dict[str, Any], asked: dict[str, Any]) -> list[tuple[str, bool]]:
    """The consequences of asking for that where this was found, and whether each is forbidden."""
    usual = {"name": "hv1", "owner": "lab/dev/hv1", "os_disk": {"size_gib": 80}}
    inputs = {name: value for name, value in found.items() if name != "checkpointed_disks"}
    before, _ = check(NestedHyperVHost, {**usual, **inputs})
    wanted, failures = check(NestedHyperVHost, {**usual, **inputs, **asked})
    assert not failures
    shown = {**before, **{name: value for name, value in found.items() if name not in before}}
    difference = diff(NestedHyperVHost, shown, wanted)
    said = NestedHyperVHost.consequences(shown, wanted, difference.changed, difference.replaced)
    return [(one.text.removesuffix(FAILS) if one.forbidden else one.text, one.forbidden) for one in said]


FAILS = ", and on_power_off is 'fail'"
FAIL = {"on_power_off": "fail"}
OFF = "the running machine will be shut down"
AGAIN = f"{OFF} and started again to change"
MOVED = "will be deleted, or put back where it belongs if somebody has moved it"
BACK = "to its baseline: what was done on it since then is lost"


@pytest.mark.parametrize(
    ("found", "asked", "said"),
    [
        ({}, {"notes": "x"}, []),
        ({}, {"processors": 2}, [(f"{AGAIN} processors", False)]),
        (FAIL, {"processors": 2}, [(f"{AGAIN} processors", True)]),
        ({"running": False}, {"processors": 2}, []),
        (FAIL, {"running": False}, [(OFF, False)]),
        (FAIL, {"running": False, "processors": 2}, [(f"{OFF} to change processors", False)]),
        ({"running": False}, {"running": True}, []),
        (
            {"baseline": "clean"},
            {"reset": "1"},
            [(f"the running machine will be turned off and go back {BACK}", False)],
        ),
        (
            {"baseline": "clean", **FAIL},
            {"reset": "1"},
            [(f"the running machine will be turned off and go back {BACK}", True)],
        ),
        (
            {"baseline": "clean", "running": False, **FAIL},
            {"reset": "1"},
            [(f"the machine will go back {BACK}", False)],
        ),
        ({"data_disks": MADE}, {"data_disks": []}, [("the data disk at location 1 will be deleted", False)]),
        (
            {"data_disks": [{**MADE[0], "location": 7}]},
            {"data_disks": MADE},
            [
                (
                    f"the data disk at location 7 {MOVED}",
                    False,
                )
            ],
        ),
        ({"data_disks": [{**MADE[0], "keep": True}]}, {"data_disks": []}, []),
        ({"data_disks": [{"location": 1, "path": "D:\\a.vhdx"}]}, {"data_disks": []}, []),
        (
            {"data_disks": MADE, "checkpointed_disks": [0, 1]},
            {"data_disks": [{**MADE[0], "size_gib": 6}], "os_disk": {"size_gib": 81}, "running": False},
            [
                ("the running machine will be shut down to change os_disk, data_disks", False),
                (f"the OS disk cannot change: {HELD}", True),
                (f"the data disk at location 1 cannot change: {HELD}", True),
            ],
        ),
        (
            {"data_disks": MADE, "checkpointed_disks": [0, 1]},
            {"data_disks": []},
            [
                (f"the data disk at location 1 cannot change: {HELD}", True),
                ("the data disk at location 1 will be deleted", False),
            ],
        ),
        ({"data_disks": MADE, "checkpointed_disks": [0, 1]}, {"data_disks": [{**MADE[0], "keep": True}]}, []),
        (
            {"baseline": "clean", "running": False, "checkpointed_disks": [0], "data_disks": MADE},
            {"reset": "1"},
            [
                (f"the machine will go back {BACK}", False),
                ("the data disk at location 1 is not in the baseline, and will be made anew", False),
            ],
        ),
        (
            {"baseline": "clean", "running": False, "checkpointed_disks": [0, 1], "data_disks": MADE},
            {"reset": "1"},
            [(f"the machine will go back {BACK}", False)],
        ),
        (
            {"path": "D:\\VMs"},
            {"path": "E:\\VMs", "processors": 2},
            [("the machine will be deleted, with the disks made for it, and made anew: path cannot change", False)],
        ),
    ],
)
def test_what_a_change_does_is_told(found: dict[str, Any], asked: dict[str, Any], said: list[tuple[str, bool]]) -> None:
    assert told(found, asked) == said
