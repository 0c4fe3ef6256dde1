"""One runspace pool of [MS-PSRP], without sockets: fragments in, fragments out, a `Shell` behind.

psrpcore speaks the protocol, all but the message that asks for a pipeline; this module runs the pipelines. psrpcore is
not safe across threads, so one lock guards the pool, and each pipeline runs in a thread of its own that takes the lock
only to write a record.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event, Thread
from typing import Any, Protocol
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
    Value,
    Warned,
)
from hyperv_sim.wire import create_pipeline
from hyperv_sim.wire.clixml_writer import written
from hyperv_sim.wire.create_pipeline import PipelineRequest
from hyperv_sim.wire.error_records import defect, not_simulated, to_wire_record, to_wire_warning
from hyperv_sim.wire.fragments import CREATE_PIPELINE, Defragmenter, fragmented, to_client
from hyperv_sim.wire.outbox import Outbox

# The size (bytes, header included) of Windows PowerShell's own fragments: BaseTransportManager.DefaultFragmentSize.
FRAGMENT_SIZE = 32 * 1024
# A pipeline has this long (seconds) to end before a part of its output goes out: a short one costs one Receive always.
GATHER = 1.0
# How long (seconds) the rest of a batch whose client was told of an end waits for another pipeline to come between:
# a client that believes it must not be right by luck.
UNHEARD_DELAY = 0.1
# The last message of a pipeline that ran to its end, always the same.
_COMPLETED = ps.PSObject()
_COMPLETED.PSObject.type_names = []
_COMPLETED.PSObject.extended_properties.append(ps.PSNoteProperty("PipelineState", ps.PSInvocationState.Completed.value))


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

    def start(self, request: PipelineRequest) -> None:
        """Run what the client asked for. Raises MalformedMessageError for a second request."""
        if self._thread is not None:
            raise MalformedMessageError("the pipeline was requested twice")
        self._thread = Thread(target=self._run, args=(request,), name="hyperv-sim pipeline", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the pipeline to end early, as Ctrl+C does."""
        self._stop.set()
        self._pool.wake()

    def wait(self, timeout: float) -> None:
        """Wait until the pipeline ended, `timeout` seconds at most."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, request: PipelineRequest) -> None:
        failed: ErrorRecord | None = None
        unheard: Iterator[Record] | None = None
        try:
            statements = _statements(request)
            with self._pool.runspace(self._stop) as shell:
                self.core.state = ps.PSInvocationState.Running  # without a message: Windows sends none
                records = iter(() if self._stop.is_set() else shell.invoke(statements, self._stop))
                for record in records:
                    if isinstance(record, Ended):
                        failed, unheard = record.error, records
                        break
                    self._write(record)
        except InvocationFailedError as failure:
            failed = failure.error
        except Exception as failure:  # whatever the shell did not foresee ends this pipeline only
            failed = defect(failure)
        self._end(failed)
        if unheard is not None:
            self._go_on(unheard)

    def _go_on(self, unheard: Iterator[Record]) -> None:
        """Run what is left of a batch after its client was told of an end: the pipelines that come now run between."""
        is_left = True
        while is_left:
            self._pool.let_another_in(UNHEARD_DELAY)
            with self._pool.runspace(Event()):
                is_left = next(unheard, None) is not None

    def _write(self, record: Record) -> None:
        with self._pool.lock:
            if isinstance(record, Output):
                self._pool.core.write_output(record.value, self.core.pipeline_id)
            elif isinstance(record, Failure) and record.as_output:
                self.core.write_output(to_wire_record(record.error))
            elif isinstance(record, Failure):
                self.core.prepare_message(to_wire_record(record.error), ps.PSRPMessageType.ErrorRecord)
            elif isinstance(record, Warned):
                self.core.prepare_message(to_wire_warning(record.message), ps.PSRPMessageType.WarningRecord)

    def _end(self, failed: ErrorRecord | None) -> None:
        with self._pool.lock:
            self.core.state = ps.PSInvocationState.Running
            if self._stop.is_set():
                self.core.stop()
            elif failed is None:
                self._complete()
            else:
                self._fail(failed)
            self.core.close()
        self.outbox.finish()

    def _complete(self) -> None:
        self._pool.core.prepare_message(_COMPLETED, ps.PSRPMessageType.PipelineState, self.core.pipeline_id)
        self.core.state = ps.PSInvocationState.Completed

    def _fail(self, error: ErrorRecord) -> None:
        state = ps.PSInvocationState.Failed
        try:
            record = to_wire_record(error)
        except Exception as failure:  # a record that cannot be written must not leave the client waiting
            record = to_wire_record(defect(failure))
        record.serialize_extended_info = False  # as recorded
        self.core.prepare_message(ps.PipelineState(PipelineState=state.value, ExceptionAsErrorRecord=record))
        self.core.state = state


class RunspacePool:
    """A runspace pool and its pipelines."""

    def __init__(self, shell: Shell, version_table: dict[str, Any]) -> None:
        self.lock = Condition()
        self.outbox = Outbox()
        self.core = _Core(self._put, {"PSVersionTable": version_table})
        self.pipelines: dict[UUID, Pipeline] = {}
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
                # Windows refuses a number below one, and a minimum above the maximum [I beyond the negative number].
                is_fine = event.count >= 1 and not (
                    isinstance(event, psrpcore.SetMinRunspacesEvent) and event.count > self.core.max_runspaces
                )
                self.core.runspace_availability_response(event.ci, is_fine)
                self.lock.notify_all()
            case psrpcore.ResetRunspaceStateEvent():
                self.core.runspace_availability_response(event.ci, response=True)
            case psrpcore.GetAvailableRunspacesEvent():
                self.core.runspace_availability_response(event.ci, self.core.max_runspaces - self._busy)
            case _:
                pass


class _Put(Protocol):
    def __call__(self, pipeline_id: UUID | None, fragment: bytes, *, apart: bool) -> None: ...


class _Core(psrpcore.ServerRunspacePool):
    """psrpcore's pool, which hands each message to an outbox at once: one fragment to a Stream element, as recorded."""

    def __init__(self, put: _Put, private_data: dict[str, Any]) -> None:
        super().__init__(private_data)
        self._put = put
        self.answer: list[bytes] | None = None  # collects the answer to a Connect

    def read_value(self, element: ET.Element) -> Any:
        """Give psrpcore's form of a value that the client sent."""
        capabilities = {"our_capability": self.our_capability, "their_capability": self.their_capability}
        return ps.deserialize(element, self._cipher, **capabilities)

    def write_output(self, value: Value, pipeline_id: UUID) -> None:
        """Queue an object of a pipeline's output, in fragments."""
        message = to_client(ps.PSRPMessageType.PipelineOutput, self.runspace_pool_id, pipeline_id, written(value))
        for fragment in fragmented(message, self._fragment_counter, FRAGMENT_SIZE):
            self._put(pipeline_id, fragment, apart=False)

    def prepare_message(
        self,
        message: Any,
        message_type: ps.PSRPMessageType | None = None,
        pipeline_id: UUID | None = None,
        stream_type: psrpcore.StreamType = psrpcore.StreamType.default,
    ) -> None:
        """Queue a message, in fragments."""
        super().prepare_message(message, message_type, pipeline_id, stream_type)
        # Recorded: the state Opened comes with a Receive of its own, since a runspace takes a moment to open.
        apart = isinstance(message, ps.RunspacePoolStateMsg)
        while payload := self.data_to_send(FRAGMENT_SIZE):
            if self.answer is not None and pipeline_id is None and not apart:
                self.answer.append(payload.data)
            else:
                self._put(pipeline_id, payload.data, apart=apart)


def _statements(request: PipelineRequest) -> list[Statement]:
    """Give the statements for a shell. Raises InvocationFailedError for what is not simulated."""
    if request.not_simulated:
        raise InvocationFailedError(not_simulated(request.not_simulated))
    return [[sent.command() for sent in statement] for statement in request.statements]


fact(
    "PSRP",
    "pipeline input, command metadata and merged streams other than errors are refused (`HypervSimNotSimulated`)",
    "not simulated",
)
fact("PSRP", "at most MaxRunspaces pipelines run at once, the others wait", POWERSHELL)
fact("PSRP", "the pool's state Opened comes with a Receive of its own", "recordings in pypsrp's tests")
