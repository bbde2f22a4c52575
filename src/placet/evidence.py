"""Verdicts, and the evidence that comes with each. Transitions and places are plain integers here.

A verdict is `Holds`, `Violated` or `Inconclusive`; none has a truth value, so that "unknown" can never pass for "no".
A violation states its *claim* and a witness of the kind that this claim needs; `analysis.replay` re-checks the claim on
the unreduced net, sharing no code with the engines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, Union
from typing import NoReturn as Raises

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.logic.state import Predicate
    from placet.logic.temporal import Formula

Trace: TypeAlias = tuple[int, ...]  # transition indices, fired from the initial state
State: TypeAlias = tuple[int, ...]  # tokens of the P places, then values of the O observers


class Budget(NamedTuple):
    """What one check may use. States and bytes make the verdict independent of the speed of the machine."""

    states: int | None = 1_000_000
    bytes: int | None = 2 << 30
    seconds: float | None = None


class Assumptions(NamedTuple):
    """What a verdict rests on; printed with it, always."""

    bounds: tuple[tuple[str, int], ...] = ()  # instances, loops, queues: (name, bound)
    unjustified_bounds: bool = False  # a bound that nothing justifies: inconclusive under --strict
    environment: Literal["open", "closed"] = "open"
    fairness: str = ""  # of runs that go on for ever: "", "edges", "weak", "strong", "nothing"
    faults: tuple[str, ...] = ()  # fault kinds considered
    fault_budget: int = 0
    guarantees: tuple[str, ...] = ()  # what the participants were trusted to do
    free_guards: tuple[str, ...] = ()  # conditions over data that was abstracted away
    time_ignored: bool = False
    final: str = ""  # a named variant of the final markings, such as "any-sink"
    decisions: tuple[str, ...] = ()  # sentences that stand for a decision taken outside
    choices: tuple[str, ...] = ()  # how each saga compensates, in words: by its profile and its own policies


# -- claims: what a violation asserts --------------------------------------------------------------------------------


class Reaches(NamedTuple):
    """A state in which the predicate holds is reachable. Witness: `Reach`."""

    predicate: Predicate


class Strands(NamedTuple):
    """A reachable state exists from which no state with `goal` is reachable. Witness: `NoReturn`."""

    goal: Predicate


class NeverHolds(NamedTuple):
    """No reachable state satisfies the predicate. Witness: `Never`.

    With `after`, no state that can be reached by a run in which one of these transitions fires (relaxed soundness).
    """

    predicate: Predicate
    after: Trace = ()


class Grows(NamedTuple):
    """The place has no bound. Witness: `Pump`."""

    place: int


class Cycles(NamedTuple):
    """A fair infinite run in which `throughout` holds in every state of its loop exists. Witness: `Lasso`.

    `forever` also asserts that no state satisfying `escape` can be reached from the loop (a livelock).
    """

    throughout: Predicate
    escape: Predicate | None = None


class Breaks(NamedTuple):
    """A run with these faults breaks what a saga owes for a step. Witness: `Reach`; `coverage.replay` re-checks it."""

    family: str
    step: str
    faults: tuple[str, ...]
    phase: str


class RunBreaks(NamedTuple):
    """Some fair run does not satisfy a formula of LTL. Witness: `Lasso`; where the run ends, `Reach`."""

    formula: Formula
    fairness: str


class Fails(NamedTuple):
    """A formula of CTL, in negation normal form, is false at the start. Witness: `Tree`."""

    formula: Formula
    fairness: str


Claim: TypeAlias = Union[Reaches, Strands, NeverHolds, Grows, Cycles, Breaks, RunBreaks, Fails]


# -- witnesses -------------------------------------------------------------------------------------------------------


class Reach(NamedTuple):
    """A firing sequence whose last state shows the claim."""

    trace: Trace


class Lasso(NamedTuple):
    """A firing sequence and a non-empty loop that returns to the state where it began."""

    trace: Trace
    loop: Trace
    fairness: str = "strong on edges"
    told: Trace = ()  # a shorter loop that shows the same, where fairness asks the other one to take many ways
    whole: bool = True  # false: a fair loop is too long to be written down, and this one is fair only among many others


class NoReturn(NamedTuple):
    """A firing sequence to a state, and how many states can still be reached from it, none of them with the goal."""

    trace: Trace
    closed: int


class Certificate(NamedTuple):
    """Why something is never so: `closed set` of reachable states, `empty siphon`, `invariant` ... with its data.

    `closed upwards`: the least states, each as (index, at least so many), of a set that holds every state with the predicate, that
    the start is not in, and that no step leads into from outside.
    """

    kind: Literal["closed set", "empty siphon", "invariant", "closed upwards"]
    places: tuple[int, ...] = ()  # of the siphon, or the support of the invariant
    weights: tuple[int, ...] = ()
    states: int = 0
    least: tuple[tuple[tuple[int, int], ...], ...] = ()


class Never(NamedTuple):
    """A certificate that a step is dead or that a predicate is unreachable."""

    certificate: Certificate


class Pump(NamedTuple):
    """A firing sequence and a loop that can be repeated for ever and adds tokens each time."""

    trace: Trace
    loop: Trace


class Branch(NamedTuple):
    """Why a formula is false in a state.

    Of one about every run: the way to where it has failed, and `parts`, why what it asks for is false there; with `stays` a
    fair run can stay from there on without ever getting what it asks for: round `loop`, or, without one, because nothing
    can happen any more. Of one about some run: nothing else than what was asked can be reached from the state, over
    `closed` states. Of an `or`: why each part is false; of an `and`: one.
    """

    formula: Formula
    trace: Trace = ()
    loop: Trace = ()
    told: Trace = ()  # a shorter loop, for print
    closed: int = 0
    parts: tuple[Branch, ...] = ()
    stays: bool = False
    fair: bool = True  # whether `loop` is a fair run; false: that is too long to be written down


class Tree(NamedTuple):
    """Why a formula of CTL is false at the start."""

    root: Branch


Witness: TypeAlias = Union[Reach, Lasso, NoReturn, Never, Pump, Tree]


# -- verdicts --------------------------------------------------------------------------------------------------------


class Proof(NamedTuple):
    """Which engine proved it, over how many states and edges (0 where nothing was explored), and by which argument."""

    engine: str
    states: int = 0
    edges: int = 0
    reductions: tuple[str, ...] = ()
    argument: str = ""


class Holds(NamedTuple):
    """Proved."""

    proof: Proof
    assumptions: Assumptions = Assumptions()
    vacuous: str = ""  # why the premise never occurs, where that is so
    note: str = ""  # what was not asked for

    def __bool__(self) -> Raises:
        raise TypeError("a verdict has no truth value; ask isinstance(verdict, Holds)")


class Violated(NamedTuple):
    """Refuted, with a witness."""

    claim: Claim
    witness: Witness
    proof: Proof
    assumptions: Assumptions = Assumptions()
    culprits: tuple[int, ...] = ()  # transitions or places the message should name, by the check that found them

    def __bool__(self) -> Raises:
        raise TypeError("a verdict has no truth value; ask isinstance(verdict, Holds)")


class Inconclusive(NamedTuple):
    """Neither proved nor refuted: `reason`, the budget that ran out, and the option that raises it."""

    reason: str
    budget: str = ""  # "states", "bytes", "seconds", "interrupted", "theory"
    limit: str = ""  # the figure that was reached, for print
    option: str = ""  # such as --budget-states
    proof: Proof = Proof("none")
    assumptions: Assumptions = Assumptions()

    def __bool__(self) -> Raises:
        raise TypeError("a verdict has no truth value; ask isinstance(verdict, Holds)")


Verdict: TypeAlias = Union[Holds, Violated, Inconclusive]
