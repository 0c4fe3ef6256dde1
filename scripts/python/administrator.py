"""Someone at a PowerShell prompt on the Hyper-V host, who knows nothing of Pulumi: cmdlets over PowerShell remoting."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pypsrp.complex_objects import GenericComplexObject
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

Row = dict[str, Any]


class Administrator:
    """A session on a host, in which cmdlets are run; raises RuntimeError if a cmdlet reports an error."""

    def __init__(self, session: RunspacePool) -> None:
        self._session = session

    def run(self, cmdlet: str, **parameters: object) -> list[Any]:
        """Run a cmdlet and return its output."""
        return self._invoke(PowerShell(self._session).add_cmdlet(cmdlet).add_parameters(parameters))

    def table(self, cmdlet: str, *properties: str) -> list[Row]:
        """Return some properties of all objects of a Get- cmdlet, as `Get-VM | Select-Object Name, State` does."""
        pipeline = PowerShell(self._session).add_cmdlet(cmdlet)
        pipeline.add_cmdlet("Select-Object").add_parameter("Property", list(properties))
        return [{name: _plain(sent, name) for name in properties} for sent in self._invoke(pipeline)]

    def _invoke(self, pipeline: PowerShell) -> list[Any]:
        output = list(pipeline.invoke())
        if pipeline.streams.error:
            raise RuntimeError("\n".join(str(error) for error in pipeline.streams.error))
        return output


@contextmanager
def at(url: str, username: str, password: str) -> Iterator[Administrator]:
    """Log on to a host; over plain HTTP every message is encrypted."""
    address = urlsplit(url)
    if not address.hostname or not address.port:
        raise ValueError(f"not the URL of a host: {url}")
    wsman = WSMan(address.hostname, port=address.port, username=username, password=password, ssl=False, auth="ntlm")
    with wsman, RunspacePool(wsman) as session:
        yield Administrator(session)


def _plain(sent: GenericComplexObject, name: str) -> object:
    value = {**sent.adapted_properties, **sent.extended_properties}.get(name)
    return str(value) if isinstance(value, GenericComplexObject) else value
