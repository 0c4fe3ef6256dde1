"""A student's stack through Pulumi's Automation API: the one module that imports it.

A stack is worked on by the CLI that is on PATH, in the student's work folder, each operation a process of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from pulumi import automation
from pulumi.automation import events as engine

from nestedlab.adapters.stack import PulumiError
from nestedlab.classroom.events import Event, Message, Stage, Step
from nestedlab.classroom.processes import Ended, Processes
from nestedlab.classroom.work import Place

_OPERATIONS = ("up", "preview", "refresh", "destroy")

OnEvent = Callable[[Event], None]
"""Receives the events of an operation."""


class StackLockedError(PulumiError):
    """Another command works on the stack, or one that died has left its lock; the text has Pulumi's own words."""


class NoStackError(PulumiError):
    """The backend has no such stack."""


class StackExistsError(PulumiError):
    """The backend has the stack already."""


@dataclass(frozen=True)
class Cli:
    """The Pulumi CLI of PATH."""

    version: Any
    """As the Automation API has it."""

    @classmethod
    def found(cls) -> Cli:
        """The CLI of PATH. Raises PulumiError if there is none, or if it does not go with the Pulumi SDK."""
        if shutil.which("pulumi") is None:
            raise PulumiError(
                "there is no Pulumi CLI on PATH. Install it (https://www.pulumi.com/docs/install/), or activate the "
                "environment that has it."
            )
        try:
            return cls(automation.PulumiCommand().version)
        except (automation.InvalidVersionError, OSError, ValueError) as error:
            raise PulumiError(f"the Pulumi CLI on PATH cannot be used: {error}") from error


class _Command(automation.PulumiCommand):
    """Runs the CLI so that it can be interrupted, and so that its operations do not depend on a pipe to us."""

    def __init__(self, cli: Cli, processes: Processes, log: IO[Any]) -> None:
        # Not super().__init__, which asks the CLI for its version: a process for each of thirty students.
        self.command, self.version = "pulumi", cli.version
        self._processes, self._log = processes, log

    def run(  # noqa: PLR0913 - the Automation API's own, and what the command reads
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,  # noqa: ARG002
        on_error: Callable[[str], Any] | None = None,  # noqa: ARG002
        *,
        says: str = "",
    ) -> automation.CommandResult:
        command = [self.command, "--non-interactive", *args]
        environment = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        if args[0] in _OPERATIONS:
            ended = self._processes.log(command, Path(cwd), environment, self._log)
        else:
            ended = self._processes.ask(command, Path(cwd), environment, says)
        # An operation has both in one file, where the Automation API looks for locks and missing stacks in stderr.
        stderr = ended.stderr or ended.stdout
        result = automation.CommandResult(stdout=ended.stdout, stderr=stderr, code=ended.code)
        if ended.code:
            raise _refused(args, automation.errors.create_command_error(result), ended)
        return result


def _refused(args: list[str], error: automation.CommandError, ended: Ended) -> PulumiError:
    """What a failed command becomes; its output is what Pulumi printed, without a secret in it."""
    reason = _reason(ended)
    if isinstance(error, automation.ConcurrentUpdateError):
        return StackLockedError(reason)
    if isinstance(error, automation.StackNotFoundError):
        return NoStackError(reason)
    if isinstance(error, automation.StackAlreadyExistsError):
        return StackExistsError(reason)
    return PulumiError(f"`pulumi {args[0]}` failed: {reason}")


def _reason(ended: Ended) -> str:
    if ended.code < 0:
        return f"it was killed by signal {-ended.code}, so its lock may be left"
    if ended.stderr.strip():
        return ended.stderr.strip().removeprefix("error: ")
    lines = [line.strip() for line in ended.stdout.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return next(iter([*errors, *lines[-1:]]), f"exit code {ended.code}")


class _Workspace(automation.LocalWorkspace):
    def select_stack(self, stack_name: str) -> None:
        """Every command names its stack, so none need be selected: that would be one more process."""


class _Stack(automation.Stack):
    # After each operation the Automation API asks for outputs and history: three processes, for what nobody reads here.
    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool = False) -> automation.UpdateSummary | None:  # noqa: ARG002, FBT001, FBT002
        return automation.UpdateSummary("", datetime.now(tz=timezone.utc), "", {}, {}, "succeeded")


class StudentStack:
    """A stack in its work folder. Each method raises PulumiError if the CLI fails, Interrupted on an interruption."""

    def __init__(self, place: Place, cli: Cli, processes: Processes, log: IO[Any]) -> None:
        self._place = place
        self._command = _Command(cli, processes, log)
        self._workspace = _Workspace(
            work_dir=str(place.folder),
            pulumi_command=self._command,
            secrets_provider=place.secrets_provider,
            env_vars={"PULUMI_BACKEND_URL": place.backend},
        )
        self._stack = _Stack.select(place.stack, self._workspace)

    def create(self) -> None:
        """Create the stack, unless it is there."""
        try:
            self._workspace.create_stack(self._place.stack)
        except StackExistsError:
            return

    def sealed(self) -> dict[str, str]:
        """The secret settings of the stack by key, in clear."""
        settings = self._workspace.get_all_config(self._place.stack)
        return {key: str(setting.value) for key, setting in settings.items() if setting.secret}

    def seal(self, key: str, value: str) -> None:
        """Set a secret setting. The Automation API's own would have the value in the arguments, for all to see."""
        arguments = ["config", "set", key, "--raw", "--secret", "--stack", self._place.stack]
        environment = dict(self._workspace.env_vars)
        self._command.run(arguments, self._workspace.work_dir, environment, says=value)

    def up(
        self, on_event: OnEvent, targets: Sequence[str] = (), plan: Path | None = None, *, refresh: bool = False
    ) -> None:
        """Make the hosts as the program says; of what is on them now with `refresh`."""
        self._stack.up(
            on_event=_translated(on_event),
            target=list(targets) or None,
            plan=None if plan is None else str(plan),
            refresh=refresh or None,
            parallel=self._place.parallel,
            color="never",
            suppress_progress=True,
            suppress_outputs=True,
        )

    def preview(self, on_event: OnEvent, plan: Path | None) -> None:
        """Find out what `up` would do, and save it as a plan in a file."""
        self._stack.preview(
            on_event=_translated(on_event),
            plan=None if plan is None else str(plan),
            parallel=self._place.parallel,
            color="never",
            suppress_progress=True,
            suppress_outputs=True,
        )

    def preview_refresh(self, on_event: OnEvent) -> None:
        """Read the hosts, and record nothing."""
        self._stack.preview_refresh(
            on_event=_translated(on_event), parallel=self._place.parallel, color="never", suppress_progress=True
        )

    def destroy(self, on_event: OnEvent) -> None:
        """Remove all that the stack has created."""
        self._stack.destroy(
            on_event=_translated(on_event),
            parallel=self._place.parallel,
            color="never",
            suppress_progress=True,
            suppress_outputs=True,
        )

    def remove(self) -> None:
        """Remove the stack, which has nothing any more, with its configuration."""
        self._workspace.remove_stack(self._place.stack)

    def state(self) -> Mapping[str, Any]:
        """The stack's deployment, secrets sealed."""
        return dict(self._workspace.export_stack(self._place.stack).deployment or {})

    def cancel(self) -> None:
        """Release the lock, whoever has it."""
        self._command.run(
            ["cancel", "--yes", "--stack", self._place.stack], self._workspace.work_dir, dict(self._workspace.env_vars)
        )


def _translated(on_event: OnEvent) -> Callable[[engine.EngineEvent], None]:
    def receive(event: engine.EngineEvent) -> None:
        for told in _told(event):
            on_event(told)

    return receive


def _told(event: engine.EngineEvent) -> Iterator[Event]:
    if event.diagnostic_event is not None:
        message = event.diagnostic_event
        yield Message(message.severity, message.message, message.urn or "")
    for stage, step in (
        (Stage.BEGUN, event.resource_pre_event),
        (Stage.DONE, event.res_outputs_event),
        (Stage.FAILED, event.res_op_failed_event),
    ):
        if step is not None:
            yield _step(stage, step.metadata)


def _step(stage: Stage, metadata: engine.StepEventMetadata) -> Step:
    old, new = metadata.old, metadata.new
    return Step(
        stage,
        str(getattr(metadata.op, "value", metadata.op)),
        metadata.urn,
        metadata.type,
        dict(old.inputs or {}) if old is not None else None,
        dict(new.inputs or {}) if new is not None else None,
    )
