"""Runs statements as PowerShell does: binds, pipes live objects, serialises at the end, and words errors as records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event

from hyperv_sim import errors
from hyperv_sim.contract import Cmdlet
from hyperv_sim.fidelity import POWERSHELL, UNKNOWN, fact
from hyperv_sim.powershell import error_records, not_simulated, properties, rights
from hyperv_sim.powershell.binding import Bound, CommandLine, bind
from hyperv_sim.powershell.call import Call
from hyperv_sim.powershell.registry import Simulated, find
from hyperv_sim.powershell.role import RestrictedSession, Role, Shown
from hyperv_sim.records import (
    Command,
    Ended,
    ErrorRecord,
    Failure,
    Invocation,
    InvocationFailedError,
    Output,
    Record,
    Statement,
    Unheard,
    Warned,
)
from hyperv_sim.state.world import Host


class _StatementEndedError(Exception):
    """A terminating error, as the record that it becomes."""

    def __init__(self, record: ErrorRecord) -> None:
        super().__init__(record.message)
        self.record = record


@dataclass(slots=True)
class _Stage:
    """A command of a pipeline, bound to its own arguments."""

    simulated: Simulated
    shown: Shown
    line: CommandLine
    sent: Command
    windows: str
    position: int
    length: int
    seen: int = 0
    enough: bool = False

    @property
    def contract(self) -> Cmdlet:
        """The command's signature, as the session shows it."""
        return self.shown.contract

    def invocation(self) -> Invocation:
        """The command as a record of it tells it: each command up to it has been given one object."""
        given = (0, *(int(number < self.position) for number in range(self.length)))
        return Invocation(self.shown.activity, self.contract.name, self.contract.is_cim, given, self.position)

    def record(self, error: errors.CmdletError) -> ErrorRecord:
        if isinstance(error, errors.PipedObjectError):
            return error_records.of_binding(error, self.windows, self.shown.bound_by, self.contract, self.sent)
        return error_records.record(error, self.windows, self.shown.suffix, self.invocation())

    def warning(self, message: str) -> Warned:
        bound = {parameter.name: parameter.value for parameter in self.sent.parameters if parameter.name is not None}
        return Warned(message, replace(self.invocation(), bound=bound), self.sent.merges_warnings)


class HostShell:
    """A shell on the simulated host: what one runspace pool talks to. With a role it shows what the role does."""

    def __init__(self, host: Host, role: Role | None = None) -> None:
        self._host = host
        self._session = RestrictedSession(role) if role else None

    def invoke(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        """Run the statements in order; see records.Shell.

        `-ErrorAction Stop` fails the whole invocation, and so does a terminating error in an invocation of one
        statement. In a batch it is worse: the client is told of an end, and the rest still runs.
        """
        if len(statements) > 1:
            yield from self._batch(statements, stop)
            return
        try:
            for statement in () if stop.is_set() else statements:
                yield from self._statement(statement, stop)
        except _StatementEndedError as ended:
            raise InvocationFailedError(ended.record) from None

    def _batch(self, statements: Sequence[Statement], stop: Event) -> Iterator[Record]:
        """Run several statements. After a terminating error the end of the next statement is told as that of all.

        If the first statement ends so, its error is a record, and the second one decides; if a later one does, its
        own end is told, and it has failed. The others still run, and nobody hears of them.
        """
        is_cut = False
        for number, statement in enumerate(statements):
            if stop.is_set():
                return
            error: ErrorRecord | None = None
            try:
                yield from self._statement(statement, stop)
            except _StatementEndedError as ended:
                if number == 0:
                    is_cut = True
                    yield Failure(error_records.in_a_batch(ended.record), has_ended=True)
                    continue
                error = ended.record
            if is_cut or error is not None:
                yield Ended(error)
                yield from self._unheard(statements[number + 1 :])
                return

    def _unheard(self, statements: Sequence[Statement]) -> Iterator[Record]:
        """Run what is left once the client was told of an end: stopping the pipeline no longer reaches it."""
        for statement in statements:
            try:
                for _ in self._statement(statement, Event()):
                    pass
            except _StatementEndedError:
                pass
            except InvocationFailedError:
                return
            yield Unheard()

    def _statement(self, statement: Statement, stop: Event) -> Iterator[Record]:
        """Bind all commands before any runs, then pull objects through them one at a time."""
        self._fail_on_purpose(statement)
        if any(command.merges_errors or command.merges_warnings for command in statement[:-1]):
            refused = errors.not_simulated("errors or warnings piped to another command")
            raise _StatementEndedError(error_records.record(refused, self._host.windows))
        stages = [self._stage(statement, at) for at in range(len(statement))]
        waiting: deque[Record] = deque()
        objects: Iterator[object] | None = statement[0].piped
        for stage in stages:
            objects = self._through(stage, objects, waiting, stop)
        try:
            for live in objects or ():
                yield from _drained(waiting)
                with self._host.lock:
                    value = properties.serialised(live, self._host.windows)
                yield Output(value)
        except (_StatementEndedError, InvocationFailedError):
            yield from _drained(waiting)
            raise
        yield from _drained(waiting)

    def _fail_on_purpose(self, statement: Statement) -> None:
        hooks = self._host.hooks
        with self._host.lock:
            fails = hooks.begin_statement()
        if fails and hooks.stops:
            raise InvocationFailedError(error_records.not_found(statement[0].name, self._host.windows))
        if fails:
            raise _StatementEndedError(error_records.not_found(statement[0].name, self._host.windows))

    def _stage(self, statement: Statement, at: int) -> _Stage:
        command = statement[at]
        if command.is_script:
            raise _StatementEndedError(error_records.no_scripts(command.name, self._host.windows))
        simulated, shown = self._shown(command.name)
        try:
            line = bind(shown.contract, command.parameters, expects_input=at > 0 or command.piped is not None)
            not_simulated.check(simulated, line)
        except errors.TerminatingError as error:
            refused = error_records.of_binding(error, self._host.windows, shown.bound_by, shown.contract, command)
            raise _StatementEndedError(refused) from None
        return _Stage(simulated, shown, line, command, self._host.windows, at + 1, len(statement))

    def _shown(self, name: str) -> tuple[Simulated, Shown]:
        found = find(self._host, name)
        if found is None:
            raise _StatementEndedError(error_records.not_found(name, self._host.windows))
        simulated, contract = found
        if self._session is None:
            suffix = simulated.id_suffix(contract)
            return simulated, Shown(contract, suffix, suffix, contract.name)
        try:
            shown = self._session.shown(simulated, contract) if name.lower() == contract.name.lower() else None
        except errors.TerminatingError as error:
            raise _StatementEndedError(error_records.record(error, self._host.windows)) from None
        if shown is None:
            raise _StatementEndedError(error_records.not_found(name, self._host.windows))
        return simulated, shown

    def _through(
        self, stage: _Stage, objects: Iterator[object] | None, waiting: deque[Record], stop: Event
    ) -> Iterator[object]:
        if objects is None:
            yield from self._run(stage, stage.line.without_input, waiting, stop)
            return
        for live in objects:
            if stop.is_set():
                return
            yield from self._run(stage, partial(stage.line.with_input, live, self._host.windows), waiting, stop)
            if stage.enough:
                return

    def _run(
        self, stage: _Stage, binding: Callable[[], Bound], waiting: deque[Record], stop: Event
    ) -> Iterator[object]:
        """One call of a cmdlet's function, with the host's lock held until all that it gives is there."""
        action = not_simulated.action(stage.line, "ErrorAction")
        call = Call(self._host, stage.contract, stop, seen=stage.seen, stops=action == "Stop")
        results: list[object] = []
        fatal: errors.CmdletError | None = None
        try:
            with self._host.lock:
                bound = binding()
                call.set_name = bound.set_name
                call.parameters = _given(stage.contract, bound)
                rights.check(self._host.groups, stage.contract)
                self._host.hooks.check(stage.contract.name)
                if self._session:
                    self._session.check_provider(stage.contract)
                for live in stage.simulated.run(call):
                    _check_described(stage.contract, live)
                    results.append(live)  # an error on the way must not lose the objects before it
        except errors.TerminatingError as error:
            fatal = error
        except errors.CmdletError as error:
            call.failures.append(error)
        stage.seen += 1
        stage.enough = call.enough
        if not_simulated.action(stage.line, "WarningAction") == "Continue":
            waiting.extend(stage.warning(message) for message in call.warnings)
        if action == "Continue":
            waiting.extend(Failure(stage.record(error), stage.sent.merges_errors) for error in call.failures)
        yield from results
        if fatal:
            raise _StatementEndedError(stage.record(fatal))
        if action == "Stop" and call.failures:
            raise InvocationFailedError(stage.record(call.failures[0]))


def _check_described(contract: Cmdlet, live: object) -> None:
    """Raise TypeError for what would go out as something that Windows never sends: a mistake in the cmdlet here."""
    kind = properties.undescribed(live)
    if kind:
        raise TypeError(f"{contract.name} gave a {kind.__name__}, which is not described: describe(...) says how")


def _given(contract: Cmdlet, bound: Bound) -> dict[str, object]:
    """What the cmdlet's function sees: a switch that is set to false is a switch that is not given."""
    unset = [name for name, value in bound.values.items() if value is False and contract.parameters[name].is_switch]
    return {name: value for name, value in bound.values.items() if name not in unset}


def _drained(waiting: deque[Record]) -> Iterator[Record]:
    while waiting:
        yield waiting.popleft()


fact("PowerShell", "script text is refused (`ScriptsNotAllowed`) on every endpoint", "stricter than Windows")
fact("PowerShell", "errors of Hyper-V's and CIM's cmdlets do not end the statement", "public scripts rely on it")
fact("PowerShell", "a terminating error fails an invocation of one statement", POWERSHELL)
fact(
    "PowerShell",
    "in a batch, a terminating error of the first statement is a record and the end of the second is told as that of "
    "all; of a later one, its error is told as the end. The rest still runs, unheard, and other pipelines come between",
    f"{POWERSHELL} (BatchInvocationCallback); recorded on a PowerShell 7.6",
)
fact(
    "PowerShell",
    "the rest of a batch goes on when its shell is deleted, and after a further terminating error in it",
    UNKNOWN,
)
fact("PowerShell", "input that has ended without an object runs no command", "recorded on a PowerShell 7.6")
fact("PowerShell", "`-ErrorAction Stop` ends the whole invocation as Failed", f"{POWERSHELL} (BatchInvocationCallback)")
