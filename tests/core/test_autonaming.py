"""Names that Pulumi's autonaming gives machines and switches."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.case_files import CASES, cases_in

from nestedlab.autonaming import Stack, physical_name

AUTONAMING = cases_in(CASES / "core" / "autonaming.yaml")


def config(key: str) -> str:
    values = {"room": "b12", "braces": "${name}"}
    if key not in values:
        raise ValueError(f"there is no {key}")
    return values[key]


STACK = Stack("school", "lab", "anna", config)


@pytest.mark.parametrize("case", AUTONAMING["names"].values(), ids=AUTONAMING["names"])
def test_a_machine_has_the_name_that_the_setting_makes(case: dict[str, Any]) -> None:
    assert physical_name(case["setting"], "NestedHyperVHost", "hv1", STACK) == case["name"]


@pytest.mark.parametrize("case", AUTONAMING["refused"].values(), ids=AUTONAMING["refused"])
def test_a_setting_that_cannot_be_followed_is_refused_with_its_reason(case: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=re.escape(case["says"])):
        physical_name(case["setting"], "NestedHyperVHost", "hv1", STACK)
