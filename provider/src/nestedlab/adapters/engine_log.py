"""Messages to the user beside errors: through Pulumi's engine, under the resource that they are about.

The engine starts a provider with its own address as the first argument; its `Log` shows a message in the diagnostics
of the resource with the URN. Anywhere else than in a provider process, messages go to the log alone.
"""

from __future__ import annotations

import logging
import sys
from functools import cache

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_LOG = logging.getLogger(__name__)

_PROVIDER_PROCESS = "pulumi.dynamic.__main__"


def warn(urn: str, message: str) -> None:
    """Show a warning under a resource."""
    _send(urn, message, engine_pb2.WARNING, ephemeral=False)


def status(urn: str, message: str) -> None:
    """Show what is being done, until the next message or the end of the operation."""
    _send(urn, message, engine_pb2.INFO, ephemeral=True)


def _send(urn: str, message: str, severity: engine_pb2.LogSeverity.ValueType, *, ephemeral: bool) -> None:
    _LOG.info("%s: %s", urn, message)
    engine = _engine()
    if engine is None:
        return
    request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
    try:
        engine.Log(request, timeout=5)
    except grpc.RpcError as error:
        _LOG.debug("the engine takes no message: %s", error)


@cache
def _engine() -> engine_pb2_grpc.EngineStub | None:
    """The engine that this process was started by, if it is a provider process."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is None or spec.name != _PROVIDER_PROCESS or len(sys.argv) < 2:
        return None
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(sys.argv[1]))
