"""The syntax tree: frozen values with spans, as close to the text as the grammar is. Names are not resolved here.

These are NamedTuples: a class costs a tenth of a dataclass at start-up (see docs/adr), and they are as frozen.

One module, though a long one: a list of values that name each other, one for each rule of the grammar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.source import SourceFile, Span


class Name(NamedTuple):
    """An identifier, or a dotted path of them (`charge.done` is one Name with a dot in its text).

    Indices are part of it as they were written (`fork[i % N + 1]`): `syntax.indices` reads them. So are hyphens (`temporal-java`). After a syntax error, a name that was missing has the text "".
    """

    text: str
    span: Span


class Text(NamedTuple):
    """A quoted sentence, without its quotes."""

    text: str
    span: Span


class Number(NamedTuple):
    """A whole number, or (with a name) the parameter that stands for it: then the value is not known yet."""

    value: int
    span: Span
    name: str = ""


class Duration(NamedTuple):
    """A time such as 10s or 24h; `seconds` is what it means, `text` what was written."""

    seconds: float
    text: str
    span: Span


# -- statements ------------------------------------------------------------------------------------------------------


class Block(NamedTuple):
    """Statements in sequence, in braces. It is no statement of a sequence itself: the parser puts it into branches only."""

    statements: tuple[Statement, ...]
    span: Span


class Expression(NamedTuple):
    """`stock - 1`, `2 * a + b`, `red`: weighted names, and numbers (a weight without a name)."""

    terms: tuple[tuple[int, Name | None], ...]
    span: Span


class Assignment(NamedTuple):
    """`stock = stock - 1`, `rated = any`; negated: `rated = not asked`."""

    variable: Name
    value: Expression
    negated: bool
    span: Span


class Task(NamedTuple):
    """`task NAME [on SERVICE] [fails ERROR, ...] [sets VARIABLE = VALUE, ...]`."""

    name: Name
    service: Name | None
    fails: tuple[Name, ...]
    span: Span
    sets: tuple[Assignment, ...] = ()


class Option(NamedTuple):
    """One option in the braces of a step, a saga or a service: a keyword and its operands.

    `undo cancel_flight` `undo void(ticket.reply)` `retry 3` `timeout 10s` `pivot` `retriable` `read_only`
    `escalates` `idempotent` `null_safe` `rejects_after_cancel` `after flight, hotel` `register before` `siblings await` `recovery resume`
    `effect debit(alice, 100)` `effect credit(bob, 100)` `key booking per run ttl 24h`
    `circuit_breaker after 3 probe 30s` `bulkhead 2 wait` `rate_limit 5 per 1s reject` (of a service)
    `capacity 2 drop_old` `dead_letter after 3` `fifo per key` (of a topic)
    `on unknown ask` `on undo_failure retry 5 then escalate` `undo_order parallel` `failing_step undo`.

    The key is the keyword: one word, or the two words `on unknown`, `on undo_failure`. Operands in their order, without
    `then` and signs: `void`, `ticket.reply`; `retry`, 5, `escalate`. Which values a policy may have is resolved later.
    """

    key: Name
    operands: tuple[Name | Number | Duration | Text, ...]
    span: Span


class ErrorRule(NamedTuple):
    """`NAME: retry 5 [backoff 1s..30s] [then reject]`, `NAME: reject | unknown | escalate`; `other` is the rest."""

    error: Name
    retry: Number | None
    action: Name | None
    span: Span
    backoff: tuple[Duration, ...] = ()  # before the second attempt, and at most before any


class Step(NamedTuple):
    """`step NAME on SERVICE [via KIND] { options; errors { ... } }`."""

    name: Name
    service: Name | None
    options: tuple[Option, ...]
    errors: tuple[ErrorRule, ...]
    span: Span
    via: Name | None = None


class Branch(NamedTuple):
    """One way of a choice, either, parallel or first-of. None as guard is `otherwise` or unguarded.

    A guard is a sentence, or a formula over variables.
    """

    guard: Text | Formula | None
    trigger: Receive | Timer | None  # first-of only
    body: Block
    span: Span


class Choice(NamedTuple):
    """`choice [LABEL] { when GUARD { } ... otherwise { } }`; guards are tried in order."""

    label: Name | None
    branches: tuple[Branch, ...]
    otherwise: Block | None
    span: Span


class Patch(NamedTuple):
    """`patch "ID" { new } [otherwise { old }]`: a run has either version from its beginning to its end."""

    name: Text
    body: Block
    otherwise: Block | None
    span: Span


class Either(NamedTuple):
    """`either [LABEL] { } or { } ...`: a free decision."""

    label: Name | None
    branches: tuple[Branch, ...]
    span: Span


class Parallel(NamedTuple):
    """`parallel [LABEL] { STATEMENT ... }`: each statement is a branch, a block `{ ... }` one of several statements.

    `parallel [LABEL] 2 of { ... } [others cancel | go_on]`: it goes on when so many of them are done.
    """

    label: Name | None
    branches: tuple[Branch, ...]
    span: Span
    need: Number | None = None
    others: Name | None = None


class Loop(NamedTuple):
    """`loop [LABEL] [at_most N] { } [until GUARD]`, `while [LABEL] "..." [at_most N] { }`, `while FORMULA { }`."""

    label: Name | None
    at_most: Number | None
    while_: Text | Formula | None
    until: Text | Formula | None
    body: Block
    span: Span


class ForEach(NamedTuple):
    """`for each NAME in 1..3 [[at_most 2] parallel] [tolerate 1] { }`: one after the other, unless parallel."""

    name: Name
    low: Number
    high: Number
    at_most: Number | None
    parallel: bool
    tolerate: Number | None
    body: Block
    span: Span


class Receive(NamedTuple):
    """`receive EVENT [buffered] [sets VARIABLE = VALUE, ...]`: waits until it arrives from outside."""

    event: Name
    span: Span
    sets: tuple[Assignment, ...] = ()
    buffered: bool = False  # one that came before is remembered


class Publish(NamedTuple):
    """`publish TOPIC.EVENT`: sends a message, and goes on."""

    event: Name
    span: Span


class Timer(NamedTuple):
    """`timer 24h`: waits."""

    duration: Duration
    span: Span


class FirstOf(NamedTuple):
    """`first of [LABEL] { receive a -> ... ; timer 24h }`: the first to happen wins; `->` a statement or a block."""

    label: Name | None
    branches: tuple[Branch, ...]
    span: Span


class Handler(NamedTuple):
    """`on NAME { ... }` of a call (an end of the callee) or of a try (an error, or `any`); `on timeout 10s { }`.

    `on signal NAME { ... }`, and with `beside [at_most N]` before the brace it interrupts nothing.
    """

    name: Name
    timeout: Duration | None
    body: Block
    span: Span
    signal: bool = False
    beside: bool = False
    at_most: Number | None = None


class Try(NamedTuple):
    """`try [LABEL] { } on ERROR { } on timeout 10s { } on signal x beside { } on any { }`."""

    label: Name | None
    body: Block
    handlers: tuple[Handler, ...]
    span: Span


class Raise(NamedTuple):
    """`raise ERROR`."""

    error: Name
    span: Span


class Call(NamedTuple):
    """`call TARGET on END { } ...`: every end but the completing one must be handled.

    `call TARGET detached on_close wait` has none.
    """

    target: Name
    handlers: tuple[Handler, ...]
    span: Span
    detached: bool = False
    on_close: Name | None = None


class Again(NamedTuple):
    """`continue_as_new [carrying undo] [at_most 2]`: this run is over, and the process begins anew."""

    span: Span
    carrying: bool = False
    at_most: Number | None = None


class Every(NamedTuple):
    """`every 1h at_most 9 overlap allow at_most 2 { ... }`: each time that so much has passed, for ever or so often."""

    duration: Duration
    overlap: Name
    body: Block
    span: Span
    at_most: Number | None = None  # how many runs may go on at once
    rounds: Number | None = None


class With(NamedTuple):
    """`with POOL { }`: the body needs one of the pool, and holds it as long as it goes on."""

    pool: Name
    body: Block
    span: Span


class Acquire(NamedTuple):
    """`acquire POOL`: takes one of it, whenever there is one."""

    pool: Name
    span: Span


class Release(NamedTuple):
    """`release POOL`: gives one back."""

    pool: Name
    span: Span


class End(NamedTuple):
    """`end NAME`."""

    name: Name
    span: Span


class Abandon(NamedTuple):
    """`abandon "why"`: gives the saga up and starts its compensation."""

    reason: Text | None
    span: Span


Statement: TypeAlias = Union[
    Task,
    Step,
    Choice,
    Patch,
    Every,
    Again,
    Either,
    Parallel,
    Loop,
    ForEach,
    Receive,
    Publish,
    Timer,
    FirstOf,
    Try,
    Raise,
    Call,
    End,
    Abandon,
    With,
    Acquire,
    Release,
    Block,
]


# -- declarations ----------------------------------------------------------------------------------------------------


class System(NamedTuple):
    """`system NAME "title"`."""

    name: Name
    title: Text | None
    span: Span


class Service(NamedTuple):
    """`service NAME [via KIND] { guarantees }`."""

    name: Name
    options: tuple[Option, ...]
    span: Span
    via: Name | None = None


class Pool(NamedTuple):
    """`pool NAME SIZE`: so many things that somebody may hold."""

    name: Name
    size: Number
    span: Span


class Import(NamedTuple):
    """`import "other.placet"`: what that file declares is declared here too, but for its checks."""

    path: Text
    span: Span


class Parameter(NamedTuple):
    """`param NAME = VALUE`: the name stands for the number wherever a number may stand."""

    name: Name
    value: Number
    span: Span


class Domain(NamedTuple):
    """`bool` (a kind), `{red, green}` (names), `0..2` (low and high)."""

    kind: Name | None
    names: tuple[Name, ...]
    low: Number | None
    high: Number | None
    span: Span


class Variable(NamedTuple):
    """`var NAME : DOMAIN [= VALUE]`: of the model, or of the process it stands in."""

    name: Name
    domain: Domain
    initial: Name | Number | None
    span: Span


class Signal(NamedTuple):
    """`signal NAME, ... [at_most N]` of a process: what comes from outside, so often in one run."""

    names: tuple[Name, ...]
    at_most: Number | None
    span: Span


class Topic(NamedTuple):
    """`topic NAME, ... [on BROKER] { options }`: channels of messages, and what the broker promises about them."""

    names: tuple[Name, ...]
    broker: Name | None
    options: tuple[Option, ...]
    span: Span


class Process(NamedTuple):
    """`workflow NAME { }` and `saga NAME [uses PROFILE] { }`."""

    kind: str  # workflow, saga
    name: Name
    profile: Name | None
    body: Block
    policies: tuple[Option, ...]
    span: Span
    variables: tuple[Variable, ...] = ()
    signals: tuple[Signal, ...] = ()


class Reaction(NamedTuple):
    """`on TOPIC.EVENT { }`: what a service of a choreography does about a message."""

    event: Name
    body: Block
    span: Span


class Member(NamedTuple):
    """`service NAME { on ... }` in a choreography."""

    name: Name
    reactions: tuple[Reaction, ...]
    span: Span


class Choreography(NamedTuple):
    """`choreography NAME { service ... }`: services that react to messages, side by side, with nobody in the lead."""

    name: Name
    members: tuple[Member, ...]
    span: Span


class PlaceDecl(NamedTuple):
    """`place NAME [= TOKENS] [capacity N]`, several with commas."""

    name: Name
    tokens: Number | None
    capacity: Number | None
    span: Span


class Arc(NamedTuple):
    """One operand of a transition: `2 lock`, `read lock`, `without lock` (inhibitor, `without 3 lock`), `reset lock`."""

    kind: str  # "", read, without, reset
    weight: Number | None
    place: Name
    span: Span


class TransitionDecl(NamedTuple):
    """`transition NAME priority 2: a + 2 b + read c -> d`; either side may be empty."""

    name: Name
    inputs: tuple[Arc, ...]
    outputs: tuple[Arc, ...]
    span: Span
    priority: Number | None = None


class NetDecl(NamedTuple):
    """`net NAME { place ...; transition ...; final a, b }`; `final` names the end places, where there are any."""

    name: Name
    places: tuple[PlaceDecl, ...]
    transitions: tuple[TransitionDecl, ...]
    finals: tuple[Name, ...]
    span: Span


class Move(NamedTuple):
    """`placed --Paid--> paid`, `placed --after 24h--> late`, `paid --Shipped / send Invoice, Thanks--> done`, `a --/ send B--> c`."""

    source: Name
    trigger: Name | Duration | None
    sends: tuple[Name, ...]
    target: Name
    span: Span


class MachineDecl(NamedTuple):
    """`machine NAME { initial a; a --X--> b; final b, c }`; what is named is a state. There should be one `initial`."""

    name: Name
    initials: tuple[Name, ...]
    moves: tuple[Move, ...]
    finals: tuple[Name, ...]
    span: Span


# -- checks ----------------------------------------------------------------------------------------------------------


class Atom(NamedTuple):
    """A name in a formula: `charge.done`, `purchase.rejected`, `flight.effect`, a place."""

    name: Name
    span: Span


class Compare(NamedTuple):
    """`a + 2 b - c >= 1`: a weighted sum of atoms against a number, or an expression; `op`: `<= >= == != < >`."""

    terms: tuple[tuple[int, Atom], ...]
    op: str
    bound: Number | Expression
    span: Span


class Negation(NamedTuple):
    """`not f`."""

    of: Formula
    span: Span


class Junction(NamedTuple):
    """`f and g`, `f or g`, `f implies g`."""

    op: str
    parts: tuple[Formula, ...]
    span: Span


class Modal(NamedTuple):
    """`AG f`, `F f`, `f U g`: an operator on runs. `op`: `A E X F G AX AF AG EX EF EG`, and `U W R` with two parts."""

    op: str
    parts: tuple[Formula, ...]
    span: Span


Formula: TypeAlias = Union[Atom, Compare, Negation, Junction, Modal]


class Demand(NamedTuple):
    """`>= 90 %`, of a check that counts."""

    op: str
    percent: Number
    span: Span


class EachOf(NamedTuple):
    """`for each i in 1..N` behind a check: it is made for each of the numbers."""

    name: Name
    low: Number
    high: Number
    span: Span


class CheckItem(NamedTuple):
    """`sound(purchase)`, `bounded(readings, 2)`, `coverage(trip) at L2 == 100%`; then an optional sentence.

    `ctl of purchase AG f assuming weak`: the operands are the name, where one is given, and the formula.
    """

    check: Name
    operands: tuple[Formula | Number, ...]
    sentence: Text | None
    span: Span
    level: Name | None = None  # of faults
    demand: Demand | None = None
    assuming: Name | None = None
    each: tuple[EachOf, ...] = ()
    one: bool = False  # of those that one text stands for: it is shown as it is printed


class Check(NamedTuple):
    """`check a(x), b(y) "sentence" [under { lost, slow } at_most 2]`: the sentence belongs to the item before it."""

    items: tuple[CheckItem, ...]
    faults: tuple[Name, ...] | None
    fault_budget: Number | None
    span: Span


# -- sidecars --------------------------------------------------------------------------------------------------------


class Undoing(NamedTuple):
    """`CancelCar` or `CancelCar(ReserveCar.reply)`: the state that undoes a step, and what it is given."""

    state: Name | Text
    given: Name | None
    span: Span


class Role(NamedTuple):
    """`ReserveCar as car on cars undone by CancelCar fails SoldOut { pivot }`; `state "Reserve car" ...` for other names."""

    state: Name | Text
    alias: Name | None
    service: Name | None
    undone: tuple[Undoing, ...]
    fails: tuple[Name, ...]
    options: tuple[Option, ...]
    span: Span


class SidedEnd(NamedTuple):
    """`end OrderFailed compensated`: what a state that ends the execution counts as."""

    state: Name | Text
    kind: Name
    span: Span


class Waiver(NamedTuple):
    """`waive P552 at Charge "why" until 2027-01-31`."""

    what: Name
    state: Name | Text | None
    reason: Text
    until: Name | None
    span: Span


class Annotate(NamedTuple):
    """`annotate "order.asl.json" [MACHINE] { ... }`: what an imported definition does not say of itself, in its order."""

    path: Text
    machine: Name | None
    parts: tuple[Role | Service | SidedEnd | Check | Waiver, ...]
    span: Span


Item: TypeAlias = Union[
    Import,
    System,
    Service,
    Pool,
    Topic,
    Parameter,
    Variable,
    Process,
    Choreography,
    NetDecl,
    MachineDecl,
    Annotate,
    Check,
]


class File(NamedTuple):
    """One file."""

    source: SourceFile
    items: tuple[Item, ...]
    named: bool = False  # some number is written as the name of a parameter
