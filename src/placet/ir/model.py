"""What a definition means once its names are resolved, whatever file it came from.

Structured statements (Sequence, Choice, Parallel, Loop, Scope ...) are what the language and most of ASL need; `Graph`
holds what is drawn with arrows (BPMN, ASL with jumps): its nodes are statements or gateways, its flows may leave a node
by a named exit (an error, a boundary event), and it may be cyclic. Both nest in each other freely.

Every statement has an `id`, its whole path of user's names (see docs/architecture), and a span where there is a source.

One module, though a long one: it is a list of values that name each other in all directions, with no code to be put elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.net.delays import Delay
    from placet.source import Span


class Fact(NamedTuple):
    """What a name in a formula speaks of.

    `done` (latched: the step was acknowledged), `fires` (it is done by the very step that led here), `undone` and
    `undoes` (the same of the undo of a saga step), `effect` (applies minus undos at the participant), `end` (this
    end of the process is reached), `tokens` (of a place of a plain net), `enabled` (of a transition of a plain net),
    `value` (of a variable, as its number).
    """

    kind: Literal["done", "fires", "undone", "undoes", "effect", "end", "tokens", "enabled", "value", "service"]
    id: str
    name: str = ""  # of the end; of a service what is asked of it: calls, sent, failing, blocked


class Sum(NamedTuple):
    """A weighted sum of facts against a number; a bare fact is `fact >= 1`."""

    terms: tuple[tuple[int, Fact], ...]
    op: str
    bound: int
    text: str = ""


class Connective(NamedTuple):
    """`and`, `or`, `not` over formulas."""

    op: Literal["and", "or", "not"]
    parts: tuple[Formula, ...]
    text: str = ""


class Modal(NamedTuple):
    """An operator on runs, `AG` or `F` of one formula, `U`, `W` or `R` of two, as it is written."""

    op: str
    parts: tuple[Formula, ...]
    text: str = ""


Formula: TypeAlias = Union[Sum, Connective, Modal]


class Variable(NamedTuple):
    """A variable over a finite domain: value number i is shown as `values[i]` and counts as `low + i`."""

    id: str
    name: str
    kind: Literal["bool", "names", "numbers"]
    values: tuple[str, ...]
    low: int = 0
    initial: int | None = None  # the number of its first value; None: any
    span: Span | None = None


class Assignment(NamedTuple):
    """A variable gets a weighted sum of variables plus a constant, or (no terms at all: None) any value of its domain."""

    variable: str
    terms: tuple[tuple[int, str], ...] | None
    constant: int = 0


class Guard(NamedTuple):
    """A condition. `free` marks one over data that was abstracted away: verdicts that lean on it say so.

    `condition` decides it by variables of the model; without one it is a decision taken outside.
    """

    text: str
    free: bool = False
    condition: Formula | None = None


class Task(NamedTuple):
    """An activity of the coordinator; may end in one of the named errors instead.

    What it `sets` is read before anything is set, and is set only where the task ends well. A value outside the domain of
    its variable makes the task end in the error OutOfRange.
    """

    id: str
    name: str
    errors: tuple[str, ...] = ()
    service: str = ""
    span: Span | None = None
    sets: tuple[Assignment, ...] = ()


class Signal(NamedTuple):
    """Something from outside that comes at most `most` times in one run of a process, at any time.

    `buffered`: one that comes when nobody waits for it is kept, else it is lost. An event of a Receive or Handler that is no
    signal of its process can always come again.
    """

    name: str
    buffered: bool
    most: int
    given: bool  # the number was written down
    span: Span | None = None


class Retry(NamedTuple):
    """Up to `times` further attempts (None: for ever) after these errors (empty: any)."""

    errors: tuple[str, ...]
    times: int | None


class Undo(NamedTuple):
    """The compensation of a step."""

    name: str
    input: str = ""  # "" nothing, "reply" the step's reply
    span: Span | None = None


class Amount(NamedTuple):
    """What carrying out a step gives to an account; negative: takes from it. Its undo gives and takes the same back."""

    account: str
    by: int


class ErrorRule(NamedTuple):
    """What the coordinator takes an error of that name for; `other` stands for all not named, `timeout` for a time-out.

    `halt` stops the saga, which then ends failed with nothing undone, and nobody is told.
    """

    error: str
    retry: int
    action: Literal["reject", "unknown", "escalate", "halt"]


class Limits(NamedTuple):
    """What holds calls back from a service; what is 0 does not."""

    breaker: int = 0  # failures in a row that open the circuit breaker
    pause: float | None = None  # seconds until it lets a probe through
    bulkhead: int = 0  # calls at once
    full: Literal["wait", "reject"] = "wait"
    rate: int = 0  # calls in a window
    window: float = 0.0  # seconds
    spent: Literal["wait", "reject"] = "wait"
    span: Span | None = None


class Step(NamedTuple):
    """A saga step: a request to a service whose outcome the coordinator may never learn."""

    id: str
    name: str
    service: str
    undo: Undo | None = None
    retry: int = 0
    timeout: float | None = None  # seconds; None: waits for ever
    pivot: bool = False
    retriable: bool = False
    read_only: bool = False
    guarantees: frozenset[str] = frozenset()  # idempotent, null_safe, rejects_after_cancel: of the step and its service
    errors: tuple[ErrorRule, ...] = ()
    after: tuple[str, ...] = ()  # ids of steps it builds on; empty: the ones before it
    span: Span | None = None
    amounts: tuple[Amount, ...] = ()
    key: str = ""  # what its service keeps its record under, where that may be the same in two runs; else the run
    correlation: Literal["attempt", "step", "name"] = "attempt"  # by what a reply is known: name: any call of that name
    undo_after: tuple[str, ...] = ()  # names of steps of the process whose undos its own waits for
    backoff: tuple[float, float] | None = None  # seconds before the second attempt, and at most before any
    per: Literal["run", "attempt"] = "run"  # what has a key of its own: the run, or each of its attempts
    ttl: float | None = None  # seconds for which its service remembers the key; None: for ever
    via: Literal["", "rest", "grpc", "queue"] = ""  # how it is asked; "": nothing is known about it
    limits: Limits | None = None  # of its service


class Sequence(NamedTuple):
    """One after the other; empty does nothing."""

    id: str
    parts: tuple[Statement, ...]
    span: Span | None = None


class Way(NamedTuple):
    """One branch: its guard (None: unguarded), and its body."""

    id: str
    guard: Guard | None
    body: Statement
    span: Span | None = None


class Choice(NamedTuple):
    """Exactly one way is taken. Guards are tried in order; `exhaustive` is false where none may hold (NoChoiceMatched)."""

    id: str
    ways: tuple[Way, ...]
    exhaustive: bool = True
    span: Span | None = None


class Parallel(NamedTuple):
    """All ways at once, or at most `width` of them, begun in their order; goes on when all are done.

    With `need` it goes on when so many of them are: then the others are stopped, or, where there is a `rest`, that begins
    beside them, and all of it is done when the rest and all ways are. With `close` its one way is a process that was started, and it is
    over when the rest is, which "wait"s for that process or "cancel"s it.
    """

    id: str
    ways: tuple[Way, ...]
    span: Span | None = None
    width: int | None = None
    need: int | None = None
    rest: Way | None = None
    close: tuple[str, str] = ("", "")  # of a process that was started: what its starter's end does to it, and its name


class Loop(NamedTuple):
    """Repeats its body. `at_most` bounds the rounds (None: unbounded).

    `test` "before" may leave before any round (while), "after" after each round (until), "never" has no way out.
    """

    id: str
    body: Statement
    test: Literal["before", "after", "never"]
    guard: Guard | None = None
    at_most: int | None = None
    span: Span | None = None


class Receive(NamedTuple):
    """Waits for an event from outside; an open environment can always send it.

    With a `topic` it waits for a message of it, which may come from another part of the system: `event` is then
    `TOPIC.EVENT`.
    """

    id: str
    event: str
    span: Span | None = None
    sets: tuple[Assignment, ...] = ()  # values that are always in the domain
    topic: str = ""


class Publish(NamedTuple):
    """Sends a message, `event` = `TOPIC.EVENT`, and goes on."""

    id: str
    topic: str
    event: str
    span: Span | None = None


class Timer(NamedTuple):
    """Waits for a time, which verification ignores."""

    id: str
    seconds: float | None
    text: str = ""
    span: Span | None = None


class Race(NamedTuple):
    """Waits for several triggers; the first wins."""

    id: str
    ways: tuple[tuple[Receive | Timer, Statement], ...]
    span: Span | None = None


class Handler(NamedTuple):
    """Catches an error (`*` any), a time-out, an event or a signal inside a scope.

    `interrupting` cancels the scope. `exit` names the exit of the enclosing Graph node it leaves by; "" continues after
    the scope once `body` is done.
    """

    id: str
    trigger: Literal["error", "timeout", "event"]
    name: str
    body: Statement
    interrupting: bool = True
    exit: str = ""
    span: Span | None = None


class Scope(NamedTuple):
    """A body with handlers, retried first where `retry` says so."""

    id: str
    body: Statement
    handlers: tuple[Handler, ...] = ()
    retry: tuple[Retry, ...] = ()
    span: Span | None = None


class Listener(NamedTuple):
    """A handler that interrupts nothing: each time its event comes, or its time has passed, its body is run once."""

    id: str
    trigger: Literal["timeout", "event"]
    name: str
    body: Statement
    most: int  # how often, while what it stands beside is going on
    given: bool = True  # the number was written down
    span: Span | None = None


class Beside(NamedTuple):
    """A body with handlers beside it; done when the body is, and all that was begun beside it."""

    id: str
    body: Statement
    listeners: tuple[Listener, ...]
    span: Span | None = None


class Repeat(NamedTuple):
    """Multi-instance (BPMN) and Map (ASL): `copies` instances of the body, at most `width` at once.

    The first failure cancels the others where `cancel_rest`.
    """

    id: str
    body: Statement
    copies: tuple[int, ...]  # the numbers of instances that are considered, such as (0, 1, 2)
    width: int | None = None
    cancel_rest: bool = True
    span: Span | None = None


class Tolerant(NamedTuple):
    """A body with `instances` of a block in it, of which `most` may fail; TooManyFailed leaves it when more do."""

    id: str
    body: Statement
    most: int
    instances: int
    span: Span | None = None


class Spare(NamedTuple):
    """An instance in the Tolerant of the id `group`: whatever error leaves its body, this goes on, while so many may fail.

    In a saga the body has undone itself by then.
    """

    id: str
    body: Statement
    group: str
    most: int
    span: Span | None = None


class With(NamedTuple):
    """A body that holds one of a pool of so many things as long as it goes on, and waits for one to begin."""

    id: str
    pool: str
    size: int
    body: Statement
    span: Span | None = None


class Holding(NamedTuple):
    """Takes one of a pool, or gives one back."""

    id: str
    pool: str
    size: int
    takes: bool
    span: Span | None = None


class Raise(NamedTuple):
    """Throws an error to the innermost handler."""

    id: str
    error: str
    span: Span | None = None


class Call(NamedTuple):
    """Runs another process of the model to one of its ends. `on` maps an end to what happens then."""

    id: str
    target: str
    on: tuple[tuple[str, Statement], ...]
    span: Span | None = None
    detached: bool = False  # it is only started: nothing of it comes back


class Again(NamedTuple):
    """The run is over, and the process begins anew, with its own variables as at first.

    In a saga at most so often, after which it goes on behind; `carrying` what there is to undo.
    """

    id: str
    span: Span | None = None
    at_most: int | None = None
    carrying: bool = False


class End(NamedTuple):
    """Reaches a named end of the process. `terminate` also cancels everything else that still runs in it."""

    id: str
    name: str
    terminate: bool = False
    span: Span | None = None


class Abandon(NamedTuple):
    """Gives the saga up: its compensation starts."""

    id: str
    reason: str = ""
    span: Span | None = None


class Gateway(NamedTuple):
    """A node without work. `inclusive` splits are paired with the join that waits for what they started."""

    id: str
    kind: Literal["exclusive", "parallel", "inclusive", "event", "start"]
    pair: str = ""  # inclusive: the id of the other half, where block-structured
    span: Span | None = None
    exhaustive: bool = True  # exclusive: false where it may be that no guard holds (NoChoiceMatched)


class Flow(NamedTuple):
    """An arrow. It leaves `source` by `exit`: "" normally, else the exit name of a handler."""

    id: str
    source: str
    target: str
    guard: Guard | None = None
    exit: str = ""
    span: Span | None = None


class Graph(NamedTuple):
    """Nodes and arrows, as drawn. It is done when no token is left in it (BPMN) or an End was reached.

    A node that is not a gateway and has several incoming flows starts once for each token (an implicit merge); several
    outgoing flows without guards start all (an implicit split). A node with no outgoing flow ends its path.
    """

    id: str
    nodes: tuple[Statement | Gateway, ...]
    flows: tuple[Flow, ...]
    start: tuple[str, ...]
    span: Span | None = None


Statement: TypeAlias = Union[
    Task,
    Step,
    Sequence,
    Choice,
    Parallel,
    Loop,
    Receive,
    Publish,
    Timer,
    Race,
    Scope,
    Beside,
    Repeat,
    Tolerant,
    Spare,
    With,
    Holding,
    Raise,
    Call,
    Again,
    End,
    Abandon,
    Graph,
]


class Policy(NamedTuple):
    """How a saga compensates: the choices of the profile, overridden by what the model says."""

    profile: str = "default"
    register: Literal["before", "after", "submit", "log"] = "before"  # log: the participant's own, so it is exact
    undo_failing: Literal["yes", "no", "unless_rejected"] = "unless_rejected"
    on_unknown: Literal["undo", "retry", "ask", "ignore"] = "undo"
    # parallel: all start at once; dependencies: each waits for those of the steps that build on its step (`after`);
    # the last three: as reverse, and across ways of a parallel the last one first that began, was done, was noted
    undo_order: Literal["reverse", "parallel", "dependencies", "start", "completion", "registration"] = "reverse"
    undo_failure: Literal["retry", "halt", "continue", "escalate"] = "retry"
    undo_retries: int | None = None  # None: for ever, before `undo_failure` where that is not retry
    siblings: Literal["await", "cancel", "abandon"] = "await"
    cancellation: Literal["masked", "unmasked"] = "masked"  # unmasked: being cancelled stops the undo too
    children: Literal["propagate", "await"] = "propagate"  # what a cancelled saga does about one that it called
    deadline: Literal["none", "undo", "forward", "escalate"] = "none"  # when the saga as a whole takes too long
    retry_budget: int | None = None  # numbered retries of all its steps together; None: each has its own
    retry_budget_of: Literal["shared", "forward"] = "shared"  # shared: its undos draw from it too
    recovery: Literal["resume", "undo", "forget"] = "resume"  # once the coordinator is back

    @property
    def undoes_together(self) -> bool:
        """Whether the undos of a sequence start all together, but for those that wait for others."""
        return self.undo_order in ("parallel", "dependencies")


class Process(NamedTuple):
    """A workflow or a saga. `ends` lists its named ends; sagas have `completed`, `compensated`, `failed`.

    `done` is the end of a workflow whose body comes to its end without naming one.
    """

    id: str
    kind: Literal["workflow", "saga", "choreography", "system"]  # the last two: only for what checks may name
    body: Statement
    ends: tuple[str, ...]
    policy: Policy = Policy()
    title: str = ""
    span: Span | None = None
    done: str = "completed"
    variables: tuple[Variable, ...] = ()
    signals: tuple[Signal, ...] = ()
    patches: tuple[str, ...] = ()  # ids of the versions that a run may have or not


# -- messages between processes --------------------------------------------------------------------------------------


class Topic(NamedTuple):
    """A channel of messages, and what its broker promises. A name of `model.topics` is what messages are told by."""

    id: str
    broker: str = ""
    guarantee: Literal["exactly_once", "at_least_once", "at_most_once"] = "exactly_once"
    ordered: bool = False  # for each reader in the order of publishing
    competing: bool = False  # one queue for all readers
    capacity: int | None = None  # messages for each reader
    full: Literal["block", "drop_old", "drop_new"] = "block"
    copies: int = 1  # how often a message may come without any fault
    dead_letter: int | None = None  # failed attempts after which a message is put aside
    dedup: bool = False
    window: int | None = None  # messages after which a copy is not recognised any more; None: it always is
    outbox: bool = False
    outside: bool = False  # other systems read it
    feed: int | None = None  # how many messages of each event come from outside; None: the default
    span: Span | None = None


class Reaction(NamedTuple):
    """What a service does about a message: `event` is `TOPIC.EVENT`; each message runs `body` once."""

    id: str
    service: str
    topic: str
    event: str
    body: Statement
    ends: tuple[str, ...]
    span: Span | None = None


class Choreography(NamedTuple):
    """Services that react to messages, side by side; each handles one message at a time."""

    id: str
    services: tuple[str, ...]
    reactions: tuple[Reaction, ...]
    span: Span | None = None


class Place(NamedTuple):
    """A place of a plain net."""

    id: str
    tokens: int = 0
    capacity: int | None = None
    span: Span | None = None


class Transition(NamedTuple):
    """A transition of a plain net, arcs by place id."""

    id: str
    pre: tuple[tuple[str, int], ...]
    post: tuple[tuple[str, int], ...]
    read: tuple[tuple[str, int], ...] = ()
    inhibit: tuple[tuple[str, int], ...] = ()
    reset: tuple[str, ...] = ()
    span: Span | None = None
    priority: int = 0  # it may fire only where nothing with a higher one is enabled


class Turn(NamedTuple):
    """One of the ways in which it is a transition's turn, since nothing that comes first is enabled: more arcs, by place id."""

    read: tuple[tuple[str, int], ...] = ()
    inhibit: tuple[tuple[str, int], ...] = ()


class PlainNet(NamedTuple):
    """A net given as such; `finals` are its end places, if it has any."""

    id: str
    places: tuple[Place, ...]
    transitions: tuple[Transition, ...]
    finals: tuple[str, ...] = ()
    span: Span | None = None
    turns: tuple[tuple[Turn, ...], ...] = ()  # by transition; of a net without priorities none


class Move(NamedTuple):
    """A move of a state machine: on an event, after a time, or, with neither, by itself; then it sends."""

    id: str
    source: str  # ids of states
    target: str
    event: str = ""
    after: str = ""  # as written, such as 24h
    sends: tuple[str, ...] = ()
    span: Span | None = None


class State(NamedTuple):
    """A state of a state machine; its span is where it is named first."""

    id: str
    span: Span | None = None


class Machine(NamedTuple):
    """A state machine written by hand, such as the coordinator of a saga. Final states are left by no move."""

    id: str
    states: tuple[State, ...]
    initial: str
    moves: tuple[Move, ...]
    finals: tuple[str, ...] = ()
    span: Span | None = None


# -- checks, names resolved to ids -----------------------------------------------------------------------------------


class Check(NamedTuple):
    """A check on a subject (a process or net id); `faults` None means the default of its kind."""

    check: str
    subject: str
    label: str
    formula: Formula | None = None
    element: str = ""  # bounded(place), live(transition)
    bound: int | None = None
    sentence: str = ""
    faults: tuple[str, ...] | None = None
    fault_budget: int | None = None
    span: Span | None = None
    level: str = ""  # of faults, such as L2
    demand: int = 100  # per cent, of a check that counts
    fairness: str = ""  # of `ctl` and `ltl`: edges, weak, strong, nothing


class Timing(NamedTuple):
    """How long a service takes for a request, and how many it works on at once (0: any number)."""

    service: str
    latency: Delay | None
    capacity: int = 0


class Model(NamedTuple):
    """One file, resolved."""

    path: str
    processes: tuple[Process, ...]
    nets: tuple[PlainNet, ...]
    checks: tuple[Check, ...]
    title: str = ""
    machines: tuple[Machine, ...] = ()
    variables: tuple[Variable, ...] = ()
    topics: tuple[Topic, ...] = ()
    choreographies: tuple[Choreography, ...] = ()
    system: str = ""  # its name, where processes and choreographies are joined by topics
    timings: tuple[Timing, ...] = ()
