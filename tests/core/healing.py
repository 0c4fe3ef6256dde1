"""Plans that follow from tests/cases/provider/drift.yaml: what somebody has changed, an update changes back.

The case says what was changed with which cmdlet and parameter, and whether the machine was off for it; the row says
where that is shown and what it takes to change it. Neither knows the other, so that each checks the other.
"""

from __future__ import annotations

from typing import Any

from tests.case_files import DRIFT, drifts
from tests.core.canned import Shown, argument, merged, shown_by, usual

from nestedlab.declare import Attribute, Resource
from nestedlab.lifecycle import check
from nestedlab.machine.table import NestedHyperVHost
from nestedlab.marking import signed
from nestedlab.nat_switch.table import NatSwitch
from nestedlab.ownership import Mark
from nestedlab.pipeline import Argument, Cmdlet, Pipeline

SECTIONS: dict[type[Resource], str] = {NestedHyperVHost: "machine", NatSwitch: "switch"}
_WHICH = {"Name", "VMName"}
"""The parameters by which an administrator says what is to be changed."""


def healed(kind: type[Resource]) -> list[str]:
    """The attributes that one cmdlet changes by hand and an update changes back with the same."""
    return [
        row.name for row in kind.attributes() if _parameter(row) and _setting(drifts(SECTIONS[kind]).get(row.name, {}))
    ]


def _parameter(row: Attribute) -> str:
    return row.row.at.parameter if row.row.at is not None else ""


def _setting(case: dict[str, Any]) -> tuple[str, str, Argument] | None:
    """The Set- cmdlet with which the case changes the attribute, its parameter and value; None if it takes more."""
    if len(case.get("by_hand", ())) != 1:
        return None
    [(cmdlet, parameters)] = case["by_hand"][0].items()
    given = [(name, value) for name, value in parameters.items() if name not in _WHICH]
    return (cmdlet, *given[0]) if cmdlet.startswith("Set-") and len(given) == 1 else None


def healing(kind: type[Resource], name: str) -> dict[str, Any]:
    """The case of an update that heals this attribute alone, as those in plans/*/*.yaml are written."""
    drift, place = drifts(SECTIONS[kind])[name], next(row.row.at for row in kind.attributes() if row.name == name)
    setting, asked = _setting(drift), drift.get("inputs", {})
    assert setting is not None
    assert place is not None
    cmdlet, parameter, by_hand = setting
    inputs, failures = check(kind, {**usual(kind).file["desired"], **asked})
    assert inputs is not None, failures
    there = inputs.model_copy(update={name: drift["shows"]})
    assert argument(there, place) == by_hand, (
        f"{name}: for {drift['shows']!r} the row writes {argument(there, place)!r}, and {DRIFT.name} {by_hand!r}"
    )
    last = Pipeline((Cmdlet(cmdlet, {parameter: argument(inputs, place)}),))
    heal = " | ".join([*place.noun.through, str(signed(last, Mark(), usual(kind).identity))])
    healthy = shown_by(inputs, asked)
    drifted = merged(healthy, shown_by(there, [name]))
    steps = _steps(usual(kind).file["healing"], heal, drifted, healthy, stopped=drift.get("stopped", False))
    return {"do": "update", "desired": asked, "steps": steps, "found": asked}


def _steps(texts: dict[str, Any], heal: str, drifted: Shown, healthy: Shown, *, stopped: bool) -> list[dict[str, Any]]:
    """What an update runs that finds the one and brings about the other, and what the host answers."""

    def answer(shown: Shown) -> list[Any]:
        return [{texts["group"]: shown}, *texts.get("besides", ())]

    read = {"says": texts["read"], "answer": answer(drifted)}
    applied = {"says": texts["apply"].replace("<heal>", heal)}
    if not stopped:
        return [read, {**applied, "answer": answer(healthy)}]
    return [
        read,
        {"says": texts["shut down"]},
        {**applied, "answer": answer(merged(healthy, texts["while off"]))},
        {"says": texts["start"], "answer": answer(healthy)},
    ]
