"""Which change covers which obligations, and which sets of changes cover all: every answer is measured, none is guessed.

Variants with the same net are measured once. Whatever is printed has been verified by itself.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from placet.advice.changes import Change, changed, changes
from placet.advice.imported import Imported
from placet.advice.minimal import Found, minimal_sets
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.coverage.obligations import Coverage
    from placet.engines.protocol import Engine
    from placet.evidence import Budget
    from placet.faults.hypothesis import Hypothesis
    from placet.ir import model as ir

Key: TypeAlias = tuple[str, str, tuple[str, ...], str]

MOST = 1_000  # models that are measured for one piece of advice


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
    exhausted: bool  # these are all
    measured: int
    assumed: bool = False  # that they are all rests on promises adding no bad runs


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
        self._nets: dict[object, frozenset[Key] | None] = {}  # by what was measured

    @property
    def count(self) -> int:
        """How many were measured."""
        return len(self._nets)

    @property
    def left(self) -> int:
        """How many may still be measured."""
        return 0 if self._left == 0 else max(0, self._most - len(self._nets))

    @property
    def _left(self) -> float | None:
        """The seconds that are left for all that is still to be measured."""
        return None if self._until is None else max(0.0, self._until - monotonic())

    def missing(self, wanted: tuple[Change, ...]) -> frozenset[Key] | None:
        """The uncovered obligations with these changes; None where that is not known."""
        key = frozenset(wanted)
        if key not in self._known:
            chosen = _variant(self._model, self._subject, wanted)
            if chosen is None:
                self._known[key] = None
                return None
            steps = tuple(s._replace(guarantees=()) for s in chosen.roles.steps)
            made = (chosen.net, chosen.initial, chosen.roles._replace(steps=steps))
            if made not in self._nets:
                if not self.left:
                    return None
                budget = self._budget._replace(seconds=self._left)
                found = _coverage(chosen, self._hypothesis, budget, self._engine)
                self._nets[made] = _keys(found) if found.size.complete else None
            self._known[key] = self._nets[made]
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
    found = _sets(measure, atoms) if sets and before else Found((), complete=True, assumed=False)
    ordered = sorted(found.sets, key=lambda s: (sum(c.cost for c in s), len(s), [c.id for c in s]))
    return Advice(len(before), tuple(effects), tuple(ordered), found.complete, measure.count, found.assumed)


def _sets(measure: _Measure, atoms: tuple[Change, ...]) -> Found:
    """All minimal sets, as far as the allowance reaches."""
    promises = [c for c in atoms if c.kind == "guarantee"]
    own = [c for c in atoms if c.kind != "guarantee"]

    def covers(wanted: tuple[Change, ...]) -> bool | None:
        left = measure.missing(wanted)
        return None if left is None else not left

    return minimal_sets(own, promises, covers, measure.left)


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
