"""psrpcore's pool, as the simulated host has it: it reads the client's messages, and writes the pool's own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from uuid import UUID

import psrpcore
from psrpcore import types as ps

from hyperv_sim.records import Scalar, Value
from hyperv_sim.wire import pool_messages
from hyperv_sim.wire.fragments import fragmented, to_client

# The size (bytes, header included) of Windows PowerShell's own fragments: BaseTransportManager.DefaultFragmentSize.
FRAGMENT_SIZE = 32 * 1024
NOBODY = UUID(int=0)  # the pool itself, among its pipelines


class Put(Protocol):
    """Takes a fragment of the pool or of a pipeline; one that stands `apart` goes out with a later Receive."""

    def __call__(self, pipeline_id: UUID | None, fragment: bytes, *, apart: bool) -> None:
        """Take the fragment."""
        ...


class Core(psrpcore.ServerRunspacePool):
    """psrpcore's pool, which hands each message to an outbox at once: one fragment to a Stream element, as recorded."""

    def __init__(self, put: Put, version_table: Mapping[str, Value], broken: str | None = None) -> None:
        super().__init__()
        self._put = put
        self._version_table = version_table
        self.broken = broken  # the state that an opening is answered with, if the pool does not open
        self.answer: list[bytes] | None = None  # collects the answer to a Connect

    def _process_InitRunspacePool(self, event: psrpcore.InitRunspacePoolEvent) -> None:  # noqa: N802
        if not 1 <= event.min_runspaces <= event.max_runspaces:
            return
        if self.broken is None:
            super()._process_InitRunspacePool(event)
            return
        self.state = ps.RunspacePoolState.Broken
        for fragment in self._fragments(ps.PSRPMessageType.RunspacePoolState, self.broken, NOBODY):
            self._put(None, fragment, apart=True)

    def _fragments(self, message_type: int, clixml: str, pipeline_id: UUID) -> Iterator[bytes]:
        message = to_client(message_type, self.runspace_pool_id, pipeline_id, clixml)
        return fragmented(message, self._fragment_counter, FRAGMENT_SIZE)

    def read_value(self, element: ET.Element) -> Any:
        """Give psrpcore's form of a value that the client sent."""
        capabilities = {"our_capability": self.our_capability, "their_capability": self.their_capability}
        return ps.deserialize(element, self._cipher, **capabilities)

    def write(self, message_type: int, clixml: str, pipeline_id: UUID) -> None:
        """Queue a pipeline's message, in fragments."""
        for fragment in self._fragments(message_type, clixml, pipeline_id):
            self._put(pipeline_id, fragment, apart=False)

    def prepare_message(
        self,
        message: Any,
        message_type: ps.PSRPMessageType | None = None,
        pipeline_id: UUID | None = None,
        stream_type: psrpcore.StreamType = psrpcore.StreamType.default,
    ) -> None:
        """Queue a message of the pool, in fragments."""
        # Recorded: the state Opened comes with a Receive of its own, since a runspace takes a moment to open.
        apart = isinstance(message, ps.RunspacePoolStateMsg)
        for fragment in self._written(message) or self._written_by_psrpcore(
            message, message_type, pipeline_id, stream_type
        ):
            if self.answer is not None and pipeline_id is None and not apart:
                self.answer.append(fragment)
            else:
                self._put(pipeline_id, fragment, apart=apart)

    def _written(self, message: Any) -> list[bytes]:
        """Give the fragments of a message that psrpcore writes in another shape than Windows."""
        theirs = self.their_capability
        version = pool_messages.agreed(str((theirs or self.our_capability).protocolversion))
        if isinstance(message, ps.SessionCapability):
            clixml = pool_messages.capability(version)
            return [*self._fragments(ps.PSRPMessageType.SessionCapability, clixml, NOBODY)]
        if isinstance(message, ps.ApplicationPrivateData):
            table = {**self._version_table, "PSRemotingProtocolVersion": Scalar("Version", version)}
            clixml = pool_messages.private_data(table)
            return [*self._fragments(ps.PSRPMessageType.ApplicationPrivateData, clixml, NOBODY)]
        return []

    def _written_by_psrpcore(self, *message: Any) -> list[bytes]:
        super().prepare_message(*message)
        fragments: list[bytes] = []
        while payload := self.data_to_send(FRAGMENT_SIZE):
            fragments.append(payload.data)
        return fragments
