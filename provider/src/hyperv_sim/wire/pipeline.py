"""A pipeline of a runspace pool: what the client asks for, run by the shell in a thread, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import UUID

import psrpcore
from psrpcore import types as ps

from hyperv_sim.fidelity import fact
from hyperv_sim.records import (
    Ended,
    ErrorRecord,
    Failure,
    InvocationFailedError,
    Output,
    Record,
    Statement,
    Unheard,
    Value,
    Warned,
)
from hyperv_sim.wire import error_records, stream_records
from hyperv_sim.wire.clixml_writer import written
from hyperv_sim.wire.create_pipeline import PipelineRequest
from hyperv_sim.wire.fragments import MalformedMessageError
from hyperv_sim.wire.outbox import Outbox

if TYPE_CHECKING:
    from hyperv_sim.wire.psrp import RunspacePool

# A pipeline has this long (seconds) to end before a part of its output goes out: a short one costs one Receive always.
GATHER = 1.0
# How long (seconds) the rest of a batch whose client was told of an end waits for another pipeline to come between:
# a client that believes it must not be right by luck.
UNHEARD_DELAY = 0.1
# The last message of a pipeline that ran to its end, and of one that was stopped: always the same.
_COMPLETED = stream_records.state(ps.PSInvocationState.Completed.value)
_STOPPED = stream_records.state(ps.PSInvocationState.Stopped.value, error_records.stopped())
# RemoteStreamOptions: of whose records the client wants the commands.
_OF_ERRORS, _OF_WARNINGS = 1, 2


class Pipeline:
    """A pipeline of a pool: its output, and the thread that runs it once its CreatePipeline message is complete."""

    def __init__(self, pool: RunspacePool, pipeline_id: UUID) -> None:
        self.outbox = Outbox(GATHER)
        self.core = psrpcore.ServerPipeline(pool.core, pipeline_id)
        self._pool = pool
        self._stop = Event()
        self._thread: Thread | None = None
        self._input: SimpleQueue[Output | None] = SimpleQueue()

    def start(self, request: PipelineRequest) -> None:
        """Run what the client asked for. Raises MalformedMessageError for a second request."""
        if self._thread is not None:
            raise MalformedMessageError("the pipeline was requested twice")
        self._thread = Thread(target=self._run, args=(request,), name="hyperv-sim pipeline", daemon=True)
        self._thread.start()

    def give(self, piped: Output | None) -> None:
        """Take an object that the client pipes to the first command, or the end of them."""
        self._input.put(piped)

    def stop(self) -> None:
        """Ask the pipeline to end early, as Ctrl+C does."""
        self._stop.set()
        self._input.put(None)
        self._pool.wake()

    def wait(self, timeout: float) -> None:
        """Wait until the pipeline ended, `timeout` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, request: PipelineRequest) -> None:
        failed: ErrorRecord | None = None
        unheard: Iterator[Record] | None = None
        try:
            statements = _statements(request, self._piped() if request.has_input else None)
            with self._pool.runspace(self._stop) as shell:
                self.core.state = ps.PSInvocationState.Running  # without a message: Windows sends none
                records = iter(() if self._stop.is_set() else shell.invoke(statements, self._stop))
                for record in records:
                    if isinstance(record, Ended):
                        failed, unheard = record.error, records
                        break
                    self._write(record, request.invocations)
        except InvocationFailedError as failure:
            failed = failure.error
        except Exception as failure:  # whatever the shell did not foresee ends this pipeline only
            failed = error_records.defect(failure)
        self._end(failed)
        if unheard is not None:
            self._go_on(unheard)

    def _piped(self) -> Iterator[Value]:
        return (piped.value for piped in iter(self._input.get, None))

    def _go_on(self, unheard: Iterator[Record]) -> None:
        """Run what is left of a batch after its client was told of an end: the pipelines that come now run between."""
        is_left = True
        while is_left:
            self._pool.let_another_in(UNHEARD_DELAY)
            with self._pool.runspace(Event()):
                is_left = next(unheard, None) is not None

    def _write(self, record: Record, invocations: int) -> None:
        of_errors, of_warnings = bool(invocations & _OF_ERRORS), bool(invocations & _OF_WARNINGS)
        match record:
            case Output(value):
                self._send(ps.PSRPMessageType.PipelineOutput, written(value))
            case Failure(error, has_ended=True):
                self._send(ps.PSRPMessageType.ErrorRecord, error_records.ending(error, with_invocation=of_errors))
            case Failure(error, as_output=True):
                self._send(ps.PSRPMessageType.PipelineOutput, error_records.going_on(error, with_invocation=False))
            case Failure(error):
                self._send(ps.PSRPMessageType.ErrorRecord, error_records.going_on(error, with_invocation=of_errors))
            case Warned():
                stream = ps.PSRPMessageType.PipelineOutput if record.as_output else ps.PSRPMessageType.WarningRecord
                self._send(stream, stream_records.warning(record, with_invocation=of_warnings))
            case Ended() | Unheard():
                pass

    def _end(self, failed: ErrorRecord | None) -> None:
        state, clixml = ps.PSInvocationState.Completed, _COMPLETED
        if self._stop.is_set():
            state, clixml = ps.PSInvocationState.Stopped, _STOPPED
        elif failed is not None:
            state, clixml = ps.PSInvocationState.Failed, _failed(failed)
        self._send(ps.PSRPMessageType.PipelineState, clixml)
        with self._pool.lock:
            self.core.state = state
            self.core.close()
        self.outbox.finish()

    def _send(self, message_type: ps.PSRPMessageType, clixml: str) -> None:
        with self._pool.lock:
            if self._pool.is_new:
                self._pool.is_new = False
                self._pool.core.write(
                    ps.PSRPMessageType.ProgressRecord, stream_records.PREPARING, self.core.pipeline_id
                )
            self._pool.core.write(message_type, clixml, self.core.pipeline_id)


def _failed(error: ErrorRecord) -> str:
    state = ps.PSInvocationState.Failed.value
    try:
        return stream_records.state(state, error)
    except Exception as failure:  # a record that cannot be written must not leave the client waiting
        return stream_records.state(state, error_records.defect(failure))


def _statements(request: PipelineRequest, piped: Iterator[Value] | None) -> list[Statement]:
    """Give the statements for a shell. Raises InvocationFailedError for what is not simulated."""
    if request.not_simulated:
        raise InvocationFailedError(error_records.not_simulated(request.not_simulated))
    statements = [[sent.command() for sent in statement] for statement in request.statements]
    if piped is not None:
        statements[0][0] = replace(statements[0][0], piped=piped)
    return [*statements]


fact(
    "PSRP",
    "command metadata, input of a batch, and records merged into another stream than the output are refused "
    "(`HypervSimNotSimulated`)",
    "not simulated",
)
fact(
    "PSRP", "a pipeline whose input is open waits for its end, also one that takes none", "recorded on a PowerShell 7.6"
)
fact(
    "PSRP",
    "the first answer of a session comes after one progress record, `Preparing modules for first use.`",
    "recordings in pypsrp's tests: once, twice or not at all",
)
