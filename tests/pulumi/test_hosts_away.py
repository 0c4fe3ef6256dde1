"""Things gone from the host, and a host that cannot be used: what refresh drops, and what it must never drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab import Lab

if TYPE_CHECKING:
    from tests.conftest import Parent
    from tests.pulumi.conftest import LabOn

PROGRAM = """
import pulumi_nestedlab as lab

net = lab.NatSwitch("net", prefix="192.168.50.0/24")
lab.NestedHyperVHost("hv1", os_disk=lab.Disk(size_gib=80), switch=net.name)
"""


def test_what_is_deleted_by_hand_is_dropped_and_made_again(parent: Parent, lab_on: LabOn) -> None:
    before = parent.snapshot()
    lab = lab_on(parent, PROGRAM)
    lab.up()
    first = lab.resources()

    with parent.at_prompt() as run:
        run("Stop-VM", Name="hv1", TurnOff=True)
        run("Remove-VM", Name="hv1", Force=True)
        run("Remove-Item", LiteralPath=first["hv1"]["outputs"]["osDiskPath"])
        run("Remove-NetNat", Name=first["net"]["outputs"]["natName"], Confirm=False)
        run("Remove-VMSwitch", Name="net", Force=True)
    assert parent.snapshot() == before

    refreshed = lab.refresh()
    assert refreshed.steps == {"net": ["delete"], "hv1": ["delete"]}
    (warned,) = refreshed.messages("warning")
    assert f"may still be there: {first['hv1']['outputs']['osDiskPath']}" in warned
    assert not {"net", "hv1"} & lab.resources().keys()
    lab.up()
    second = lab.resources()
    assert first["hv1"]["id"] != second["hv1"]["id"] == str(parent.machine("hv1").id)
    lab.preview("--expect-no-changes")

    # A machine that is gone is deleted without an error, refreshed or not.
    parent.by_hand("Stop-VM", Name="hv1", TurnOff=True)
    parent.by_hand("Remove-VM", Name="hv1", Force=True)
    lab.destroy()
    assert parent.snapshot() == before


def test_a_host_that_cannot_be_used_changes_nothing_in_the_state(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM)
    lab.up()
    state, host = _kept(lab), parent.snapshot()
    lab.environment["NESTEDLAB_PASSWORD"] = "Wrong-4712"
    refused = lab.refresh(fails=True)
    assert "refused the logon of Administrator" in refused.text
    assert "Wrong-4712" not in refused.text
    assert _kept(lab) == state

    parent.server.stop()
    # A preview needs nothing from the host.
    lab.preview("--expect-no-changes")
    away = lab.destroy(fails=True)
    assert "refused the connection" in away.text
    assert "Traceback" not in refused.text + away.text
    assert _kept(lab) == state
    assert parent.snapshot() == host


def test_a_setting_that_is_missing_or_wrong_is_told_before_anything_is_done(parent: Parent, lab_on: LabOn) -> None:
    lab = lab_on(parent, PROGRAM)
    before = parent.snapshot()
    del lab.environment["NESTEDLAB_ADDRESS"]
    missing = lab.preview(fails=True)
    assert "nestedlab:address is not set: run `pulumi config set nestedlab:address" in missing.text
    lab.environment.update(NESTEDLAB_ADDRESS=parent.server.url, NESTEDLAB_AUTH="basic")
    unsafe = lab.preview(fails=True)
    assert "auth basic over plain HTTP" in unsafe.text
    for failed in (missing, unsafe):
        assert "Traceback" not in failed.text
        assert parent.server.password not in failed.text
    assert parent.snapshot() == before


def _kept(lab: Lab) -> list[dict[str, Any]]:
    """The state's resources, without what the engine writes differently in each run: which property depends on what."""
    return [{**resource, "propertyDependencies": None} for resource in lab.state()["resources"]]
