"""What follows from a parent host's answers: which nested labs it rules out, and what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nestedlab.errors import raise_for
from nestedlab.pipeline import ErrorRecord, Facts, PSObject
from nestedlab.requirements import SURVEY, Demand, capacity, findings, version_findings

PARENT = Path(__file__).resolve().parent.parent / "cases" / "core" / "hosts" / "parent.yaml"


def facts_of(case: dict[str, Any]) -> Facts:
    """What the parent of a case answers to the survey."""
    usual: dict[str, dict[str, Any]] = yaml.safe_load(PARENT.read_text(encoding="utf-8"))
    differs = case.get("host", {})
    assert differs.keys() <= usual.keys()
    shown = [
        PSObject(kind, {**usual[kind], **differs.get(kind, {})}) for kind in usual if differs.get(kind, {}) is not None
    ]
    machines = [PSObject("VirtualMachine", machine) for machine in case.get("machines", [])]
    lacks = [ErrorRecord("CommandNotFoundException", "ObjectNotFound", "", name) for name in case.get("lacks", [])]
    return Facts((*shown, *machines), tuple(lacks))


@pytest.mark.cases("requirements.yaml")
def test_a_parent_is_judged(case: dict[str, Any]) -> None:
    facts = facts_of(case)
    demands = {owner: Demand(**demand) for owner, demand in case.get("demands", {}).items()}
    judged = [*findings(facts), *version_findings(facts, case.get("version", "")), *capacity(facts, demands)]
    for refuses, expected in ((True, case.get("refuses", {})), (False, case.get("warns", {}))):
        texts = {finding.requirement: str(finding) for finding in judged if finding.refuses is refuses}
        assert texts.keys() == expected.keys()
        assert [fragment for name, fragment in expected.items() if fragment not in texts[name]] == [], texts
        assert not [name for name, text in texts.items() if text.startswith(name)], texts  # an id is for docs alone


@pytest.mark.cases("requirements.yaml")
def test_what_an_endpoint_does_not_show_does_not_fail_the_survey(case: dict[str, Any]) -> None:
    raise_for(facts_of(case), SURVEY)


def test_the_survey_changes_nothing() -> None:
    assert SURVEY.only_reads
