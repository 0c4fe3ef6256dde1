"""What becomes of a pipeline: its states, its records, its end."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from pypsrp.client import Client
from pypsrp.complex_objects import PipelineResultTypes, PSInvocationState, RunspacePoolState
from pypsrp.exceptions import InvalidPSRPOperation, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool

from hyperv_sim.records import Scalar

NOTHING: list[list[object]] = [[]]
"""Input that ends without an object."""

if TYPE_CHECKING:
    from tests.wire.conftest import Wire


def test_a_pipeline_costs_two_requests_and_closing_it_a_third(wire: Wire) -> None:
    server = wire.serve()
    with wire.open(server) as pool:
        opened = server.requests.reset()
        assert (opened.http, dict(opened.actions)) == (6, {"Create": 1, "Receive": 2})
        ran = wire.invoke(pool, *["Write-Output"] * 8, InputObject=1)
        assert server.requests.snapshot().http == 2
        ran.close()
        asked = server.requests.snapshot()
    assert dict(asked.actions) == {"Command": 1, "Receive": 1, "Signal": 1}
    assert (asked.http, asked.pipelines) == (3, 1)


def test_statements_and_pipes_arrive_as_they_were_added(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Write-Output", "Write-Output", InputObject="second")
        shell.add_cmdlet("Piped").add_argument("positional").add_parameter("Switch")
        shell.invoke()
    assert [command.name for command in wire.host.ran] == ["Write-Output", "Write-Output", "Piped"]
    assert [parameter.name for parameter in wire.host.ran[2].parameters] == [None, "Switch"]
    assert shell.output == ["second", *shell.output[1:]]


def test_an_error_can_be_read_whole_and_the_pipeline_goes_on(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        ran = wire.invoke(pool, "Write-Error", "Write-Output", InputObject="after")
    error: Any = ran.streams.error[0]
    assert (ran.state, ran.had_errors, ran.output) == (PSInvocationState.COMPLETED, False, ["after"])
    assert str(error) == 'Hyper-V was unable to find a virtual machine with name "hv9".\r\nSecond line.'
    assert error.fq_error == "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM"
    assert error.message == "InvalidArgument: (hv9:String) [Get-VM], VirtualizationException"
    assert (error.category, error.reason, error.activity) == (5, "VirtualizationException", "Get-VM")
    assert (error.target_object, error.target_name, error.target_type) == ("hv9", "hv9", "String")
    assert (error.command_name, error.invocation_name, error.invocation) == ("Get-VM", "Get-VM", True)
    assert error.invocation_info.adapted_properties["MyCommand"] == "Get-VM"
    assert error.exception.types[0] == "Microsoft.HyperV.PowerShell.VirtualizationException"
    assert error.exception.adapted_properties["Message"] == str(error)
    assert error.exception.adapted_properties["HResult"] == -2146233088


def test_a_failed_invocation_ends_as_failed_with_its_error(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        ran = wire.invoke(pool, "Write-Warning", "Stop-Here", "Write-Output", InputObject="never")
    assert (ran.state, ran.had_errors, ran.output) == (PSInvocationState.FAILED, True, [])
    assert [str(error.fq_error).partition(",")[0] for error in ran.streams.error] == ["InvalidParameter"]
    assert [str(warning) for warning in ran.streams.warning] == ["Mind the gap."]


@pytest.mark.parametrize(
    ("command", "defect"), [("Get-Defect", "ZeroDivisionError: a defect"), ("Stop-Oddly", "KeyError: 'NoSuchCategory'")]
)
def test_a_defect_ends_its_pipeline_only_and_says_whose_it_is(wire: Wire, command: str, defect: str) -> None:
    with wire.open(wire.serve()) as pool:
        broken = wire.invoke(pool, command)
        after = wire.invoke(pool, "Write-Output", InputObject="fine")
    assert broken.state == PSInvocationState.FAILED
    assert broken.streams.error[0].fq_error == "HypervSimDefect"
    assert defect in str(broken.streams.error[0])
    assert after.output == ["fine"]


@pytest.mark.parametrize("merge", ["merge_warning", "merge_verbose", "merge_all"])
def test_what_is_merged_into_the_output_is_asked_of_the_shell(wire: Wire, merge: str) -> None:
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Write-Output")
        getattr(shell, merge)("output")
        shell.invoke()
    (command,) = wire.host.ran
    assert (command.merges_warnings, command.merges_errors) == (merge != "merge_verbose", merge == "merge_all")


def test_a_merged_warning_comes_among_the_output(wire: Wire) -> None:
    wire.host.answers = [Scalar("Int32", 1)]
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Write-Warning", "Get-Answer")
        shell.commands[0].merge_warning = PipelineResultTypes(value=PipelineResultTypes.OUTPUT)
        shell.invoke()
    warning, answer = shell.output
    assert (str(warning), answer, shell.streams.warning) == ("Mind the gap.", 1, [])


def test_records_that_are_to_go_nowhere_are_refused_rather_than_sent(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Write-Warning")
        shell.merge_warning("null")
        shell.invoke()
    assert shell.streams.error[0].fq_error == "HypervSimNotSimulated"
    assert wire.host.ran == []


def test_what_a_client_pipes_in_comes_to_the_first_command(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Read-Input")
        assert shell.invoke(input=(item for item in ["a", 1])) == ["a", 1]


def test_a_pipeline_whose_input_stays_open_waits_until_it_is_stopped(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wire.open(wire.serve(tls=True), operation_timeout=1) as pool:
        monkeypatch.setattr(pool.shell, "send", lambda *_, **__: None)  # so that the end of the input never comes
        shell = wire.shell(pool, "Read-Input")
        shell.begin_invoke(input=(item for item in NOTHING))
        with pytest.raises(WSManFaultError, match="OperationTimeout"):
            pool.shell.receive("stdout", command_id=shell.id)
        assert [command.name for command in wire.host.ran] == ["Read-Input"]
        shell.stop()
        assert wire.invoke(pool, "Write-Output", InputObject="next").output == ["next"]


def test_input_of_a_batch_is_refused_rather_than_given_to_one_of_its_statements(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Write-Output", "Write-Output")
        shell.invoke(input=(item for item in ["a"]))
    assert shell.streams.error[0].fq_error == "HypervSimNotSimulated"


def test_script_text_is_the_shell_s_to_decide(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        assert PowerShell(pool).add_script("Get-VM; exit 1").invoke() == ["script: Get-VM; exit 1"]


def test_pypsrp_s_client_works_with_a_shell_that_takes_its_cmdlets(wire: Wire) -> None:
    server = wire.serve(tls=True)
    host, port = server.address
    with Client(
        host,
        port=port,
        auth="basic",
        username=server.username,
        password=server.password,
        cert_validation=server.ca_bundle,
        no_proxy=True,
    ) as client:
        output, streams, had_errors = client.execute_ps("Get-VM", environment={"NAME": "value"})
    assert (output, streams.error, had_errors) == ("script text", [], False)
    assert [command.name for command in wire.host.ran] == ["New-Item", "Out-Null", "Invoke-Expression", "Out-String"]


def test_stopping_ends_a_running_pipeline_before_it_returns(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        shell = wire.shell(pool, "Wait-Event")
        shell.begin_invoke()
        assert wire.host.waiting.wait(10)
        shell.stop()
        assert wire.host.stopped.is_set()
        assert wire.invoke(pool, "Write-Output", InputObject="next").output == ["next"]


def test_a_stopped_pipeline_says_so_to_who_waits_for_it(wire: Wire) -> None:
    server = wire.serve(tls=True)
    with wire.open(server) as pool:
        shell = wire.shell(pool, "Wait-Event")
        shell.begin_invoke()
        other = wire.connect(server)
        signal = Thread(target=_stop_from, args=(other, pool, shell.id))
        signal.start()
        shell.end_invoke()
        signal.join()
    assert shell.state == PSInvocationState.STOPPED
    assert shell.streams.error[0].fq_error == "PipelineStopped"


def _stop_from(connection: Any, pool: Any, pipeline_id: str) -> None:
    pool.shell.__class__.signal(_Through(connection, pool), "powershell/signal/ctrl_c", pipeline_id)


class _Through:
    """The pool's shell as another connection sees it."""

    def __init__(self, connection: Any, pool: Any) -> None:
        self.wsman = connection
        self.resource_uri = pool.shell.resource_uri
        self._selector_set = pool.shell._selector_set


def test_a_pipeline_waits_for_a_free_runspace(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        first = wire.shell(pool, "Wait-Event")
        first.begin_invoke()
        assert wire.host.waiting.wait(10)
        assert pool.get_available_runspaces() == 0
        second = wire.shell(pool, "Write-Output", InputObject="second")
        second.begin_invoke()
        assert [command.name for command in wire.host.ran] == ["Wait-Event"]
        wire.host.may_go_on = lambda: True
        assert (first.end_invoke(), second.end_invoke()) == (["went on"], ["second"])


def test_a_pipeline_that_is_stopped_while_it_waits_for_a_runspace_never_runs(wire: Wire) -> None:
    with wire.open(wire.serve()) as pool:
        first, second = wire.shell(pool, "Wait-Event"), wire.shell(pool, "Write-Output")
        first.begin_invoke()
        assert wire.host.waiting.wait(10)
        second.begin_invoke()
        second.stop()
        first.stop()
    assert [command.name for command in wire.host.ran] == ["Wait-Event"]


def test_the_pool_s_own_calls_work(wire: Wire) -> None:
    with wire.open(wire.serve(), max_runspaces=2) as pool:
        assert pool.get_available_runspaces() == 2
        pool.max_runspaces = 5
        assert pool.get_available_runspaces() == 5
        pool.min_runspaces = 5
        for wrong in (-1, 0, 4):  # 4 is below the least
            with pytest.raises(InvalidPSRPOperation):
                pool.max_runspaces = wrong
        for wrong in (0, 6):
            with pytest.raises(InvalidPSRPOperation):
                pool.min_runspaces = wrong
        pool.max_runspaces = 7
        pool.reset_runspace_state()
        told: Any = pool.application_private_data
        assert told.data["PSVersionTable"]["BuildVersion"] == "10.0.20348.1"


@pytest.mark.parametrize(("least", "most"), [(0, 0), (3, 1)])
def test_a_pool_that_cannot_be_tells_its_capability_and_nothing_more(wire: Wire, least: int, most: int) -> None:
    client = wire.connect(wire.serve(), operation_timeout=1)
    pool = RunspacePool(client, min_runspaces=least, max_runspaces=most)
    with pytest.raises(WSManFaultError, match="OperationTimeout"):
        pool.open()
    assert (pool.protocol_version, pool.state) == ("2.3", RunspacePoolState.NEGOTIATION_SENT)


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3"])
def test_an_older_client_is_spoken_to_in_its_version(wire: Wire, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr("pypsrp.powershell.PROTOCOL_VERSION", version)
    with wire.open(wire.serve()) as pool:
        told: Any = pool.application_private_data
        assert (pool.protocol_version, told.data["PSVersionTable"]["PSRemotingProtocolVersion"]) == (version, version)
        assert wire.invoke(pool, "Write-Output", InputObject=1).output == [1]


def test_the_first_answer_of_a_session_comes_after_a_record_of_progress(wire: Wire) -> None:
    server = wire.serve()
    with wire.open(server) as pool:
        server.requests.reset()
        first, second = wire.invoke(pool, "Write-Error"), wire.invoke(pool, "Write-Output")
        assert dict(server.requests.snapshot().actions) == {"Command": 2, "Receive": 2}
    (record,) = first.streams.progress
    assert (record.activity, record.description, record.percent_complete) == (
        "Preparing modules for first use.",
        " ",
        -1,
    )
    assert second.streams.progress == []


def test_a_pool_breaks_while_it_opens_with_the_text_of_its_error(wire: Wire) -> None:
    server = wire.serve()
    with pytest.raises(InvalidPSRPOperation, match='unable to find a virtual machine with name "hv9"'):
        wire.open(server, configuration_name="Broken")
    assert server.open_shells == 1  # it is there until the client closes it
