"""What an administrator changes is seen under its own name with its live value, and an update heals it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import DRIFT, cases_in, completed

from hyperv_sim.state.files import File
from nestedlab.machine.adapters.table import Adapter
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.nat_switch.table import NatSwitch

if TYPE_CHECKING:
    from tests.provider.conftest import Provider

    from nestedlab.declare import Table

CASES = cases_in(DRIFT)
KINDS: dict[str, type[Table]] = {"machine": NestedHyperVHost, "adapter": Adapter, "switch": NatSwitch}
LISTED = [pytest.param(kind, name, id=f"{kind}-{name}") for kind in KINDS for name in CASES[kind]]
USUAL: dict[str, dict[str, Any]] = {
    "machine": {"switch": "usual", "data_disks": [{"size_gib": 5}]},
    "adapter": {"name": "lan", "switch": "usual"},
    "switch": {"forwards": [{"external_port": 3389, "internal_address": "192.168.50.5"}]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_attribute_has_its_drift(kind: str) -> None:
    never = CASES["never"].get(kind, {})
    assert not never.keys() & CASES[kind].keys()
    names = {row.name for row in KINDS[kind].attributes()}
    missing = names - CASES[kind].keys() - never.keys()
    assert not missing, (
        f"{', '.join(sorted(missing))} has no case: say in tests/cases/provider/drift.yaml, under {kind}, how an "
        "administrator changes it by hand and what is then seen."
    )
    assert {*CASES[kind], *never} == names


@pytest.mark.parametrize(("kind", "name"), LISTED)
def test_a_drift_is_seen_under_its_name_and_healed(kind: str, name: str, provider: Provider) -> None:
    case = CASES[kind][name]
    thing = "switch" if kind == "switch" else "machine"
    inputs = {**USUAL[kind], **case.get("inputs", {})}
    inputs = {"adapters": [inputs, {"name": "wan"}]} if kind == "adapter" else inputs
    _furnish(provider, inputs)
    made = provider.create(thing, **inputs)
    known = made.values

    hand: list[dict[str, dict[str, Any]]] = (
        [{"Stop-VM": {"Name": "hv1", "TurnOff": True}}] if case.get("stopped") else []
    )
    hand += [*case["by_hand"], *([{"Start-VM": {"Name": "hv1"}}] if case.get("stopped") else [])]
    _by_hand(provider, hand, made.id.hex[:12])
    seen = provider.seen(thing, made)
    drifted = {key: value for key, value in seen.values.items() if value != known.get(key)}
    assert drifted == _shown(kind, name, case, known)

    failures = provider.validated(thing, seen.values, **inputs)
    assert bool(failures) == (case.get("heals") == "refused")
    if failures:
        return
    difference = provider.diff(thing, seen, **inputs)
    assert bool(difference.replaces) == (case.get("heals") == "replaced")
    if not difference.replaces:
        _by_hand(provider, case.get("again", []), made.id.hex[:12])
        healed = provider.update(thing, seen, **inputs)
        assert healed.values == known
        again = provider.seen(thing, healed)
        assert again.values == known


def _shown(kind: str, name: str, case: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The attributes that are to be seen changed, as they are to be seen."""
    if kind == "adapter":
        first, second = known["adapters"]
        changed = {**first, name: case["shows"]}
        return {"adapters": [second, changed] if name == "name" else [changed, second]}
    also = {key: value for key, value in case.get("also", {}).items() if key in known}
    return {**completed(KINDS[kind], {name: case["shows"]}), **also}


def _furnish(provider: Provider, inputs: dict[str, Any]) -> None:
    state = provider.parent.host.state
    state.reads_to_merge = 0
    with state.lock:
        state.files.put(File(r"C:\Images\one.iso", size=2**20))
    with provider.parent.at_prompt() as run:
        for name in ("usual", "other"):
            run("New-VMSwitch", Name=name, SwitchType="Private")
        if inputs.get("nat"):
            run("New-NetNat", Name="shared", InternalIPInterfaceAddressPrefix="192.168.0.0/16")


def _by_hand(provider: Provider, cmdlets: list[dict[str, dict[str, Any]]], identity: str) -> None:
    if not cmdlets:
        return
    with provider.parent.at_prompt() as run:
        for cmdlet, parameters in [named for line in cmdlets for named in line.items()]:
            filled = {
                key: value.replace("{id}", identity) if isinstance(value, str) else value
                for key, value in parameters.items()
            }
            run(cmdlet, **filled)
