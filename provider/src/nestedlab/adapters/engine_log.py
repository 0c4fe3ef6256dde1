"""Warnings to the user: through Pulumi's engine, under the resource that they are about.

The engine starts a provider with its own address as the first argument; its `Log` shows a message in the diagnostics
of the resource with the URN. Outside a provider process, warnings go to the log alone.
"""

from __future__ import annotations

import logging
import sys
from functools import cache

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from nestedlab.adapters.provider_process import provider_process

_LOG = logging.getLogger(__name__)


def warn(urn: str, message: str) -> None:
    """Show a warning under a resource."""
    _LOG.info("%s: %s", urn, message)
    engine = _engine()
    if engine is None:
        return
    request = engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=message, urn=urn)
    try:
        engine.Log(request, timeout=5)
    except grpc.RpcError as error:
        _LOG.debug("the engine did not accept the message: %s", error)


@cache
def _engine() -> engine_pb2_grpc.EngineStub | None:
    """The engine that this process was started by, if it is a provider process."""
    if provider_process() is None or len(sys.argv) < 2:
        return None
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(sys.argv[1]))
