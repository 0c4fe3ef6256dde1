"""Settings that there are not: a misspelt one is an error, whatever else fills its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pulumi import automation

from pulumi_nestedlab import NatSwitch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi_nestedlab as lab

lab.NatSwitch("lab-net", prefix="192.168.50.0/24")
"""


def test_an_unknown_setting_is_told_with_the_nearest_one_or_the_reference_though_the_environment_has_its_value(
    parent: Parent, lab_on: LabOn
) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM)
    lab.config("nestedlab:adress", "hv01.example.org")
    lab.config("nestedlab:CA_BUNDLE", "hv01.pem")
    lab.config("nestedlab:zone", "seven", secret=True)
    failed = lab.up(fails=True)
    assert "there is no setting 'nestedlab:adress'; did you mean 'nestedlab:address'?" in failed.text
    assert "there is no setting 'nestedlab:CA_BUNDLE'; did you mean 'nestedlab:caBundle'?" in failed.text
    assert "there is no setting 'nestedlab:zone'; see docs/reference/configuration.md" in failed.text
    assert "seven" not in failed.text
    assert "Traceback" not in failed.text
    assert parent.snapshot() == before


def program() -> None:
    NatSwitch("lab-net", prefix="192.168.50.0/24")


def test_a_program_of_the_automation_api_is_told_too(
    parent: Parent, pulumi_cli: Path, pulumi_environment: dict[str, str], tmp_path: Path
) -> None:
    stack = automation.create_stack(
        "dev",
        project_name="lab",
        program=program,
        opts=automation.LocalWorkspaceOptions(
            work_dir=str(tmp_path),
            env_vars={**pulumi_environment, **parent.environment},
            pulumi_command=automation.PulumiCommand(root=str(pulumi_cli.parent.parent)),
        ),
    )
    stack.set_config("nestedlab:pasword", automation.ConfigValue("seven", secret=True))
    with pytest.raises(automation.errors.CommandError, match=r"did you mean 'nestedlab:password'\?") as failed:
        stack.preview()
    assert "seven" not in str(failed.value)


def test_settings_of_others_are_left_alone(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM)
    # If a project has the provider's name, its own settings have the same prefix.
    lab.project = "nestedlab"
    lab.write(PROGRAM)
    lab.init()
    lab.config("nestedlab:adress", "of the project")
    lab.config("lab:adress", "of another project")
    lab.config("other:adress", "of another provider")
    lab.preview()
