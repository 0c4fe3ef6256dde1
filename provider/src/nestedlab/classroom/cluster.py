"""A Dask cluster, over TLS alone: who its workers are, and calls of functions there. The one module that imports it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeVar, cast, overload

from distributed import Client, Security

from nestedlab.classroom.cluster_address import ClusterAddress
from nestedlab.errors import ConfigurationError, UnreachableError

Answer = TypeVar("Answer")

_SECONDS_TO_CONNECT = 20
_SECONDS_OF_A_CALL = 15
_SECONDS_OF_MEMBERS = 0.5
"""How old the list of members may be."""


class SilentError(Exception):
    """A worker did not answer. It may have done what was requested."""


class Cluster:
    """A connection to a cluster. Use it as a context."""

    def __init__(self, address: ClusterAddress) -> None:
        self._address = address
        self._members: Mapping[str, int] = {}
        self._members_at = float("-inf")
        self._lock = threading.Lock()

    def __enter__(self) -> Cluster:
        # What happens to workers is told in our own words.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        address = self._address
        given = {
            "tls_ca_file": address.ca,
            "tls_client_cert": address.certificate,
            "tls_client_key": address.key,
        }
        # distributed has types in part: what has none is called through Any.
        security_of, client_of = cast("Any", Security), cast("Any", Client)
        files = {key: str(path) for key, path in given.items() if path is not None}
        try:
            security = security_of(require_encryption=True, **files)
            self._client: Any = client_of(
                address.scheduler, security=security, timeout=_SECONDS_TO_CONNECT, set_as_default=False
            )
        except (OSError, TimeoutError, TypeError, ValueError, RuntimeError) as error:
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UnreachableError(
                f"the cluster's scheduler {address.scheduler} cannot be used: {cause}. Check that it runs there with "
                "`dask scheduler --protocol tls`, and that --cluster-ca, --cluster-cert and --cluster-key name the "
                "authority that signed its certificate, and a certificate and key that this authority signed."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def members(self) -> Mapping[str, int]:
        """The workers that the scheduler has now: addresses, and their numbers of threads."""
        with self._lock:
            if time.monotonic() - self._members_at > _SECONDS_OF_MEMBERS:
                self._members = self._asked()
                self._members_at = time.monotonic()
            return self._members

    def _asked(self) -> Mapping[str, int]:
        try:
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as error:
            raise UnreachableError(f"the cluster's scheduler {self._address.scheduler} does not answer.") from error
        plain = [address for address in workers if not address.startswith("tls://")]
        if plain:
            raise ConfigurationError(
                f"the worker {plain[0]} of the cluster does not use TLS, which secrets require. Start it with "
                "`--protocol tls`."
            )
        return {address: int(worker["nthreads"]) for address, worker in workers.items()}

    @overload
    def call(self, worker: str, function: Callable[..., Coroutine[Any, Any, Answer]], *arguments: object) -> Answer: ...

    @overload
    def call(self, worker: str, function: Callable[..., Answer], *arguments: object) -> Answer: ...

    def call(self, worker: str, function: Callable[..., Any], *arguments: object) -> Any:
        """Call a function with plain values on a worker, in parallel with its other work. Raises SilentError."""

        async def called() -> Any:
            answers: Any = await self._client.run(function, *arguments, workers=[worker])
            return answers[worker]

        loop = self._client.loop.asyncio_loop
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(called(), _SECONDS_OF_A_CALL), loop)
        try:
            return future.result()
        except (OSError, TimeoutError, asyncio.TimeoutError, asyncio.CancelledError, KeyError) as error:
            raise SilentError(worker) from error
