"""A host that cannot be used: a clear message with the remedy, nothing changed, and the password nowhere."""

from __future__ import annotations

import logging
import socket
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from tests import case_files

from hyperv_sim.records import BrokenEndpointError, ErrorRecord, NetException, Shell
from nestedlab import errors

if TYPE_CHECKING:
    from tests.conftest import NewParent, Parent
    from tests.provider.conftest import NewProvider

CASES = case_files.cases_in(case_files.CASES / "provider" / "connections.yaml")


@dataclass
class World:
    """What a case's settings may name in braces."""

    parent: Parent
    folder: Path
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        host, port = self.parent.server.address
        stranger = self.folder / "stranger.pem"
        trustme.CA().cert_pem.write_to_path(str(stranger))
        self.names = {"host": host, "port": str(port), "stranger": str(stranger), "closed": str(_closed_port())}

    def filled(self, settings: dict[str, str]) -> dict[str, str]:
        return {name: text.format(**self.names) for name, text in settings.items()}


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_host_that_cannot_be_used_is_told_with_its_remedy(
    case: dict[str, Any],
    new_parent: NewParent,
    new_provider: NewProvider,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    parent = new_parent(**case.get("host", {}))
    before = parent.snapshot()
    parent.server.arm(*case.get("faults", []))
    settings = World(parent, tmp_path).filled(case.get("settings", {}))
    provider = new_provider(parent, **settings)

    with pytest.raises(getattr(errors, case["error"])) as raised:
        provider.create("machine")

    message = str(raised.value)
    for fragment in case["says"]:
        assert fragment in message
    assert "Traceback" not in message
    assert "machine 'hv1'" in message
    assert len(message) < 500, message
    output = "".join(traceback.format_exception(raised.value)) + caplog.text
    secrets = {parent.server.password, settings.get("password", parent.server.password)}
    assert not [secret for secret in secrets if secret in output]
    parent.server.arm()
    assert parent.snapshot() == before
    assert parent.server.open_shells == 0


def test_a_password_is_nowhere_in_the_log_of_a_whole_life(
    new_parent: NewParent, new_provider: NewProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for tls, auth in ((False, "negotiate"), (False, "ntlm"), (True, "negotiate"), (True, "basic")):
        parent = new_parent(tls=tls)
        provider = new_provider(parent, auth=auth)
        made = provider.create("machine")
        provider.delete("machine", made)
        assert "New-VM" in caplog.text
        assert parent.server.password not in caplog.text
        assert parent.server.password not in repr(provider.sessions) + repr(parent.connection())


def test_an_endpoint_that_cannot_open_a_session_is_told_with_the_host_s_own_text(
    parent: Parent, new_provider: NewProvider
) -> None:
    cause = "Cannot find the role capability file 'nestedlab.psrc'."

    def broken() -> Shell:
        raise BrokenEndpointError(ErrorRecord("RoleCapabilityNotFound", "InvalidOperation", NetException(cause)))

    parent.host.register("nestedlab", broken)
    provider = new_provider(parent, configurationName="nestedlab")
    with pytest.raises(errors.UnreachableError) as raised:
        provider.create("machine")
    assert f"a session on the endpoint nestedlab: {cause}" in str(raised.value)
    assert parent.server.open_shells == 0


def test_a_quota_of_shells_is_told_and_does_no_harm(new_parent: NewParent, new_provider: NewProvider) -> None:
    parent = new_parent(max_shells_per_user=1)
    first, second = new_provider(parent), new_provider(parent)
    made = first.create("machine")
    with pytest.raises(errors.UnreachableError, match="MaxShellsPerUser"):
        second.create("switch")
    first.sessions.close()
    second.create("switch")
    assert second.read("machine", made) is not None


def test_a_password_changed_on_the_way_is_told(new_parent: NewParent, new_provider: NewProvider) -> None:
    parent = new_parent()
    good, bad = new_provider(parent), new_provider(parent, password="Wrong-4712")
    made = good.create("machine")
    with pytest.raises(errors.AccessError, match="nestedlab:password"):
        bad.read("machine", made)
    with pytest.raises(errors.AccessError):
        bad.delete("machine", made)
    assert parent.machines == ["hv1"]
