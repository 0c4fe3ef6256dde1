"""The message that starts pipelines: to the byte what pypsrp itself would send for them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import Fragment, PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.wsman import WSMan
from tests.case_files import cases_in
from tests.core.canned import FILES, spelt

from nestedlab.connection import Connection
from nestedlab.declare import Resource
from nestedlab.pipeline import Argument, Cmdlet, Pipeline, cmdlet, statement
from nestedlab.psrp.message import create_pipeline
from nestedlab.psrp.pool import new_pool, new_powershell
from nestedlab.psrp.transport import Bounds

CASES = Path(__file__).resolve().parent.parent / "cases" / "core"
KINDS = {name: kind for kind, name in FILES.items()}
HEADER = 40
"""Bytes of a message before its XML: destination, type, and the ids of the pool and the pipeline."""


@dataclass
class Shell:
    """A shell that keeps what pypsrp sends, and answers nothing but that it has started."""

    fragments: list[bytes] = field(default_factory=list)

    def command(self, _: str, arguments: list[str], **_options: object) -> ElementTree.Element:
        self.fragments += map(base64.b64decode, arguments)
        return ElementTree.Element("Body")

    def send(self, _: str, data: bytes, **_options: object) -> None:
        self.fragments.append(data)


def sent(pool: RunspacePool, powershell: PowerShell) -> bytes:
    """The XML that a pool's shell gets when this is begun."""
    shell = Shell()
    pool.shell = shell  # type: ignore[assignment] # what PowerShell uses of it
    powershell.begin_invoke()
    assert powershell.state == PSInvocationState.RUNNING
    return b"".join(Fragment.unpack(fragment)[0].data for fragment in shell.fragments)[HEADER:]


def sent_by_pypsrp(pipelines: tuple[Pipeline, ...], version: str = "2.3") -> bytes:
    """What pypsrp sends for the same pipelines, if it is used as its documentation says."""
    pool = RunspacePool(WSMan("hv01"))
    pool.protocol_version = version
    powershell = PowerShell(pool)
    for number, pipeline in enumerate(pipelines):
        if number:
            powershell.add_statement()
        for command in pipeline.cmdlets:
            powershell.add_cmdlet(command.name)
            for name, value in command.parameters.items():
                large = type(value) is int and not -(2**31) <= value < 2**31
                powershell.add_parameter(name, TaggedValue("I64", value) if large else value)
    return sent(pool, powershell)


PRINTED = re.compile(r"'(?:[^']|'')*'|[^\s']+|\n")
"""A word of a printed step: a text in quotes, anything else, or the end of a statement."""


def pipelines_of(printed: str) -> tuple[Pipeline, ...]:
    """The pipelines of a step, from how it prints."""
    statements: list[list[list[str]]] = [[[]]]
    for word in PRINTED.findall(printed.strip()):
        if word == "\n":
            statements.append([[]])
        elif word == "|":
            statements[-1].append([])
        else:
            statements[-1][-1].append(word)
    return tuple(Pipeline(tuple(map(cmdlet_of, commands))) for commands in statements)


def cmdlet_of(words: list[str]) -> Cmdlet:
    parameters: dict[str, Argument] = {}
    name = ""
    for word in words[1:]:
        if word.startswith("-") and not word[1:].isdigit():
            name, colon, _ = word[1:].partition(":")
            parameters[name] = not colon
        else:
            parameters[name] = value_of(word)
    return Cmdlet(words[0], parameters)


def value_of(word: str) -> Argument:
    if word == "$null":
        return None
    if word.startswith("'"):
        return word[1:-1].replace("''", "'")
    return UUID(word) if "-" in word[1:] else int(word)


def statements_of(plans: Path) -> list[Pipeline]:
    """All statements of a file of plans, each once."""
    kind = KINDS[plans.parent.name]
    cases = cases_in(plans).values()
    statements: dict[str, Pipeline] = {}
    for step in sorted({commands(kind, step["says"]) for case in cases for step in case["steps"]}):
        pipelines = pipelines_of(step)
        assert "\n".join(map(str, pipelines)) == step
        statements |= {str(pipeline): pipeline for pipeline in pipelines}
    return list(statements.values())


def commands(kind: type[Resource], text: str) -> str:
    """The commands of a case's step, without what is said about it."""
    return "\n".join(line for line in spelt(kind, text).splitlines() if not line.startswith(("# ", "~ ")))


@pytest.mark.parametrize(
    "plans", sorted((CASES / "plans").glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_what_the_plans_run_is_sent_as_pypsrp_would(plans: Path) -> None:
    statements = statements_of(plans)
    size = 16  # as many as a step has at most, about
    for start in range(0, len(statements), size):
        batch = tuple(statements[start : start + size])
        assert create_pipeline(batch, "2.3") == sent_by_pypsrp(batch)


TEXTS = st.text(st.characters(codec="utf-8")) | st.text(
    st.sampled_from("_xX0AaF5\r\n\0\x85\U0001f600<>&\"'é\ud800\uffff")
)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.uuids(), TEXTS)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_any_value_is_sent_as_pypsrp_would(parameters: dict[str, Argument]) -> None:
    pipelines = (Pipeline((Cmdlet("Set-VM", parameters),)),)
    assert create_pipeline(pipelines, "2.3") == sent_by_pypsrp(pipelines)


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.10", "3.0"])
@pytest.mark.parametrize("statements", [1, 2])
def test_any_version_of_the_protocol_gets_what_pypsrp_sends_it(version: str, statements: int) -> None:
    pipelines = (cmdlet("Get-VM", Name="hv1") | cmdlet("Get-VMProcessor"),) * statements
    assert create_pipeline(pipelines, version) == sent_by_pypsrp(pipelines, version)


def test_a_value_is_a_value_whatever_it_looks_like() -> None:
    """The text of a message holds values next to its own marks."""
    evil = '</S></MS></Obj><Obj RefId="#"><TNRef RefId="2" />&amp;]]>'
    pipelines = (statement("Get-VM", Name=evil), statement(evil, **{evil: evil}))
    message = create_pipeline(pipelines, "2.3")
    assert message == sent_by_pypsrp(pipelines)
    numbers = [int(part.attrib["RefId"]) for part in ElementTree.fromstring(message).iter("Obj")]  # noqa: S314
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("text", ["hv1", "x" * 700_000], ids=["in one fragment", "in several"])
def test_pypsrp_sends_the_message_that_we_have_written(text: str) -> None:
    """If this fails with a new pypsrp, look where its RunspacePool has its serializer, and what its Message packs."""
    pipelines = (statement("Get-VM", Name=text),)
    pool = new_pool(Connection(address="hv01"), Bounds(2**20))
    pool.protocol_version = "2.3"
    assert sent(pool, new_powershell(pool, pipelines)) == create_pipeline(pipelines, "2.3") == sent_by_pypsrp(pipelines)
