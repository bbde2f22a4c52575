"""Which change covers which obligations, and which sets of changes cover all: every answer is measured, none is guessed.

Sets are searched by size. Guarantees only take runs away, so that what all of them together do not reach no subset does:
that prunes, and whatever is printed has been verified by itself.
"""

from __future__ import annotations

from itertools import combinations
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from placet.advice.changes import Change, changed, changes
from placet.advice.imported import Imported

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.obligations import Coverage
    from placet.engines.protocol import Engine
    from placet.evidence import Budget
    from placet.faults.hypothesis import Hypothesis
    from placet.ir import model as ir

Key: TypeAlias = tuple[str, str, tuple[str, ...], str]

MOST = 400  # models that are measured for one piece of advice
LARGEST = 4  # changes in a set


class Effect(NamedTuple):
    """What one change does: how many of the missing obligations it covers, and how many new ones are missing then."""

    change: Change
    covers: int
    breaks: int


class Advice(NamedTuple):
    """`single` changes that help, the best first; `sets` with which all is covered, minimal, the cheapest first."""

    missing: int
    single: tuple[Effect, ...]
    sets: tuple[tuple[Change, ...], ...]
    exhausted: bool  # every set of up to LARGEST changes was looked at
    measured: int


class _Measure:
    """Coverage of variants of a model, each measured once, until the allowance is used up."""

    def __init__(
        self,
        model: ir.Model | Imported,
        subject: str,
        hypothesis: Hypothesis,
        budget: Budget,
        most: int,
        engine: Engine | None,
    ) -> None:
        self._model, self._subject, self._hypothesis, self._budget = model, subject, hypothesis, budget
        self._most, self._engine = most, engine
        self._until = None if budget.seconds is None else monotonic() + budget.seconds
        self._known: dict[frozenset[Change], frozenset[Key] | None] = {}

    @property
    def count(self) -> int:
        """How many were measured."""
        return len(self._known)

    @property
    def spent(self) -> bool:
        """Whether no more may be measured."""
        return len(self._known) >= self._most or self._left == 0

    @property
    def _left(self) -> float | None:
        """The seconds that are left for all that is still to be measured."""
        return None if self._until is None else max(0.0, self._until - monotonic())

    def missing(self, wanted: tuple[Change, ...]) -> frozenset[Key] | None:
        """The uncovered obligations with these changes; None where that is not known."""
        key = frozenset(wanted)
        if key not in self._known:
            if self.spent:
                return None
            left = self._budget._replace(seconds=self._left)
            chosen = _variant(self._model, self._subject, wanted)
            found = None if chosen is None else _coverage(chosen, self._hypothesis, left, self._engine)
            self._known[key] = None if found is None or not found.size.complete else _keys(found)
        return self._known[key]


def advise(
    model: ir.Model | Imported,
    subject: str,
    hypothesis: Hypothesis,
    budget: Budget,
    *,
    most: int = MOST,
    sets: bool = True,
    engine: Engine | None = None,
) -> Advice | None:
    """What would help the saga `subject`; None where its own coverage could not be measured within the budget.

    At most `most` variants are measured, each within the states and the memory of `budget`, all within its seconds.
    """
    measure = _Measure(model, subject, hypothesis, budget, most, engine)
    before = measure.missing(())
    if before is None:
        return None
    atoms = model.changes() if isinstance(model, Imported) else changes(model)
    effects = []
    for change in atoms if before else ():
        after = measure.missing((change,))
        if after is not None and len(before - after) > 0:
            effects.append(Effect(change, len(before - after), len(after - before)))
    effects.sort(key=lambda e: (e.breaks > 0, -e.covers, e.change.cost, e.change.id))
    found: list[tuple[Change, ...]] = []
    exhausted = not sets or not before or _sets(measure, atoms, found)
    found.sort(key=lambda s: (sum(c.cost for c in s), len(s), [c.id for c in s]))
    return Advice(len(before), tuple(effects), tuple(found), exhausted, measure.count)


def _sets(measure: _Measure, atoms: tuple[Change, ...], found: list[tuple[Change, ...]]) -> bool:
    """Fill in all minimal sets of up to LARGEST changes; False where the allowance ran out."""
    promises = [c for c in atoms if c.kind == "guarantee"]
    policies = [c for c in atoms if c.kind != "guarantee"]
    hopeful = []
    for size in range(min(LARGEST, len(policies)) + 1):
        for own in combinations(policies, size):
            if len({(c.target, c.name) for c in own}) < size:
                continue
            left = measure.missing((*own, *promises))
            if left is None and measure.spent:
                return False
            if not left and left is not None:
                hopeful.append(own)
        if size >= 2 and hopeful:
            break  # larger sets of own changes are no use where two suffice
    for size in range(1, LARGEST + 1):
        for own in hopeful:
            for asked in combinations(promises, size - len(own)) if size >= len(own) else ():
                wanted = (*own, *asked)
                if any(set(smaller) <= set(wanted) for smaller in found):
                    continue
                left = measure.missing(wanted)
                if left is None and measure.spent:
                    return False
                if left is not None and not left:
                    found.append(wanted)
    return True


def _variant(model: ir.Model | Imported, subject: str, wanted: tuple[Change, ...]) -> Compiled | None:
    """The subject of the model with these changes."""
    if isinstance(model, Imported):
        return model.compiled(wanted)
    from placet.compile.to_net import compile_model

    compiled, problems = compile_model(changed(model, wanted))
    chosen = next((c for c in compiled if c.subject == subject), None)
    return None if chosen is None or any(d.severity == "error" for d in problems) else chosen


def _coverage(chosen: Compiled, hypothesis: Hypothesis, budget: Budget, engine: Engine | None) -> Coverage:
    from placet.coverage.sliced import measure
    from placet.faults.weave import weave

    woven = weave(chosen._replace(queries=(), observers=()), hypothesis).compiled
    return measure(woven, hypothesis.budget, budget, engine).coverage


def _keys(coverage: Coverage) -> frozenset[Key]:
    return frozenset(
        (o.family, o.step, tuple(coverage.causes[f].id for f in o.faults), o.phase) for o in coverage.missing()
    )
