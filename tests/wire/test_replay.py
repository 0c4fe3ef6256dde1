"""What a real PowerShell answered, message by message, beside what the simulated host answers to the same."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from difflib import SequenceMatcher
from typing import Any, TypeAlias

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from tests.case_files import CASES, cases_in
from tests.wire.shapes import as_on_7_6, lines

from hyperv_sim.host import SimulatedHost
from hyperv_sim.server import SimulatedServer
from hyperv_sim.wire.fragments import Defragmenter

FACTS = cases_in(CASES / "wire" / "replay.yaml")
COMPLETED = ["Obj", "  MS", "    I32 PipelineState '4'"]
MESSAGES = {
    0x00041004: "PIPELINE_OUTPUT",
    0x00041005: "ERROR_RECORD",
    0x00041006: "PIPELINE_STATE",
    0x00041007: "DEBUG_RECORD",
    0x00041008: "VERBOSE_RECORD",
    0x00041009: "WARNING_RECORD",
    0x00041010: "PROGRESS_RECORD",
    0x00041011: "INFORMATION_RECORD",
}

KNOWN = {
    (tuple(entry["recorded"]), tuple(entry["sent"]) if "sent" in entry else None)
    for entries in FACTS["differs"].values()
    for entry in entries
}
"""The differences that are known, by what was recorded and what comes; where it is None, whatever comes."""

Message: TypeAlias = "tuple[str, list[str]]"
Hunk: TypeAlias = "tuple[tuple[str, ...], tuple[str, ...] | None]"


class Recorder:
    """A pool of one host, and all that comes back on it."""

    def __init__(self, pool: RunspacePool) -> None:
        self._pool = pool
        self._came: list[bytes] = []
        receive = pool.shell.receive

        def noted(*arguments: Any, **settings: Any) -> Any:
            answer = receive(*arguments, **settings)
            self._came.append(answer[2]["stdout"])
            return answer

        pool.shell.receive = noted  # type: ignore[method-assign]

    def send(self, statements: Sequence[Sequence[dict[str, Any]]], options: int = 15) -> list[Message]:
        """Run a batch and give the messages that come."""
        self._came.clear()
        shell = PowerShell(self._pool)
        for number, statement in enumerate(statements):
            shell = shell.add_statement() if number else shell
            for command in statement:
                shell.add_cmdlet(command["run"])
                for argument in command.get("with", []):
                    shell.add_parameters(argument)
                if command.get("merges_errors"):
                    shell.merge_error("output")
        shell.begin_invoke(remote_stream_options=options)
        while shell.state == PSInvocationState.RUNNING:
            shell.poll_invoke()
        messages = Defragmenter().take(b"".join(self._came))
        return [(MESSAGES[message.type], lines(as_on_7_6(ET.XML(message.clixml)))) for message in messages]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    host = SimulatedHost()
    host.place(r"C:\there")
    with ExitStack() as cleanup:
        server = cleanup.enter_context(SimulatedServer(host.shells))
        address, port = server.address
        logon: dict[str, Any] = {"username": server.username, "password": server.password, "auth": "ntlm"}
        wsman = cleanup.enter_context(WSMan(address, port=port, ssl=False, no_proxy=True, **logon))
        yield Recorder(cleanup.enter_context(RunspacePool(wsman)))


def expanded(text: str) -> Iterator[str]:
    """The lines of a text, with what is written once for many in its places: `*name`, and what stands there for %."""
    for line in text.splitlines():
        bare = line.lstrip()
        if not bare.startswith("*"):
            yield line
            continue
        name, _, told = bare[1:].partition(" ")
        indent = line[: len(line) - len(bare)]
        for inner in expanded(FACTS["parts"][name]):
            yield indent + inner.replace("'%'", f"'{told}'")


def recorded(case: dict[str, Any]) -> list[Message]:
    """The messages of a case as they were recorded."""
    found: list[Message] = []
    for message in case["received"]:
        if message == "COMPLETED":
            found.append(("PIPELINE_STATE", COMPLETED))
        else:
            ((kind, text),) = message.items()
            found.append((kind, list(expanded(text))))
    return found


def differences(expected: list[Message], sent: list[Message]) -> Iterator[Hunk]:
    """What was recorded and what came in its place, without indents."""
    if [kind for kind, _ in expected] != [kind for kind, _ in sent]:
        yield tuple(kind for kind, _ in expected), tuple(kind for kind, _ in sent)
        return
    for (_, wanted), (_, came) in zip(expected, sent, strict=True):
        shown = [_as_cut(line, wanted) for line in came]
        for tag, start, end, start_of_sent, end_of_sent in SequenceMatcher(None, wanted, shown, False).get_opcodes():
            if tag != "equal":
                yield _bare(wanted[start:end]), _bare(shown[start_of_sent:end_of_sent])


def _as_cut(line: str, wanted: list[str]) -> str:
    """The line as the recording has it, which cuts long texts."""
    cut = (text for text in wanted if text[-2:-1] == "…" and line.startswith(text[:-2]))
    return next(cut, line)


def _bare(hunk: list[str]) -> tuple[str, ...]:
    return tuple(line.strip() for line in hunk)


def test_the_host_answers_what_a_real_powershell_answered(recorder: Recorder) -> None:
    recorder.send([[{"run": "Get-VMHost"}]])  # a session's first answer has a progress record before it
    unlike = {name for names in FACTS["unlike"].values() for name in names}
    met: set[Hunk] = set()
    wrong: list[object] = []
    for case in FACTS["cases"]:
        found = set(differences(recorded(case), recorder.send(case["sent"], case.get("options", 15))))
        met |= {known for hunk in found for known in (hunk, (hunk[0], None))} & KNOWN
        unknown = [(case["name"], hunk) for hunk in found if not {hunk, (hunk[0], None)} & KNOWN]
        if case["name"] not in unlike:
            wrong += unknown
        elif not unknown:
            wrong.append((case["name"], "answers alike: no longer to be listed as unlike"))
    assert wrong == []
    assert KNOWN - met == set(), "no longer to be listed as differing"
