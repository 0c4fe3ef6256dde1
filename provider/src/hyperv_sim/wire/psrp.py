"""One runspace pool of [MS-PSRP], without sockets: fragments in, fragments out, a `Shell` behind.

psrpcore speaks the protocol, all but the message that asks for a pipeline; this module runs the pipelines. psrpcore is
not safe across threads, so one lock guards the pool, and each pipeline runs in a thread of its own that takes the lock
only to write a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from threading import Condition, Event, Thread
from typing import Any
from uuid import UUID

import psrpcore
from psrpcore import types as ps

from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.records import (
    Ended,
    ErrorRecord,
    Failure,
    InvocationFailedError,
    Output,
    Record,
    Shell,
    Statement,
    Unheard,
    Value,
    Warned,
)
from hyperv_sim.wire import create_pipeline, error_records, stream_records
from hyperv_sim.wire.clixml import from_wire
from hyperv_sim.wire.clixml_writer import written
from hyperv_sim.wire.core import Core
from hyperv_sim.wire.create_pipeline import PipelineRequest
from hyperv_sim.wire.fragments import CREATE_PIPELINE, Defragmenter
from hyperv_sim.wire.outbox import Outbox

# A pipeline has this long (seconds) to end before a part of its output goes out: a short one costs one Receive always.
GATHER = 1.0
# How long (seconds) the rest of a batch whose client was told of an end waits for another pipeline to come between:
# a client that believes it must not be right by luck.
UNHEARD_DELAY = 0.1
# The last message of a pipeline that ran to its end, always the same.
_COMPLETED = stream_records.state(ps.PSInvocationState.Completed.value)
# RemoteStreamOptions: of whose records the client wants the commands.
_OF_ERRORS, _OF_WARNINGS = 1, 2


class MalformedMessageError(ValueError):
    """The client sent fragments that are not PSRP or do not fit the state of the pool."""


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
        match record:
            case Output(value):
                self._send(ps.PSRPMessageType.PipelineOutput, written(value))
            case Failure(error, has_ended=True):
                wanted = bool(invocations & _OF_ERRORS)
                self._send(ps.PSRPMessageType.ErrorRecord, error_records.ending(error, with_invocation=wanted))
            case Failure(error, as_output=True):
                self._send(ps.PSRPMessageType.PipelineOutput, error_records.going_on(error, with_invocation=False))
            case Failure(error):
                wanted = bool(invocations & _OF_ERRORS)
                self._send(ps.PSRPMessageType.ErrorRecord, error_records.going_on(error, with_invocation=wanted))
            case Warned():
                stream = ps.PSRPMessageType.PipelineOutput if record.as_output else ps.PSRPMessageType.WarningRecord
                wanted = bool(invocations & _OF_WARNINGS)
                self._send(stream, stream_records.warning(record, with_invocation=wanted))
            case Ended() | Unheard():
                pass

    def _end(self, failed: ErrorRecord | None) -> None:
        if self._stop.is_set():
            state, clixml = ps.PSInvocationState.Stopped, stream_records.state(3, error_records.stopped())
        elif failed is None:
            state, clixml = ps.PSInvocationState.Completed, _COMPLETED
        else:
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


class RunspacePool:
    """A runspace pool and its pipelines."""

    def __init__(self, shell: Shell, version_table: dict[str, Any]) -> None:
        self.lock = Condition()
        self.outbox = Outbox()
        self.core = Core(self._put, {"PSVersionTable": version_table})
        self.pipelines: dict[UUID, Pipeline] = {}
        self.is_new = True  # nothing of a pipeline has been sent
        self._incoming = Defragmenter()
        self._shell = shell
        self._busy = 0
        self._turns = 0
        self._is_closed = False

    def receive(self, fragments: bytes, pipeline_id: UUID | None = None) -> None:
        """Take fragments from the client, for the pool or for one of its pipelines.

        Raises MalformedMessageError.
        """
        if pipeline_id is None:
            # PowerShell reads names in any case, psrpcore does not; pypsrp spells this one two ways.
            fragments = fragments.replace(b'N="CI"', b'N="ci"')
        with self.lock:
            try:
                for message in self._incoming.take(fragments):
                    if message.type == CREATE_PIPELINE:
                        request = create_pipeline.read(message.clixml, self.core.read_value)
                        self.pipelines[message.pipeline_id].start(request)
                    else:
                        self._leave_to_psrpcore(message.fragments)
            except Exception as failure:
                raise MalformedMessageError(str(failure)) from failure

    def create_pipeline(self, pipeline_id: UUID, fragments: bytes) -> Pipeline:
        """Make a pipeline from (the beginning of) its CreatePipeline message. Raises MalformedMessageError."""
        with self.lock:
            if pipeline_id in self.pipelines:
                raise MalformedMessageError(f"there is a pipeline {pipeline_id} already")
            pipeline = self.pipelines[pipeline_id] = Pipeline(self, pipeline_id)
        try:
            self.receive(fragments, pipeline_id)
        except MalformedMessageError:
            del self.pipelines[pipeline_id]
            pipeline.core.close()
            raise
        return pipeline

    def connect(self, fragments: bytes) -> tuple[bytes, ...]:
        """Take a new client's ConnectRunspacePool and give what answers it. Raises MalformedMessageError."""
        with self.lock:
            self.core.state = ps.RunspacePoolState.Disconnected
            self.core.connect()
            self.core.answer = []
            self.core.prepare_message(self.core.our_capability)
            try:
                self.receive(fragments)
                return tuple(self.core.answer)
            finally:
                self.core.answer = None

    def close(self) -> None:
        """Stop all pipelines and let nobody wait any longer."""
        with self.lock:
            self._is_closed = True
            boxes = [self.outbox, *(pipeline.outbox for pipeline in self.pipelines.values())]
        for pipeline in list(self.pipelines.values()):
            pipeline.stop()
        for box in boxes:
            box.close()

    def wake(self) -> None:
        """Let waiting pipelines look again whether they may run."""
        with self.lock:
            self.lock.notify_all()

    @contextmanager
    def runspace(self, stop: Event) -> Iterator[Shell]:
        """Wait for a free runspace (or for `stop`) and have it; at most MaxRunspaces pipelines have one at a time."""
        with self.lock:
            self.lock.wait_for(lambda: stop.is_set() or self._busy < max(self.core.max_runspaces, 1))
            self._busy += 1
            self._turns += 1
        try:
            yield self._shell
        finally:
            with self.lock:
                self._busy -= 1
                self.lock.notify_all()

    def let_another_in(self, seconds: float) -> None:
        """Wait until another pipeline has a runspace or had one, so long at most."""
        with self.lock:
            before = self._turns
            self.lock.wait_for(lambda: self._turns != before or self._is_closed, seconds)

    def _put(self, pipeline_id: UUID | None, fragment: bytes, *, apart: bool) -> None:
        if pipeline_id is None:
            self.outbox.put(fragment, apart=apart)
        elif pipeline := self.pipelines.get(pipeline_id):  # else it was removed: nobody will ask any more
            pipeline.outbox.put(fragment, apart=apart)

    def _leave_to_psrpcore(self, fragments: bytes) -> None:
        self.core.receive_data(psrpcore.PSRPPayload(fragments, psrpcore.StreamType.default, None))
        while event := self.core.next_event():
            self._react(event)

    def _react(self, event: psrpcore.PSRPEvent[Any, Any]) -> None:
        match event:
            case psrpcore.GetCommandMetadataEvent():
                what = "command metadata (RunspacePool.get_command_metadata)"
                self.pipelines[event.pipeline_id].start(PipelineRequest(not_simulated=what))
            case psrpcore.SetMaxRunspacesEvent() | psrpcore.SetMinRunspacesEvent():
                self.core.runspace_availability_response(event.ci, self._takes(event))
                self.lock.notify_all()
            case psrpcore.ResetRunspaceStateEvent():
                self.core.runspace_availability_response(event.ci, response=True)
            case psrpcore.GetAvailableRunspacesEvent():
                self.core.runspace_availability_response(event.ci, self.core.max_runspaces - self._busy)
            case psrpcore.PipelineInputEvent():
                self.pipelines[event.pipeline_id].give(Output(from_wire(event.data)))
            case psrpcore.EndOfPipelineInputEvent():
                self.pipelines[event.pipeline_id].give(None)
            case _:
                pass

    def _takes(self, event: psrpcore.SetMaxRunspacesEvent | psrpcore.SetMinRunspacesEvent) -> bool:
        """Whether a number of runspaces is taken: one at least, and the least not above the most. [recorded]"""
        if isinstance(event, psrpcore.SetMinRunspacesEvent):
            return 1 <= event.count <= self.core.max_runspaces
        return event.count >= max(1, self.core.min_runspaces)


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
fact("PSRP", "at most MaxRunspaces pipelines run at once, the others wait", POWERSHELL)
fact("PSRP", "the pool's state Opened comes with a Receive of its own", "recordings in pypsrp's tests")
