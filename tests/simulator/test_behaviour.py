"""Behaviour as data: each case of tests/cases/simulator says what goes in and what comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.case_files import cases_in

from hyperv_sim.state.files import File

if TYPE_CHECKING:
    from tests.simulator.conftest import Answer, Talk

CASES = Path(__file__).resolve().parent.parent / "cases" / "simulator"


def cases() -> list[Any]:
    """All cases. A file is a mapping of what holds to how it shows."""
    return [
        pytest.param(case, id=f"{path.stem}: {name}")
        for path in sorted(CASES.glob("*.yaml"))
        for name, case in cases_in(path).items()
    ]


@pytest.mark.parametrize("case", cases())
def test_the_host_behaves_as_written(talk: type[Talk], case: dict[str, Any]) -> None:
    host = talk(**case.get("host", {}))
    for noun, parameter in case.get("reverts", []):
        host.host.revert_silently(noun, parameter)
    for path in case.get("images", []):
        host.host.state.files.put(File(path, size=1))
    for text in case.get("given", []):
        before = host(text)
        assert before.ids == [], text
    for name, manner in case.get("guests", {}).items():
        host.machine(name).guest.manner = manner
    if "each" in case:
        assert [error for text in case["each"] for error in all_of(host(text))] == case["errors"]
    else:
        check(host(case["when"]), case)


def all_of(answer: Answer) -> list[str]:
    """The errors of an invocation, one that fails it among them."""
    return [told(error.fully_qualified_error_id, error.category) for error in [*answer.errors, *answer.fatal]]


def check(answer: Answer, case: dict[str, Any]) -> None:
    """The streams are exactly as told; of an object only the properties that are told of."""
    failed = answer.failed
    assert [told(error.fully_qualified_error_id, error.category) for error in answer.errors] == case.get("errors", [])
    assert (failed and told(failed.fully_qualified_error_id, failed.category)) == case.get("failed")
    assert (len(answer.warnings), answer.unheard) == (case.get("warnings", 0), case.get("unheard", 0))
    expected = case.get("output", [])
    assert len(answer.output) == len(expected), answer.output
    for found, wanted in zip(answer.output, expected, strict=True):
        if isinstance(wanted, dict):
            assert {name: found.get(name, "absent") for name in wanted} == wanted
        else:
            assert found == wanted


def told(identifier: str, category: str) -> str:
    """An error as the cases write it; Hyper-V's namespace and a session's own digits go without saying."""
    plain = re.sub(r"_[0-9a-f]{32}$", "_...", identifier.replace("Microsoft.HyperV.PowerShell.Commands.", ""))
    return f"{plain} {category}"
