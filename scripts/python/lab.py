"""A Pulumi project and its stack, worked through the real CLI: each command is a process of its own."""

import json
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import interrupted

Event = dict[str, Any]
"""An engine event as the CLI logs it: the JSON of apitype.EngineEvent in Pulumi's sources."""

SECONDS_AT_MOST = 180
"""How long a command may take before it is ended."""

SECONDS_TO_CANCEL = 20
"""How long an interrupted command may take to end by itself."""

UNDECLARED = ("pulumi:pulumi:", "pulumi:providers:", "pulumi-python:dynamic/nestedlab:StackIdentity")
"""How the types of resources begin that no program declares: stacks, providers, and the stack's identity."""


class UnexpectedExitError(Exception):
    """A command failed unexpectedly, or worked unexpectedly; the text is what it printed."""


class UnexpectedChangesError(Exception):
    """A state is not what there is; the text says which properties differ, and what was printed."""


@dataclass(frozen=True)
class Run:
    """What a `pulumi` command did."""

    command: str
    code: int
    text: str
    """All that it printed, for people, without colours."""
    events: Sequence[Event] = ()
    """What the engine logged meanwhile, debug messages too; empty for commands that do not run the engine."""

    @property
    def changes(self) -> dict[str, int]:
        """The number of resources, the stack and its identity among them, by operation: `{"create": 2, "same": 1}`."""
        summaries = [event["summaryEvent"] for event in self.events if "summaryEvent" in event]
        return dict(summaries[-1]["resourceChanges"] or {}) if summaries else {}

    @property
    def steps(self) -> dict[str, list[str]]:
        """The operations on each resource, by logical name, in order: `{"hv1": ["create-replacement", ...]}`.

        A refresh reports what it has read: "same", "update" (drift) or "delete" (gone). The stack itself, its
        identity and the engine's providers are left out.
        """
        steps: dict[str, list[str]] = {}
        for step in self._metadata():
            steps.setdefault(_name(step), []).append(step["op"])
        return steps

    @property
    def diff(self) -> dict[str, set[str]]:
        """Which properties of each resource differ, by logical name; resources without a difference are left out.

        The inputs before and after are compared, for a refresh the outputs too: the engine logs no difference of its
        own if a provider, like every dynamic provider, answers none in detail.
        """
        sides = ("inputs", "outputs") if self.command.startswith("pulumi refresh") else ("inputs",)
        differences: dict[str, set[str]] = {}
        for step in self._metadata():
            keys = {key for side in sides for key in _changed(step, side)}
            if keys:
                differences.setdefault(_name(step), set()).update(keys)
        return differences

    @property
    def drift(self) -> dict[str, set[str]]:
        """Which outputs of each resource an operation with `--refresh` has read unlike the state, by logical name."""
        steps = [event["resOutputsEvent"]["metadata"] for event in self.events if "resOutputsEvent" in event]
        read = {_name(step): _changed(step, "outputs") for step in steps if step["op"] == "refresh"}
        return {name: keys for name, keys in read.items() if keys}

    def messages(self, severity: str) -> list[str]:
        """Return the messages of a severity: "debug", "info", "info#err" (stderr), "warning", "error"."""
        diagnostics = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return [message["message"] for message in diagnostics if message["severity"] == severity]

    def _metadata(self) -> list[Event]:
        # Outputs events carry the result of a step; a step that failed has only the event before it.
        steps: dict[tuple[str, str], Event] = {}
        for event in self.events:
            for kind in ("resourcePreEvent", "resOutputsEvent"):
                step = event.get(kind, {}).get("metadata")
                if step and step["op"] != "refresh" and not step["type"].startswith(UNDECLARED):
                    steps[step["urn"], step["op"]] = step
        return list(steps.values())


def _name(step: Event) -> str:
    return str(step["urn"]).rsplit("::", 1)[-1]


def _changed(step: Event, side: str) -> set[str]:
    if not (step["old"] and step["new"]):
        return set()
    old, new = step["old"][side], step["new"][side]
    return {key for key in {*old, *new} if old.get(key) != new.get(key)}


@dataclass
class Lab:
    """A stack of the project in `folder`; `environment` is what its commands run with, and may be changed between."""

    folder: Path
    environment: dict[str, str]
    stack: str = "dev"
    project: str = field(default="lab", kw_only=True)

    def write(self, program: str) -> None:
        """Make the folder a Python project with this program, or give the project that is there another program."""
        (self.folder / "Pulumi.yaml").write_text(f"name: {self.project}\nruntime: python\n")
        (self.folder / "__main__.py").write_text(program)

    def init(self) -> None:
        """Create the stack, and select it."""
        self.run("stack", "init")

    def config(self, key: str, value: str, *, secret: bool = False) -> None:
        """Set a configuration value of the stack."""
        sealed = ["--secret"] if secret else []
        self.run("config", "set", key, "--raw", *sealed, says=value)

    def up(self, *options: str, fails: bool = False) -> Run:
        """Make the host as the program says."""
        return self.operate("up", "--yes", "--skip-preview", *options, fails=fails)

    def preview(self, *options: str, fails: bool = False) -> Run:
        """Report what `up` would do."""
        return self.operate("preview", *options, fails=fails)

    def expect_no_changes(self) -> None:
        """Refresh and preview in one command: raise UnexpectedChangesError if anything has drifted.

        If anything is to be done, the command itself fails: UnexpectedExitError.
        """
        run = self.preview("--refresh", "--expect-no-changes")
        if run.drift:
            raise UnexpectedChangesError(f"{run.drift} differ\n{run.text}")

    def refresh(self, *options: str, fails: bool = False) -> Run:
        """Read the host into the state."""
        return self.operate("refresh", "--yes", "--skip-preview", *options, fails=fails)

    def destroy(self, *options: str, fails: bool = False) -> Run:
        """Remove all that the stack created."""
        return self.operate("destroy", "--yes", "--skip-preview", *options, fails=fails)

    def outputs(self) -> dict[str, Any]:
        """Return what the program exports, secrets in clear."""
        return dict(json.loads(self.run("stack", "output", "--json", "--show-secrets").text))

    def state(self) -> dict[str, Any]:
        """Return the stack's deployment as it is stored, secrets sealed; its `resources` may be missing."""
        return dict(json.loads(self.run("stack", "export").text)["deployment"])

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources of the stack's state, by logical name."""
        return {_name(resource): resource for resource in self.state().get("resources", [])}

    def operate(self, operation: str, *options: str, fails: bool = False) -> Run:
        """Run an operation of the engine, and return what it did, with its events."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "events")
            run = self.run(operation, *options, "--suppress-progress", "--event-log", str(log), fails=fails)
            lines = log.read_text().splitlines() if log.exists() else []
        return replace(run, events=[json.loads(line) for line in lines])

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command on this stack, for callers that start the process themselves."""
        return ["pulumi", *arguments, "--stack", self.stack, "--non-interactive", "--color", "never"]

    def run(self, *arguments: str, says: str = "", fails: bool = False) -> Run:
        """Run a command, `says` being its input; raises UnexpectedExitError if its exit code is not as foreseen."""
        # The flag for the event log is shown, and taken, with debug commands only.
        variables = {**self.environment, "PULUMI_DEBUG_COMMANDS": "true"}
        command = self.command(*arguments)
        run = Run(shlex.join(command), *_ended(command, self.folder, variables, says))
        if bool(run.code) != fails:
            raise UnexpectedExitError(f"{run.command}\nexit code {run.code}\n{run.text}")
        return run


def _ended(command: Sequence[str], folder: Path, variables: dict[str, str], says: str) -> tuple[int, str]:
    # A session of its own keeps Ctrl+C at the terminal from it: it would end the plugins in the middle of a call.
    with subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            text, _ = process.communicate(says, timeout=SECONDS_AT_MOST)
        except BaseException:
            _interrupt(process)
            interrupted.end_session(process.pid)
            raise
    return process.returncode, text


def _interrupt(process: "subprocess.Popen[str]") -> None:
    # On its first interrupt the CLI lets calls end, then its plugins; a killed CLI leaves them running.
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=SECONDS_TO_CANCEL)
    except subprocess.TimeoutExpired:
        process.kill()


NewLab = Callable[[str], Lab]
"""Makes a project of a program's text, and a stack of it."""
