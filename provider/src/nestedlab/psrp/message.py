"""The message that starts pipelines on a host: CREATE_PIPELINE ([MS-PSRP] 2.2.2.10), written as text.

pypsrp makes a tree of objects for each message, copies it twice and turns it into XML, which was most of the time that
it took to make a machine. Only names and values differ between messages, so the rest is text here. The result equals
pypsrp's own to the byte, if `begin_invoke` is called with its defaults; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from uuid import UUID

from nestedlab.pipeline import Argument, Cmdlet, Pipeline

_INT32 = range(-(2**31), 2**31)


def create_pipeline(pipelines: tuple[Pipeline, ...], protocol_version: str) -> bytes:
    """The message for these pipelines, one statement each, in the protocol's version that the host has agreed to."""
    streams = _streams(protocol_version)
    statements = [_commands(pipeline, streams) for pipeline in pipelines]
    # Cmds has the cmdlets of the first statement; if there are several statements, ExtraCmds has all of them.
    batch = _named_list("ExtraCmds", map(_statement, statements)) if len(statements) > 1 else '<Nil N="ExtraCmds" />'
    return _numbered(f"{_HEAD}{batch}{statements[0]}{_TAIL}").encode("utf-8", "xmlcharrefreplace")


# In these texts objects have no numbers yet, and every list of types is a reference.
_COMMANDS_TYPE, _RESULTS_TYPE = '<TNRef RefId="2" />', '<TNRef RefId="3" />'


def _types(number: int, *names: str) -> str:
    return f'<TN RefId="{number}">' + "".join(f"<T>{name}</T>" for name in names) + "</TN>"


_ENUMERATION = ("System.Enum", "System.ValueType", "System.Object")
_FIRST_COMMANDS_TYPE = _types(
    2,
    "System.Collections.Generic.List`1[[System.Management.Automation.PSObject, System.Management.Automation, "
    "Version=1.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]",
    "System.Object",
)
_FIRST_RESULTS_TYPE = _types(3, "System.Management.Automation.Runspaces.PipelineResultTypes", *_ENUMERATION)

_HEAD = (
    '<Obj><MS><B N="NoInput">true</B><Obj N="ApartmentState">'
    + _types(0, "System.Management.Automation.Runspaces.ApartmentState", *_ENUMERATION)
    + '<ToString>UNKNOWN</ToString><I32>2</I32></Obj><Obj N="RemoteStreamOptions">'
    + _types(1, "System.Management.Automation.Runspaces.RemoteStreamOptions", *_ENUMERATION)
    + '<ToString>AddInvocationInfo</ToString><I32>15</I32></Obj><B N="AddToHistory">false</B>'
    '<Obj N="HostInfo"><MS><B N="_isHostNull">true</B><B N="_isHostUINull">true</B><B N="_isHostRawUINull">true</B>'
    '<B N="_useRunspaceHost">true</B></MS></Obj><Obj N="PowerShell"><MS><B N="IsNested">false</B>'
)
_TAIL = (
    '<Nil N="History" /><B N="RedirectShellErrorOutputPipe">false</B></MS></Obj><B N="IsNested">false</B></MS></Obj>'
)


def _merge(name: str) -> str:
    return f'<Obj N="{name}">{_RESULTS_TYPE}<ToString>None</ToString><I32>0</I32></Obj>'


_BEFORE_PARAMETERS = "".join(map(_merge, ("MergeMyResult", "MergeToResult", "MergePreviousResults")))


def _streams(protocol_version: str) -> str:
    """No stream of a command is merged into another. Which streams there are depends on the protocol's version."""
    version = tuple(map(int, protocol_version.split(".")))
    names = ["MergeError", "MergeWarning", "MergeVerbose", "MergeDebug"] if version >= (2, 2) else []
    return "".join(map(_merge, [*names, "MergeInformation"] if version >= (2, 3) else names))


def _statement(commands: str) -> str:
    return f"<Obj><MS>{commands}</MS></Obj>"


def _commands(pipeline: Pipeline, streams: str) -> str:
    return _named_list("Cmds", (_command(cmdlet, streams) for cmdlet in pipeline.cmdlets))


def _command(cmdlet: Cmdlet, streams: str) -> str:
    return (
        f'<Obj><MS>{_string("Cmd", cmdlet.name)}<B N="IsScript">false</B><Nil N="UseLocalScope" />'
        f"{_BEFORE_PARAMETERS}{_parameters(cmdlet.parameters)}{streams}</MS></Obj>"
    )


def _parameters(parameters: Mapping[str, Argument]) -> str:
    return _named_list(
        "Args",
        (f"<Obj><MS>{_string('N', name)}{_value(value)}</MS></Obj>" for name, value in parameters.items()),
    )


def _named_list(name: str, items: Iterable[str]) -> str:
    content = "".join(items)
    entries = f"<LST>{content}</LST>" if content else "<LST />"
    return f'<Obj N="{name}">{_COMMANDS_TYPE}{entries}</Obj>'


def _value(value: Argument) -> str:
    match value:
        case None:
            return '<Nil N="V" />'
        case bool():
            return f'<B N="V">{"true" if value else "false"}</B>'
        case int():
            tag = "I32" if value in _INT32 else "I64"
            return f'<{tag} N="V">{value}</{tag}>'
        case UUID():
            return f'<G N="V">{value}</G>'
        case _:
            return _string("V", value)


def _string(name: str, text: str) -> str:
    return f'<S N="{name}">{_escaped(text)}</S>' if text else f'<S N="{name}" />'


# CLIXML ([MS-PSRP] 2.2.5.3.2) writes what XML cannot carry, and characters outside the plane, as _xHHHH_ for each unit
# of UTF-16; so an underscore that an x follows has to be written like that too.
_ENCODED = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\U00010000-\U0010ffff]")


def _escaped(text: str) -> str:
    encoded = _ENCODED.sub(_units, text)
    return encoded.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _units(match: re.Match[str]) -> str:
    digits = match[0].encode("utf-16-be").hex().upper()
    return "".join(f"_x{digits[start : start + 4]}_" for start in range(0, len(digits), 4))


def _numbered(text: str) -> str:
    """Number the objects in their order, and write each list of types out at its first use."""
    start, *objects = text.split("<Obj")  # no value has this: its < is escaped
    numbered = start + "".join(f'<Obj RefId="{number}"{rest}' for number, rest in enumerate(objects))
    return numbered.replace(_COMMANDS_TYPE, _FIRST_COMMANDS_TYPE, 1).replace(_RESULTS_TYPE, _FIRST_RESULTS_TYPE, 1)
