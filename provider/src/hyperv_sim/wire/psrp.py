"""One runspace pool of [MS-PSRP], without sockets: fragments in, fragments out, a `Shell` behind.

psrpcore speaks the protocol, all but the message that asks for a pipeline and those of pipelines. It is not safe across
threads, so one lock guards the pool; each pipeline runs in a thread of its own that takes the lock only to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition, Event
from typing import Any
from uuid import UUID

import psrpcore
from psrpcore import types as ps

from hyperv_sim.fidelity import POWERSHELL, fact
from hyperv_sim.records import ErrorRecord, InvocationFailedError, Output, Record, Shell, Statement, Value
from hyperv_sim.wire import create_pipeline, error_records, stream_records
from hyperv_sim.wire.clixml import from_wire
from hyperv_sim.wire.core import Core
from hyperv_sim.wire.create_pipeline import PipelineRequest
from hyperv_sim.wire.fragments import CREATE_PIPELINE, Defragmenter, MalformedMessageError
from hyperv_sim.wire.outbox import Outbox
from hyperv_sim.wire.pipeline import Pipeline


class RunspacePool:
    """A runspace pool and its pipelines; on an endpoint that is `broken` it does not open."""

    def __init__(self, shell: Shell, version_table: Mapping[str, Value], broken: ErrorRecord | None = None) -> None:
        self.lock = Condition()
        self.outbox = Outbox()
        number = ps.RunspacePoolState.Broken.value
        state = None if broken is None else stream_records.state(number, broken, of="Runspace")
        self.core = Core(self._put, version_table, state)
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
        """Wait until another pipeline has a runspace or had one, for `seconds` at most."""
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
        """Whether a number of runspaces is accepted: one at least, and the least not above the most. [recorded]"""
        if isinstance(event, psrpcore.SetMinRunspacesEvent):
            return 1 <= event.count <= self.core.max_runspaces
        return event.count >= max(1, self.core.min_runspaces)


class BrokenShell:
    """What runs on a pool that did not open: nothing."""

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:  # noqa: ARG002 - as a Shell
        """Refuse. Raises InvocationFailedError."""
        raise InvocationFailedError(error_records.not_open())


fact(
    "PSRP",
    "a pool on an endpoint whose configuration cannot be loaded answers with its capability and the state Broken, with "
    "the error that tells why",
    "tried on a PowerShell 7.6",
)
fact(
    "PSRP",
    "a pool of no runspaces, or of more at least than at most, tells its capability and then nothing; it never opens",
    "recorded on a PowerShell 7.6; what WSMan says of it is not known",
)
fact("PSRP", "at most MaxRunspaces pipelines run at once, the others wait", POWERSHELL)
fact("PSRP", "the pool's state Opened comes with a Receive of its own", "recordings in pypsrp's tests")
