"""What error records mean, and what the user is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.case_files import cases_in

from nestedlab import errors
from nestedlab.errors import NestedlabError, kind_of, raise_for, tolerated
from nestedlab.pipeline import ErrorKind, ErrorRecord, Facts, Step, cmdlet, statement

CASES = Path(__file__).resolve().parent.parent / "cases" / "core" / "errors.yaml"
CLASSES = {ErrorKind.ABSENT: "NotFoundError", ErrorKind.EXISTS: "ConflictError", ErrorKind.DENIED: "AccessError"}
WITHOUT_REMEDY = {ErrorKind.ABSENT, ErrorKind.EXISTS, ErrorKind.INVALID, ErrorKind.OTHER}


def problem_of(case: dict[str, Any]) -> ErrorRecord:
    identifier = case["id"].replace("...", "Microsoft.HyperV.PowerShell.Commands.")
    message = case.get("message", "It failed.")
    return ErrorRecord(identifier, case["category"], message, case.get("cmdlet", ""), case.get("hresult"))


@pytest.mark.cases("errors.yaml")
def test_a_record_means(case: dict[str, Any]) -> None:
    assert kind_of(problem_of(case)).name == case["means"]


@pytest.mark.cases("errors.yaml")
def test_the_user_is_told_what_was_tried_what_windows_said_a_remedy_and_the_id(case: dict[str, Any]) -> None:
    problem = problem_of(case)
    step = Step("do it", (statement(problem.cmdlet or "Get-VM").setting("os_disk"),))
    with pytest.raises(NestedlabError) as told:
        raise_for(Facts(errors=(problem,)), step)
    condition = ErrorKind[case["means"]]
    assert type(told.value).__name__ == CLASSES.get(condition, "RefusedError")
    text = str(told.value)
    about = "os_disk: " if problem.cmdlet else ""
    assert text.startswith(f"{about}could not do it: {problem.message}")
    assert text.endswith(f"[{problem.error_id}, {problem.category}]")
    said = f"{about}could not do it: {problem.message} [{problem.error_id}, {problem.category}]"
    assert (text != said) or condition in WITHOUT_REMEDY


def test_every_condition_is_met() -> None:
    cases = cases_in(CASES).values()
    assert {case["means"] for case in cases} == {one.name for one in ErrorKind}


def test_the_first_problem_that_is_not_tolerated_is_told() -> None:
    absent = ErrorRecord("ObjectNotFound,x", "ObjectNotFound", "first", "Get-VM")
    denied = ErrorRecord("AccessDenied,x", "PermissionDenied", "second", "Get-VMHost")
    last = ErrorRecord("OutOfMemory,x", "NotSpecified", "third", "Start-VM")
    step = Step(
        "look", (statement("Get-VM").tolerating(ErrorKind.ABSENT), statement("Get-VMHost"), statement("Start-VM"))
    )
    with pytest.raises(errors.AccessError, match="second"):
        raise_for(Facts(errors=(absent, denied, last)), step)


def test_what_one_pipeline_tolerates_another_does_not() -> None:
    absent = ErrorRecord("ObjectNotFound,x", "ObjectNotFound", "gone", "Get-VMHost")
    step = Step("look", (statement("Get-VM").tolerating(ErrorKind.ABSENT), statement("Get-VMHost")))
    assert not tolerated(absent, step)
    assert tolerated(ErrorRecord("ObjectNotFound,x", "ObjectNotFound", "gone", "Get-VM"), step)


def test_a_problem_of_any_cmdlet_of_a_pipeline_is_tolerated() -> None:
    removal = (cmdlet("Get-VM", Name="hv1") | cmdlet("Remove-VM")).tolerating(ErrorKind.ABSENT)
    step = Step("remove", (removal,))
    for name in ("Get-VM", "Remove-VM", ""):
        raise_for(Facts(errors=(ErrorRecord("ObjectNotFound,x", "ObjectNotFound", "gone", name),)), step)


def test_no_problem_is_no_error() -> None:
    raise_for(Facts(warnings=("The virtual machine is already in the specified state.",)), Step("stop", ()))
