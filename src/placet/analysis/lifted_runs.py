"""Runs that a reduced net or a diagram has shown, led back to the net as it is: their steps, their ends, and loops that are fair there.

What a formula is false for on a reduced net it is false for on the net itself (see `reduction.reduce`), but not by the same steps: between
the steps of the reduced net lie others, a run that ends there may have a little more to do here, and a loop that was fair there need not
be fair here, where more can happen. So loops are mended: all that can be reached without a fault from where one begins is searched, up to
a limit, for one that is fair here.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from placet.analysis.components import Rows, terminal
from placet.analysis.replay_formulas import is_fair, replay_formula
from placet.analysis.temporal.fair import FairSet, Space, loop, short_loop
from placet.errors import EvidenceError
from placet.evidence import Branch, Lasso, Reach, RunBreaks
from placet.logic.temporal import is_plain
from placet.net.firing import enabled, fire_state
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.analysis.reduction import Reduced
    from placet.analysis.subject import Subject
    from placet.analysis.temporal.fair import Fairness
    from placet.evidence import State, Trace
    from placet.logic.temporal import Formula

_LOOKS = 400_000  # states times transitions of the search for a fair loop
_WALK = 20_000  # steps of a walk until it comes back to where it was, or ends
_MORE = 10_000  # steps that a run which is over on the reduced net may still have to take


class Way(NamedTuple):
    """A run: its beginning, and the loop that it stays in; without one it ends.

    `open`: it may go on in any way; of a loop, that it stands for a fair one which was not looked for.
    """

    trace: Trace
    loop: Trace = ()
    told: Trace = ()
    open: bool = False


def along(branch: Branch) -> Way:
    """The one run that shows why a formula about all runs is false, of those that `symbolic.branching` gives."""
    trace: list[int] = []
    while True:
        trace += branch.trace
        if branch.stays:
            return Way(tuple(trace), branch.loop, branch.told)
        inner = [part for part in branch.parts if not is_plain(part.formula)]
        if not inner:
            return Way(tuple(trace), open=True)
        branch = inner[0]


class Lifting:
    """From a reduced net, or from the net itself, to runs of the net that can be fired and are fair."""

    def __init__(self, subject: Subject, reduced: Reduced | None, fairness: Fairness) -> None:
        self._subject, self._reduced, self._fairness = subject, reduced, fairness
        self._net, self._observers = subject.net, subject.observers
        self._start: State = subject.compiled.start

    # -- trees -------------------------------------------------------------------------------------------------------

    def tree(self, root: Branch) -> Branch:
        """Why a formula of CTL is false at the start. Raises TooLongError as `Reduced.lift`."""
        return self._branch(root, self._start, first=True)

    def _branch(self, branch: Branch, state: State, *, first: bool) -> Branch:
        trace: Trace = ()
        if branch.trace or (branch.stays and first):  # else what is said is said of the start itself
            trace, first = self._lift(branch.trace, first=first), False
        state = self._after(state, trace)
        parts = tuple(self._branch(part, state, first=first) for part in branch.parts)
        lifted = branch._replace(trace=trace, parts=parts)
        if not branch.stays or not branch.loop:
            return lifted
        round_, told = self._expand(branch.loop), self._expand(branch.told)
        fair = is_fair(self._subject.compiled, self._fairness, state, round_)
        if not fair and self._fairness == "edges":
            found = self._fair_loop(state)
            if found is not None and not (found.trace and parts):
                told = found.told if found.trace else told
                return lifted._replace(trace=trace + found.trace, loop=found.loop, told=told, fair=True)
        return lifted._replace(loop=round_ if fair else told or round_, told=told, fair=fair)

    # -- single runs -------------------------------------------------------------------------------------------------

    def run(self, formula: Formula, way: Way, certain: Callable[[], bool]) -> Lasso | Reach | None:
        """The run of the net; None where none was found that is known to go against the formula.

        `certain`: whether the formula is known to be broken by every fair run that begins like this one, so that a loop that stands for
        one which is too long to be written down will do.
        """
        trace = self._lift(way.trace, first=True)
        state = self._after(self._start, trace)
        if way.open:
            found = self._fair_loop(state) or self._walk(state)
            if found is None:
                return None
            whole = not found.open or self._fairness == "nothing"
            those = (self._made(trace + found.trace, found.loop, told, whole=whole) for told in (found.told, ()))
            return next((made for made in those if self._breaks(formula, made)), None)
        if not way.loop:
            return Reach(trace + self._to_the_end(state))
        round_, told = self._expand(way.loop), self._expand(way.told)
        if is_fair(self._subject.compiled, self._fairness, state, round_):
            return self._made(trace, round_, told, whole=True)
        found = self._fair_loop(state) if self._fairness == "edges" else None
        if found is not None:
            made = self._made(trace + found.trace, found.loop, found.told if found.trace else told, whole=True)
        else:
            made = self._made(trace, told or round_, told, whole=False)
        if self._breaks(formula, made) and (found is not None or self._fairness != "edges"):
            return made
        return made if certain() else None

    def _made(self, trace: Trace, round_: Trace, told: Trace, *, whole: bool) -> Lasso | Reach:
        return Lasso(trace, round_, self._fairness, told, whole) if round_ else Reach(trace)

    def _breaks(self, formula: Formula, run: Lasso | Reach) -> bool:
        try:
            replay_formula(self._subject.compiled, RunBreaks(formula, self._fairness), run, 0)
        except EvidenceError:
            return False
        return True

    def _to_the_end(self, state: State) -> Trace:
        """What a run that is over on the reduced net still does here: preparations that nobody uses."""
        more: list[int] = []
        while (left := self._helped(state)) and len(more) < _MORE:
            more.append(left[0])
            state = self._after(state, left[:1])
        return tuple(more)

    # -- steps -------------------------------------------------------------------------------------------------------

    def _lift(self, trace: Trace, *, first: bool) -> Trace:
        if self._reduced is None:
            return trace
        return self._reduced.lift(trace) if first else self._reduced.expand(trace)

    def _expand(self, trace: Trace) -> Trace:
        return self._lift(trace, first=False)

    def _after(self, state: State, trace: Sequence[int]) -> State:
        for t in trace:
            after = fire_state(self._net, self._observers, state, t)
            if after is None:
                raise EvidenceError(f"transition {t} of a lifted run is not enabled")
            state = after
        return state

    def _helped(self, state: State) -> list[int]:
        faults = self._subject.faults
        return [t for t in enabled(self._net, state[: len(self._net.places)]) if t not in faults]

    # -- loops -------------------------------------------------------------------------------------------------------

    def _fair_loop(self, start: State) -> Way | None:
        """The way to the nearest set that nothing leaves, and a loop that is fair on edges in it; None where it is too large."""
        numbers: dict[State, int] = {start: 0}
        order, came = [start], [(-1, -1)]
        offsets, labels, targets = array("q", (0,)), array("i"), array("I")
        most = max(50, _LOOKS // max(1, len(self._net.transitions)))
        for i, state in enumerate(order):
            for t in self._helped(state):
                to = self._after(state, (t,))
                at = numbers.setdefault(to, len(order))
                if at == len(order):
                    if at >= most:
                        return None
                    order.append(to)
                    came.append((i, t))
                labels.append(t)
                targets.append(at)
            offsets.append(len(targets))
        rows = Rows(len(order), offsets, labels, targets)
        members = min(terminal(rows), key=min)
        first = min(members)
        way: list[int] = []
        at = first
        while at:
            at, t = came[at]
            way.append(t)
        trace = tuple(reversed(way))
        if not rows.out(first):
            return Way(trace)
        space = Space(rows, range(len(order)), (), 0, lambda i: labels[offsets[i] : offsets[i + 1]])
        own = FairSet(frozenset(members))
        round_, whole = loop(space, own, first, "edges")
        if not whole:
            return None
        told = short_loop(space, own, first)
        return Way(trace, tuple(labels[e] for e in round_), tuple(labels[e] for e in told))

    def _walk(self, state: State) -> Way | None:
        """Always the first step that can happen, until the run is over, or back where it was: a loop that stands for a fair one."""
        seen: dict[State, int] = {}
        way: list[int] = []
        while state not in seen:
            seen[state] = len(way)
            left = self._helped(state)
            if not left:
                return Way(tuple(way))
            if len(way) >= _WALK:
                return None
            way.append(left[0])
            state = self._after(state, left[:1])
        at = seen[state]
        return Way(tuple(way[:at]), tuple(way[at:]), tuple(way[at:]), open=True)
