"""Which cluster a command works on: its options, and what is refused there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from nestedlab.errors import ConfigurationError

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class ClusterAddress:
    """A cluster's scheduler and the files for TLS; None takes the file from Dask's configuration."""

    scheduler: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def refuse(self, backend: str) -> None:
        """Raise ConfigurationError if secrets would travel in clear, or the workers could not reach the states."""
        if urlsplit(self.scheduler).scheme != "tls":
            raise ConfigurationError(
                f"--cluster {self.scheduler}: passwords are sent to the workers, so only TLS is accepted. Start the "
                "scheduler and the workers with `--protocol tls` and certificates, and use tls://HOST:PORT."
            )
        if urlsplit(backend).scheme in ("", "file"):
            raise ConfigurationError(
                f"the states of this class are files ({backend}), which the workers of a cluster cannot reach. Set "
                "`backend` in the course file to one that all of them reach, such as postgres://HOST/DATABASE or "
                "s3://BUCKET."
            )


def _file_option(name: str, text: str) -> Callable[[Command], Command]:
    return click.option(
        f"--cluster-{name}",
        f"cluster_{name}",
        envvar=f"NESTEDLAB_CLUSTER_{name.upper()}",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help=f"PEM file with {text}. By default NESTEDLAB_CLUSTER_{name.upper()}, or Dask's configuration.",
    )


_options = (
    click.option(
        "--cluster",
        metavar="ADDRESS",
        envvar="NESTEDLAB_CLUSTER",
        help="Run the work on a Dask cluster, whose scheduler is at tls://HOST:PORT. By default NESTEDLAB_CLUSTER.",
    ),
    _file_option("ca", "the authority that signed the cluster's certificates"),
    _file_option("cert", "a certificate that it signed"),
    _file_option("key", "the key of that certificate"),
)


def cluster_options(command: Command) -> Command:
    """--cluster, --cluster-ca, --cluster-cert and --cluster-key, as `cluster`: None stands for this machine."""

    @functools.wraps(command)
    def run(
        *,
        cluster: str | None,
        cluster_ca: Path | None,
        cluster_cert: Path | None,
        cluster_key: Path | None,
        **more: Any,
    ) -> Any:
        found = ClusterAddress(cluster, cluster_ca, cluster_cert, cluster_key) if cluster else None
        return command(cluster=found, **more)

    wrapped: Any = run
    for option in reversed(_options):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]
