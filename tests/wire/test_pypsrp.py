"""pypsrp as its documentation shows it, against the simulated host: what another program does is true too.

The examples are those of pypsrp's README and of its methods' docstrings, with cmdlets that the host has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pypsrp.client import Client
from pypsrp.complex_objects import ObjectMeta, PSInvocationState, RunspacePoolState
from pypsrp.exceptions import AuthenticationError, WinRMError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer

NOTHING: list[list[object]] = [[]]
MISSING = "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM"


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(SimulatedHost().shells) as started:
        yield started


@pytest.fixture
def secure() -> Iterator[SimulatedServer]:
    with SimulatedServer(SimulatedHost().shells, tls=True) as started:
        yield started


def options(server: SimulatedServer, **more: Any) -> dict[str, Any]:
    """What WSMan and Client are given, besides the address."""
    told = {"port": server.address[1], "username": server.username, "password": server.password, "no_proxy": True}
    transport = {"cert_validation": server.ca_bundle} if server.url.startswith("https") else {"ssl": False}
    return {**told, **transport, **more}


def connect(server: SimulatedServer, **more: Any) -> WSMan:
    return WSMan(server.address[0], **options(server, **more))


@pytest.fixture
def pool(server: SimulatedServer) -> Iterator[RunspacePool]:
    with connect(server) as wsman, RunspacePool(wsman) as opened:
        yield opened


def test_a_connection_negotiates_and_encrypts_by_default(server: SimulatedServer) -> None:
    with connect(server) as wsman, RunspacePool(wsman) as pool, PowerShell(pool) as ps:
        assert ps.add_cmdlet("Get-VMHost").invoke()
        assert wsman.transport.wrap_required


@pytest.mark.parametrize("auth", ["negotiate", "ntlm", "basic"])
def test_a_connection_over_tls_by_the_authority_that_it_is_told(secure: SimulatedServer, auth: str) -> None:
    with connect(secure, auth=auth) as wsman, RunspacePool(wsman) as pool, PowerShell(pool) as ps:
        assert ps.add_cmdlet("Get-VMHost").invoke()


def test_a_connection_may_leave_the_certificate_unchecked(secure: SimulatedServer) -> None:
    client = connect(secure, cert_validation=False)
    with client as wsman, RunspacePool(wsman) as pool, PowerShell(pool) as ps:
        assert ps.add_cmdlet("Get-VMHost").invoke()


def test_a_connection_without_encryption_is_refused_over_http(server: SimulatedServer) -> None:
    with pytest.raises((WinRMError, AuthenticationError)), connect(server, encryption="never") as wsman:
        RunspacePool(wsman).open()


def test_a_wrong_password_is_an_authentication_error(server: SimulatedServer) -> None:
    with pytest.raises(AuthenticationError), connect(server, password="wrong") as wsman:
        RunspacePool(wsman).open()


def test_a_certificate_of_nobody_known_is_refused(secure: SimulatedServer) -> None:
    with pytest.raises(requests.exceptions.SSLError), connect(secure, cert_validation=True) as wsman:
        RunspacePool(wsman).open()


def test_an_endpoint_that_is_not_there_is_a_fault(server: SimulatedServer) -> None:
    with pytest.raises(WSManFaultError), connect(server) as wsman:
        RunspacePool(wsman, configuration_name="JEA").open()


def test_a_pipeline_of_two_cmdlets_and_an_argument(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-VMHost").add_cmdlet("Select-Object").add_argument("Name")
    (found,) = ps.invoke()
    assert found.extended_properties == {"Name": "HYPERV"}


def test_a_pipeline_in_the_background(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-VMHost").add_cmdlet("Select-Object")
    ps.add_parameter("Property", "Name")
    ps.begin_invoke()
    while ps.state == PSInvocationState.RUNNING:
        ps.poll_invoke()
    ps.end_invoke()
    assert [str(selected.extended_properties["Name"]) for selected in ps.output] == ["HYPERV"]


def test_two_statements(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("New-VM").add_parameters({"Name": "hv1", "Generation": 2}).add_cmdlet("Out-Null")
    ps.add_statement()
    ps.add_cmdlet("Get-VM").add_argument("hv1")
    (machine,) = ps.invoke()
    assert machine.adapted_properties["Name"] == "hv1"
    assert (ps.had_errors, ps.state) == (False, PSInvocationState.COMPLETED)


def test_a_pipeline_object_is_used_again(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-VM").add_argument("nobody")
    ps.invoke()
    assert len(ps.streams.error) == 1
    ps.close()
    ps.clear_streams()
    ps.clear_commands()
    ps.add_cmdlet("Get-VMHost")
    assert len(ps.invoke()) == 1
    assert ps.streams.error == []


def test_streams(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("New-VM").add_parameter("Name", "hv1").add_statement()
    ps.add_cmdlet("Stop-VM").add_parameter("Name", "hv1").add_statement()
    ps.add_cmdlet("Get-VM").add_parameter("Name", "nobody")
    ps.invoke()
    assert [error.fq_error for error in ps.streams.error] == [MISSING]
    assert len(ps.streams.warning) == 1
    assert [record.activity for record in ps.streams.progress] == ["Preparing modules for first use."]
    assert not [*ps.streams.debug, *ps.streams.verbose, *ps.streams.information]


def test_a_warning_tells_of_its_command(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("New-VM").add_parameter("Name", "hv1").add_statement()
    ps.add_cmdlet("Stop-VM").add_parameter("Name", ["hv1"])
    ps.invoke()
    (warning,) = ps.streams.warning
    assert (warning.invocation, warning.invocation_name, warning.command_name) == (True, "Stop-VM", "Stop-VM")
    assert warning.invocation_bound_parameters == {"Name": ["hv1"]}
    assert warning.pipeline_iteration_info == [0, 1]


def test_a_pipeline_whose_input_ends_empty_runs_no_command(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("New-VM").add_parameter("Name", "hv1")
    assert ps.invoke(input=(item for item in NOTHING)) == []
    ps = PowerShell(pool)
    assert ps.add_cmdlet("Get-VM").invoke() == []


def test_what_is_piped_in_is_bound(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("New-VM").add_parameter("Name", "hv1")
    ps.invoke()
    ps = PowerShell(pool)
    ps.add_cmdlet("Test-Path")
    assert ps.invoke(input=(path for path in ["C:\\", "C:\\no"])) == [True, False]


def test_an_error_is_merged_into_the_output(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-VM").add_parameter("Name", ["nobody"]).merge_error("output")
    (error,) = ps.invoke()
    assert error.fq_error == MISSING
    assert ps.streams.error == []


def test_an_error_stays_an_error_by_default(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-VM").add_parameter("Name", "nobody").merge_error("none")
    assert ps.invoke() == []
    assert [error.fq_error for error in ps.streams.error] == [MISSING]


def test_errors_are_not_piped_to_another_command(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-VM").add_parameter("Name", "nobody").merge_error("output").add_cmdlet("Out-Null")
    ps.invoke()
    assert [error.fq_error for error in ps.streams.error] == ["NotSimulated"]


def test_a_command_that_is_not_simulated_is_not_found(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_cmdlet("Get-Process").add_cmdlet("Select-Object").add_argument("Name")
    ps.invoke()
    assert (ps.had_errors, ps.state) == (True, PSInvocationState.FAILED)
    assert [error.fq_error for error in ps.streams.error] == ["CommandNotFoundException"]


def test_script_text_is_refused_in_words(pool: RunspacePool) -> None:
    ps = PowerShell(pool)
    ps.add_script("Get-VM")
    ps.invoke()
    (error,) = ps.streams.error
    assert error.fq_error == "ScriptsNotAllowed"
    assert "no-language mode" in str(error)


def test_many_runspaces_run_side_by_side(server: SimulatedServer) -> None:
    with connect(server) as wsman, RunspacePool(wsman, min_runspaces=1, max_runspaces=3) as pool:
        assert pool.get_available_runspaces() == 3
        running = [PowerShell(pool).add_cmdlet("Get-VMHost") for _ in range(3)]
        for ps in running:
            ps.begin_invoke()
        assert [len(ps.end_invoke()) for ps in running] == [1, 1, 1]


def test_keys_are_exchanged_for_secrets(pool: RunspacePool) -> None:
    pool.exchange_keys()
    secret = pool.serialize("hidden", metadata=ObjectMeta("SS"))
    ps = PowerShell(pool)
    ps.add_cmdlet("New-VM").add_parameter("Name", secret)
    ps.invoke()
    assert "(Name = 'System.Security.SecureString')" in str(ps.output[0])  # as text, an object is its type's name


def test_a_pool_is_left_and_taken_up_again(pool: RunspacePool) -> None:
    pool.disconnect()
    assert pool.state == RunspacePoolState.DISCONNECTED
    pool.connect()
    assert pool.state == RunspacePoolState.OPENED
    assert PowerShell(pool).add_cmdlet("Get-VMHost").invoke()


def test_a_pool_that_was_left_is_taken_up_by_another_client(server: SimulatedServer) -> None:
    pool = RunspacePool(connect(server))
    pool.open()
    PowerShell(pool).add_cmdlet("New-VM").add_parameter("Name", "hv1").invoke()
    pool.disconnect()
    (found,) = RunspacePool.get_runspace_pools(connect(server))
    found.connect()
    assert len(PowerShell(found).add_cmdlet("Get-VM").invoke()) == 1
    found.close()


def test_a_pipeline_is_stopped(pool: RunspacePool) -> None:
    ps = PowerShell(pool).add_cmdlet("Get-VMHost")
    ps.begin_invoke()
    ps.stop()
    assert ps.state == PSInvocationState.STOPPED


def test_the_clients_scripts_are_refused_in_words(server: SimulatedServer) -> None:
    """`Client.execute_ps` runs its script by Invoke-Expression, which is not a command of this host."""
    with Client(server.address[0], **options(server)) as client:
        output, streams, had_errors = client.execute_ps("New-Item -Path C:\\temp\\folder -ItemType Directory")
    assert (output, had_errors) == ("", True)
    assert [error.fq_error for error in streams.error] == ["CommandNotFoundException"]
    assert "Invoke-Expression" in str(streams.error[0])


def test_the_clients_copies_are_refused_in_words(server: SimulatedServer, tmp_path: Any) -> None:
    (tmp_path / "file.txt").write_text("content")
    with Client(server.address[0], **options(server)) as client:
        with pytest.raises(WinRMError, match=r"does not simulate|no-language"):
            client.copy(str(tmp_path / "file.txt"), "C:\\temp\\file.txt")
        with pytest.raises(WinRMError, match=r"does not simulate|no-language"):
            client.fetch("C:\\temp\\file.txt", str(tmp_path / "back.txt"))


def test_commands_of_the_old_shell_are_refused(server: SimulatedServer) -> None:
    with Client(server.address[0], **options(server)) as client, pytest.raises(WSManFaultError):
        client.execute_cmd("dir")
    with connect(server) as wsman, pytest.raises(WSManFaultError), WinRS(wsman) as shell:
        Process(shell, "dir").invoke()


def test_the_logs_hold_no_password(server: SimulatedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="pypsrp")
    with connect(server) as wsman, RunspacePool(wsman) as pool:
        PowerShell(pool).add_cmdlet("Get-VMHost").invoke()
    assert caplog.records
    assert server.password not in caplog.text
