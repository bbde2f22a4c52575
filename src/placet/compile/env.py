"""Where a statement stands while it is compiled: its path, its process, who catches its errors, which thread it is of.

Statements are compiled from an agenda, outermost first, and nothing recurses: a parent allocates the ports of its
children, pushes them, and beneath them a job that finishes what only the children can tell (which errors arrived).

One module, though a long one: the surroundings and the agenda name each other, and so do the records that both hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

from placet.compile.draft import RECORD, Draft
from placet.compile.order import Place, last_steps
from placet.compile.survey import ABANDON
from placet.diagnostics import Diagnostic
from placet.ir.model import Abandon, End, Publish, Raise, Receive, Task, Timer
from placet.net.roles import PLAIN, Kind, Role
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from placet.compile.bus import Bus
    from placet.compile.mailbox import Mailbox
    from placet.compile.survey import Survey
    from placet.compile.value_table import Values
    from placet.compile.way_stack import Stacked
    from placet.diagnostics import Severity
    from placet.ir.model import Guard, Handler, Policy, Process, Statement
    from placet.net.final import PlaceClass
    from placet.source import Span

END = Role(Kind.END)


class Ports(NamedTuple):
    """The places a statement is compiled between. `undo` and `undone` are one where nothing turns back differently.

    start -> done; in a saga also undo ("compensate me, I had completed") -> undone ("go on backwards").
    """

    start: int
    done: int
    undo: int = -1
    undone: int = -1


class Frame:
    """One process in the net: the root, or a callee where it is called."""

    def __init__(self, process: Process, path: str) -> None:
        self.process = process
        self.path = path
        self.name = process.id.rsplit("/", 1)[-1]
        self.ends: dict[str, int] = {}
        self.nested = False  # called by a saga, which may want to undo it
        self.root = False
        self.held: tuple[list[int], ...] = ()  # see Env
        self.again = -1  # the place from which each run begins, where it may continue as new
        self.runs: Runs | None = None  # of a saga that continues as new
        self.mailboxes: dict[str, Mailbox] = {}  # by signal
        self.top = path  # of the saga around it that no other saga calls


class Env(NamedTuple):
    """The surroundings of a statement."""

    frame: Frame
    base: str  # the path that stands for `stem`
    stem: str  # the id of the process whose statements these are
    suffix: str  # rounds of unrolled loops
    route: Route
    thread: Thread | None = None  # whose token this is, where somebody may have to stop it
    policy: Policy | None = None  # inside a saga
    failed: int = -1  # inside a saga: where a compensation that gives up goes
    scope: SagaScope | None = None  # inside a saga: who must know the name of an error
    exits: Mapping[str, int] | None = None  # of a node of a graph: where the handlers of its scope leave it
    active: int = -1  # of the region around: the count of its tokens
    past: bool = False  # inside a saga: a point of no return lies behind
    beyond: bool = False  # it was called behind one of its caller's
    beside: bool = False  # inside a saga: other tokens of it move, or its caller goes on
    deaf: bool = False  # inside a saga: being cancelled is not heard
    unasked: tuple[int, ...] = ()  # inside a saga: records that no caller is undoing it that is deaf then
    overdue: tuple[Overdue, ...] = ()  # inside a saga: whose time-outs find it here
    clocks: tuple[str, ...] = ()  # inside a saga: the sagas around with time-outs of their own, heard or not
    before: tuple[str, ...] = ()  # inside a saga: the paths of the steps directly before
    waits: frozenset[tuple[str, str]] = (
        frozenset()
    )  # inside a saga: ids of steps, and names whose undos theirs do wait for
    budget: str = ""  # inside a saga: the path of the saga whose `retry_budget` counts
    held: tuple[list[int], ...] = ()  # of each `with` around: the places where the token in it may be
    ending: tuple[Fork, Thread] | None = None  # handlers beside it, which an end of the process stops; the own thread
    heard: tuple[Heard, ...] = ()  # inside a saga: what may interrupt the scopes around
    stops: tuple[int, ...] = ()  # inside a saga: the records of the parallels around that a way of theirs has failed

    run: int = 0  # inside a saga that continues as new: the number of the run
    stacked: Stacked | None = (
        None  # inside a saga: the way of a parallel whose undos are in an order with those of others
    )

    def path(self, identifier: str) -> str:
        """The path in this net of an IR id."""
        return self.base + identifier[len(self.stem) :] + self.suffix

    @property
    def stands(self) -> Place:
        """What tells the order of steps."""
        at_once = self.policy is not None and self.policy.undoes_together
        return Place(self.base, self.stem, self.suffix, at_once)

    def behind(self, survey: Survey, part: Statement) -> Env:
        """The surroundings of what comes after a part of a sequence."""
        stands = self.stands
        return self if stands.at_once else self._replace(before=last_steps(survey, part, stands, self.before))


class Overdue(NamedTuple):
    """A saga with a time-out of its own, as a saga sees it that it may find: itself, or one that it has called."""

    saga: str  # its path
    how: str  # "undo" or "escalate": its own; "told": as if it were cancelled with its caller
    beyond: bool = False  # it was called behind a point of no return
    unasked: tuple[int, ...] = ()  # records that no caller is undoing it, where that caller would not hear of it


def deafened(env: Env) -> bool:
    """Whether a saga that is called here does not hear that its caller is cancelled: that awaits its end, or does not hear it itself."""
    policy = env.policy
    if policy is None:
        return env.deaf
    return env.deaf or policy.children == "await" or (env.past and policy.cancellation == "masked")


def told_of_time(env: Env) -> tuple[Overdue, ...]:
    """The time-outs of sagas that a saga hears of which is called here: none where its end is awaited.

    Behind a point of no return one that would turn its caller back does not fire, and one that only its caller's callers have is not
    heard where a cancellation is not.
    """
    if env.policy is None or env.policy.children == "await":
        return ()
    found = [o for o in env.overdue if not env.past or o.how == "escalate" or (o.how == "told" and not deafened(env))]
    return tuple(o._replace(how="told", beyond=o.beyond or env.past) for o in found)


def shielded(env: Env, callee: Env, going: int) -> Env:
    """The surroundings inside of a saga that is called: while its caller undoes it, and is deaf to all then, it is deaf too."""
    if env.policy is None or going < 0:
        return callee
    masked = env.policy.cancellation == "masked"
    deaf = {o.saga for o in env.overdue if o.how == "undo" or (masked and o.how == "told")}
    overdue = tuple(o._replace(unasked=(*o.unasked, going)) if o.saga in deaf else o for o in callee.overdue)
    return callee._replace(overdue=overdue, unasked=(*callee.unasked, going) if masked else callee.unasked)


def timed(env: Env, path: str, policy: Policy | None, going: int = -1) -> Env:
    """The surroundings inside of a saga that may have a time-out of its own, until it ends: not while its caller undoes it."""
    if policy is None or policy.deadline not in ("undo", "escalate"):
        return env
    own = Overdue(path, policy.deadline, unasked=(going,) if going >= 0 else ())
    return env._replace(overdue=(own, *env.overdue), clocks=(*env.clocks, path))


class Runs:
    """The runs of a saga that continues as new, while they are compiled one after the other."""

    def __init__(self, env: Env, undone: int, most: int, *, carry: bool) -> None:
        self.env = env  # of the saga, without the suffix of a run
        self.undone = undone  # of the whole saga
        self.most = most
        self.carry = carry  # whether some run hands its undos on
        self.next = self.back = -1  # of the run after the one that is compiled: its record, and where it is undone
        self.past: set[bool] = set()  # whether a point of no return lies behind where the run continues


# -- errors ----------------------------------------------------------------------------------------------------------


class Top:
    """Nobody catches: the process ends `failed`."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame


class Handled:
    """A scope with handlers: `places` by error name, filled as errors arrive."""

    def __init__(self, names: frozenset[str], outer: Route, place: Callable[[str], int]) -> None:
        self.names = names
        self.outer = outer
        self.place = place
        self.arrived: dict[str, int] = {}

    def catches(self, error: str) -> bool:
        """Whether the error stays here; nothing catches a saga's being abandoned."""
        return error in self.names or ("*" in self.names and error != ABANDON)


class Forked:
    """The edge of a way of a parallel: an error that crosses it stops the other ways first."""

    def __init__(self, fork: Fork, thread: Thread) -> None:
        self.fork = fork
        self.thread = thread


class Back(NamedTuple):
    """Inside a saga: the token goes backwards from `place`, and `scope` is told the name of the error."""

    place: int
    scope: SagaScope | None


Route: TypeAlias = Union[Top, Handled, Forked, Back]


STOPPED = "!stopped"  # as an interruption: an error that no handler catches


class SagaScope:
    """A scope of a saga with handlers: it remembers which error made its body turn back.

    `clear` is there where several ways may fail: only the first error is remembered. A `spare` one is an instance that may fail:
    what turns it back from outside is no failure of its own, and is told from its giving up.
    """

    def __init__(
        self,
        number: int,
        outer: SagaScope | None,
        remember: Callable[[str], int],
        clear: int,
        raised: int,
        *,
        spare: bool = False,
    ) -> None:
        self.number = number
        inherited: str = ABANDON if outer is None else outer.stop
        self.stop: str = STOPPED if spare else inherited  # the error by which it is stopped from outside
        self.outer = outer
        self.remember = remember
        self.clear = clear
        self.raised = raised
        self.arrived: dict[str, int] = {}

    def mark(self, error: str) -> int:
        """The place that remembers this error."""
        place = self.arrived.get(error)
        if place is None:
            place = self.arrived[error] = self.remember(error)
        return place


class Heard(NamedTuple):
    """What may interrupt a scope of a saga, while `armed` holds a token: the errors by which it turns back."""

    armed: int
    errors: tuple[str, ...]


class Throw(NamedTuple):
    """What a transition that raises an error takes and gives beside its own token.

    `later` is a second variant, for a scope that remembers an earlier error already.
    """

    pre: tuple[int, ...]
    post: tuple[int, ...]
    later: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    backwards: bool = False  # a saga turns back by it


# -- threads: what may have to be stopped ----------------------------------------------------------------------------


class Exit(NamedTuple):
    """A way to take the token of a thread wherever it is: needs `pre`, gives `post`."""

    label: str
    pre: tuple[int, ...]
    post: tuple[int, ...]
    phrase: str
    origin: str
    span: Span | None
    role: Role
    step: str = ""  # the thing the user wrote that happens by it
    keeps: bool = False  # the token stays where it is: something starts beside it
    hears: list[int] | None = None  # where to say from which places somebody waits for it


class Thread:
    """The places among which exactly one token moves, forks apart: while ways of a fork run, `fork.running` holds it."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.forks: list[Fork] = []
        self.inner: list[Thread] = []  # of scopes inside that can be interrupted: the same token
        self.exits: list[Exit] = []


class Fork:
    """A parallel whose ways may have to be stopped: by an error of one of them, or from outside."""

    def __init__(self, path: str, env: Env, origin: str, span: Span | None, running: int) -> None:
        self.path = path
        self.env = env
        self.origin = origin
        self.span = span
        self.running = running
        self.ways: list[tuple[Thread, int, int, int]] = []  # thread, stop, stopped, raised
        self.errors: dict[str, int] = {}
        self.ends: dict[str, int] = {}  # ends of the process that stop everything
        self.awaits = -1  # or that wait until this place holds a token


class Agenda:
    """The net so far, and the work that is left."""

    def __init__(self, survey: Survey, plain: Dispatch, saga: Dispatch, begins: Begins, values: Values) -> None:
        self.draft = Draft()
        self.survey = survey
        self.plain = plain
        self.saga = saga
        self.begins = begins  # told before each statement of a saga
        self.jobs: list[tuple[Any, ...]] = []
        self.diagnostics: list[Diagnostic] = []
        self.retries: dict[
            str, list[int]
        ] = {}  # by path of a saga with a budget of them: the records of how many are left
        self.copies: dict[
            str, list[Any]
        ] = {}  # by name of a step whose replies only that tells, without numbers: its calls so far
        self.stoppable: dict[int, Stoppable] = {}  # by the record that a way of a parallel has failed
        self.stopped_by: dict[int, tuple[str, str]] = {}  # by the record that stops ways: why, and of which parallel
        self.interruptible: dict[int, Stoppable] = {}  # by the record that a scope is not interrupted yet
        self.scopes_heard: dict[int, list[tuple[Heard, list[Handler], Env]]] = {}  # by the same: this and those around
        self.interrupting: dict[
            int, Callable[[Agenda, Env, Env, int], Env]
        ] = {}  # by the same: inside what has no steps
        self.stopping: Callable[[Agenda, Statement, Env, Env, int], Env]  # inside the same, where ways are stopped
        self.inside: Callable[
            [Agenda, Thread, Statement, Env, int, tuple[int, int]], None
        ]  # told of what has no steps in a saga
        self.bounds: dict[str, int] = {}
        self.unjustified = False
        self.free_guards: dict[str, None] = {}
        self.decisions: dict[str, None] = {}
        self.timed = False
        self.values = values
        self.bus: Bus | None = None  # the topics, where several processes are compiled into one net
        self.spared: dict[str, list[int]] = {}  # path of what tolerates failures -> how many there were

    def lean_on(self, guard: Guard | None) -> None:
        """Remember what a condition stands for, unless variables decide it: abstracted data, or a decision taken outside."""
        if guard is not None and guard.condition is None:
            (self.free_guards if guard.free else self.decisions)[guard.text] = None

    def push(self, statement: Statement, ports: Ports, env: Env) -> None:
        """Compile a statement between its ports. What holds no saga step is compiled as in a workflow."""
        if env.policy is not None:
            self.begins(self, env, ports, statement)
            if self.survey.of(statement).steps:
                self.jobs.append((self.saga[type(statement)], statement, ports, env))
                return
            around = env
            deaf = deafened(env)  # of a saga that is called in it
            route = Back(ports.undone, env.scope)  # which what is inside keeps
            env = env._replace(
                route=route, policy=None, beyond=env.past or env.beyond, deaf=deaf, overdue=told_of_time(env)
            )
            if around.heard and not isinstance(statement, _AT_ONCE):
                env = self.interrupting[around.heard[-1].armed](self, around, env, ports.undone)
            if not isinstance(statement, _AT_ONCE):
                if around.stops and not around.past:
                    env = self.stopping(self, statement, around, env, ports.undone)
                if not self.survey.of(statement).forks:
                    env = env if env.thread is not None else env._replace(thread=Thread())
                    thread = env.thread
                    before = (len(thread.places), len(thread.inner)) if thread is not None else (0, 0)
                    self.later(self.inside, thread, statement, around, ports.undone, before)
        self.jobs.append((self.plain[type(statement)], statement, ports, env))

    def later(self, job: Callable[..., None], *arguments: object) -> None:
        """Push a job that runs after everything pushed after it."""
        self.jobs.append((job, *arguments))

    def report(self, code: str, severity: Severity, message: str, span: Span | None, *, help: str = "") -> None:  # noqa: A002
        """A diagnostic, once for each place in the source."""
        found = Diagnostic(code, severity, message, span, help=help)
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def run(self) -> None:
        """Work until nothing is left."""
        jobs = self.jobs
        while jobs:
            job, *arguments = jobs.pop()
            job(self, *arguments)

    def place(
        self,
        path: str,
        env: Env,
        origin: str,
        phrase: str,
        span: Span | None,
        kind: PlaceClass | None = None,
        tokens: int = 0,
    ) -> int:
        """A place of the coordinator: control, and then a place of its thread, unless another class is given."""
        if kind is not None:
            return self.draft.place(path, origin, phrase, span, env.frame.path, kind, tokens)
        place = self.draft.place(path, origin, phrase, span, env.frame.path)
        if env.thread is not None:
            env.thread.places.append(place)
        for inside in env.held:
            inside.append(place)
        return place

    def move(
        self, path: str, pre: Sequence[int], post: Sequence[int], env: Env, origin: str, phrase: str, span: Span | None,
        role: Role = PLAIN,
    ) -> int:  # fmt: skip
        """A transition of the coordinator."""
        return self.draft.transition(path, pre, post, origin, phrase, span, env.frame.path, role)

    def end(self, frame: Frame, name: str, span: Span | None = None) -> int:
        """The place of a named end of a process."""
        place = frame.ends.get(name)
        if place is None:
            phrase = f"`{frame.name}` has ended `{name}`"
            identifier = f"{frame.path}#end.{name}"
            place = self.draft.place(identifier, frame.process.id, phrase, span or frame.process.span, frame.path)
            frame.ends[name] = place
            for inside in frame.held:
                inside.append(place)
        return place

    def raising(
        self,
        path: str,
        pre: Sequence[int],
        error: str,
        env: Env,
        origin: str,
        phrase: str,
        span: Span | None,
        role: Role,
        tested: Sequence[int] = (),
    ) -> list[int]:
        """The transitions by which an error leaves `pre`: one, or two inside a saga where an earlier one may be pending.

        What is `tested` is in `pre` too, and given back.
        """
        thrown = throw(self, env.route, error)
        if thrown.backwards:
            role = role._replace(commits=True)
        made = [self.move(path, (*pre, *thrown.pre), (*thrown.post, *tested), env, origin, phrase, span, role)]
        if thrown.later:
            before, after = thrown.later
            made.append(self.move(f"{path}.later", (*pre, *before), (*after, *tested), env, origin, phrase, span, role))
            self.draft.quiet.add(made[1])
        return made


_AT_ONCE = (Task, Receive, Timer, Publish, Raise, End, Abandon)  # only their beginning is a moment
Stoppable: TypeAlias = "dict[tuple[int, tuple[int, ...]], tuple[Env, Statement]]"  # moments of the coordinator
Dispatch: TypeAlias = "dict[type, Callable[..., None]]"
Begins: TypeAlias = "Callable[[Agenda, Env, Ports, Statement], None]"


def throw(agenda: Agenda, route: Route, error: str) -> Throw:
    """Where an error goes from here."""
    while isinstance(route, Handled):
        if route.catches(error):
            place = route.arrived.get(error)
            if place is None:
                place = route.arrived[error] = route.place(error)
            return Throw((), (place,))
        route = route.outer
    if isinstance(route, Top):
        return Throw((), (agenda.end(route.frame, "failed"),))
    if isinstance(route, Back):
        return backwards(route.place, route.scope, error)
    fork, thread = route.fork, route.thread
    raised = next(way[3] for way in fork.ways if way[0] is thread)
    place = fork.errors.get(error)
    if place is None:
        name = error or "abandon"
        phrase = f"`{error}` stops the other ways" if error else "giving up stops the other ways"
        place = agenda.draft.place(
            f"{fork.path}#raised.{name}", fork.origin, phrase, fork.span, fork.env.frame.path
        )  # of no thread: whoever stops the fork from outside waits until its ways have stopped
        fork.errors[error] = place
    return Throw((fork.running,), (place, raised))


def backwards(place: int, scope: SagaScope | None, error: str) -> Throw:
    """A saga turns back at `place`; the innermost scope with handlers is told the error."""
    if scope is None:
        return Throw((), (place,), None, True)
    mark = scope.mark(error)
    if scope.clear < 0:
        return Throw((), (place, mark), None, True)
    return Throw((scope.clear,), (place, mark, scope.raised), ((scope.raised,), (place, scope.raised)), True)


def record(agenda: Agenda, path: str, env: Env, origin: str, phrase: str, span: Span | None, tokens: int = 0) -> int:
    """A place that only remembers; free in final markings."""
    return agenda.place(path, env, origin, phrase, span, RECORD, tokens)
