"""Settings that there are not: a misspelt one is an error, whatever else fills its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi_nestedlab as lab

lab.NatSwitch("lab-net", prefix="192.168.50.0/24")
"""


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_a_misspelt_setting_is_told_with_the_nearest_one_though_the_environment_has_its_value(
    operation: str, parent: Parent, lab_on: LabOn
) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM)
    lab.config("nestedlab:adress", "hv01.example.org")
    run = {"preview": lab.preview, "up": lab.up}[operation]
    failed = run(fails=True)
    assert "there is no setting 'nestedlab:adress'; did you mean 'nestedlab:address'?" in failed.text
    assert "Traceback" not in failed.text
    assert parent.snapshot() == before


def test_a_setting_like_none_that_there_is_leads_to_the_reference(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM)
    lab.config("nestedlab:zone", "seven", secret=True)
    lab.config("nestedlab:CA_BUNDLE", "hv01.pem")
    failed = lab.preview(fails=True)
    assert "there is no setting 'nestedlab:zone'; see docs/reference/configuration.md" in failed.text
    assert "there is no setting 'nestedlab:CA_BUNDLE'; did you mean 'nestedlab:caBundle'?" in failed.text
    assert "seven" not in failed.text


def test_settings_of_others_are_left_alone(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM)
    lab.config("adress", "of the project")
    lab.config("other:adress", "of another provider")
    lab.preview()
    # Where a project has the provider's name, its own settings have the same prefix.
    lab.project = "nestedlab"
    lab.write(PROGRAM)
    lab.init()
    lab.config("nestedlab:adress", "of the project")
    lab.preview()
