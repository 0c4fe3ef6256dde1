"""Bad input: a failure for each property, in a preview, without a traceback and without a request to the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests import case_files

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

CASES = case_files.cases_in(case_files.CASES / "pulumi" / "bad_input.yaml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_bad_input_is_a_failure_for_each_property(case: dict[str, Any], parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, f"import pulumi_nestedlab as lab\n\n{case['program']}\n")
    failed = lab.preview(fails=True)
    failures = {line.strip() for line in failed.text.splitlines() if line.strip().startswith("error: ")}
    for fragment in case["says"]:
        assert [failure for failure in failures if fragment in failure], fragment
    assert len(failures) == len(case["says"])
    assert "Traceback" not in failed.text
    assert parent.server.requests.snapshot().http == 0
