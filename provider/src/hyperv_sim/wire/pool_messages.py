"""What a runspace pool says of itself as it opens ([MS-PSRP] 2.2.2.1 and 2.2.2.13), as it was recorded on Windows."""

from __future__ import annotations

from collections.abc import Mapping

from hyperv_sim.fidelity import fact
from hyperv_sim.records import NetList, Value
from hyperv_sim.wire.clixml_writer import Writer

_NEWEST = "2.3"
_DICTIONARY = (
    "System.Management.Automation.PSPrimitiveDictionary",
    "System.Collections.Hashtable",
    "System.Object",
)
_VERSIONS = ("System.Version[]", "System.Array", "System.Object")


def agreed(version: str) -> str:
    """The version of the protocol that is spoken with a client of this version."""
    return min(version, _NEWEST, key=lambda known: [int(part) for part in known.split(".")])


def capability(version: str) -> str:
    """Give the session's capability: the client's version of the protocol again, unless it is newer than ours."""
    return (
        f'<Obj RefId="0"><MS><Version N="protocolversion">{version}</Version><Version N="PSVersion">2.0</Version>'
        '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
    )


def private_data(version_table: Mapping[str, Value]) -> str:
    """Give the application's private data: one table, with a list of versions in it."""
    writer = Writer()
    writer.begin()
    writer.raw("<MS>")
    writer.begin("ApplicationPrivateData", _DICTIONARY)
    writer.raw('<DCT><En><S N="Key">PSVersionTable</S>')
    writer.begin("Value", _DICTIONARY)
    writer.dictionary(
        {
            name: NetList(_VERSIONS, value) if isinstance(value, tuple) else value
            for name, value in version_table.items()
        }
    )
    writer.raw("</En></DCT></Obj></MS></Obj>")
    return writer.text()


fact(
    "PSRP",
    "a client's version of the protocol, 2.1 to 2.3, comes back as that of the session",
    "recordings in pypsrp's tests",
)
