"""What a change of a machine does besides what it says: decided once, reported in a preview, judged in an update."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from nestedlab.lifecycle import Observed, check
from nestedlab.machine.disks.changes import HELD
from nestedlab.machine.facets import decide
from nestedlab.machine.table import MachineOutputs, NestedHyperVHost
from nestedlab.plain import loaded, plain

MADE = [{"location": 1, "size_gib": 5, "fixed": False, "keep": False}]
OUTPUTS = MachineOutputs.model_fields.keys()
IT = UUID("5d5ee4c5-15f1-4a09-a1a0-6ac3c2e2a0e1")


def side_effects(state: dict[str, Any], inputs: dict[str, Any]) -> list[tuple[str, bool]]:
    """What these inputs do to a machine in this state, and whether each effect is forbidden."""
    usual = {"name": "hv1", "owner": "lab/dev/hv1", "os_disk": {"size_gib": 80}}
    as_asked = {name: value for name, value in state.items() if name not in OUTPUTS}
    before, _ = check(NestedHyperVHost, {**usual, **as_asked})
    wanted, failures = check(NestedHyperVHost, {**usual, **as_asked, **inputs})
    assert before is not None
    assert wanted is not None, failures
    outputs = {"baseline_id": "c1" if state.get("baseline") else "", **state}
    there = Observed(IT, loaded(NestedHyperVHost, plain(before)), loaded(MachineOutputs, outputs))
    effects = decide(wanted, there).side_effects
    return [(effect.text.removesuffix(FAILS), effect.forbidden) for effect in effects]


FAILS = ", and on_power_off='fail' forbids that. Shut it down when it suits you, or set on_power_off='restart'."
FAIL = {"on_power_off": "fail"}
OFF = "the running machine will be shut down"
AGAIN = f"{OFF} and started again to change"
MOVED = "will be deleted, or put back where it belongs if somebody has moved it"
WAN = {"name": "wan", "mac": "00-15-5D-01-02-03"}
RESET = "reset to its baseline: everything done on it since then is lost"


@pytest.mark.parametrize(
    ("state", "inputs", "effects"),
    [
        ({}, {"notes": "x"}, []),
        ({}, {"processors": 2}, [(f"{AGAIN} processors", False)]),
        (FAIL, {"processors": 2}, [(f"{AGAIN} processors", True)]),
        ({"running": False}, {"processors": 2}, []),
        (FAIL, {"running": False}, [(OFF, False)]),
        (FAIL, {"running": False, "processors": 2}, [(f"{OFF} to change processors", False)]),
        ({"running": False}, {"running": True}, []),
        (
            {"running": False, "power_state": "Saved"},
            {"processors": 2, "running": True},
            [("the saved machine will be resumed, shut down and started again to change processors", False)],
        ),
        (
            {"running": False, "power_state": "Saved", **FAIL},
            {"processors": 2, "running": True},
            [("the saved machine will be resumed, shut down and started again to change processors", True)],
        ),
        (
            {"running": False, "power_state": "Saved", **FAIL},
            {"processors": 2},
            [("the saved machine will be resumed and shut down to change processors", False)],
        ),
        ({"running": False, "power_state": "Saved"}, {"notes": "x"}, []),
        (
            {"running": False, "power_state": "Paused", **FAIL},
            {"memory_mib": 4096, "running": True},
            [("the paused machine will be resumed, shut down and started again to change memory_mib", True)],
        ),
        ({"switch": "lab-net"}, {"switch": None, "adapters": [{"name": "lan", "switch": "other"}, WAN]}, []),
        ({"switch": "lab-net"}, {"switch": None, "adapters": [WAN]}, [(f"{AGAIN} adapters", False)]),
        (
            {"switch": "lab-net", **FAIL},
            {"switch": None, "adapters": [{"name": "lan", "device_naming": True}]},
            [(f"{AGAIN} adapters", True)],
        ),
        ({"adapters": [{"name": "lan"}]}, {"adapters": [WAN]}, [(f"{AGAIN} adapters", False)]),
        ({"adapters": [{"name": "lan", "mac": "00155D010203"}]}, {"adapters": [WAN]}, []),
        ({"adapters": [{"name": "lan"}, {"name": "dmz"}]}, {"adapters": [WAN]}, []),
        ({"baseline": "clean", "checkpoints": ["by hand"], "data_disks": MADE, "running": False}, {"notes": "x"}, []),
        (
            {"baseline": "clean"},
            {"reset": "1"},
            [(f"the running machine will be turned off and {RESET}", False)],
        ),
        (
            {"baseline": "clean", **FAIL},
            {"reset": "1"},
            [(f"the running machine will be turned off and {RESET}", True)],
        ),
        (
            {"baseline": "clean", "running": False, **FAIL},
            {"reset": "1"},
            [(f"the machine will be {RESET}", False)],
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
            ],
        ),
        ({"data_disks": MADE, "checkpointed_disks": [0, 1]}, {"data_disks": [{**MADE[0], "keep": True}]}, []),
        (
            {"baseline": "clean", "running": False, "checkpointed_disks": [0], "data_disks": MADE},
            {"reset": "1"},
            [
                (f"the machine will be {RESET}", False),
                ("the data disk at location 1 is not in the baseline, and will be created again, empty", False),
            ],
        ),
        (
            {"baseline": "clean", "running": False, "checkpointed_disks": [0, 1], "data_disks": MADE},
            {"reset": "1"},
            [(f"the machine will be {RESET}", False)],
        ),
        (
            {"path": "D:\\VMs"},
            {"path": "E:\\VMs", "processors": 2},
            [
                (
                    "the machine and the disks made for it will be deleted and created again: path cannot be changed",
                    False,
                )
            ],
        ),
    ],
)
def test_a_change_has_these_side_effects(
    state: dict[str, Any], inputs: dict[str, Any], effects: list[tuple[str, bool]]
) -> None:
    assert side_effects(state, inputs) == effects
