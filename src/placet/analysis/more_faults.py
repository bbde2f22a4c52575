"""Steps that take more faults, or others, than were allowed for: no run here does them, and they are no dead steps.

What faults are allowed for bounds what is looked at, so that proofs are had in time; it is no promise that nothing worse will
happen. What is asked of *all* runs may be told for these. That a step *can* happen is asked of some run, and faults only add
runs: the undo inside the handler of a refusal needs a second failure after the first. To call it dead would have its reader
take it out. So each step that no run does is looked for again: under faults of every kind, and with one and two more of the usual. Where
these bring a step about, two more are tried again: of handlers inside handlers each takes a failure of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis import strategy
from placet.compiled import Query
from placet.evidence import Holds, Inconclusive, Never, NeverHolds, Violated
from placet.logic.state import Fireable, Or

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.analysis.strategy import Answer, Options
    from placet.compiled import Compiled
    from placet.evidence import Budget, Verdict

    Weave = Callable[[int, bool], Compiled | None]

ASKED = ("no_dead_step", "sound", "relaxed_sound")
MORE = 2  # faults beside those that are allowed for, or beside those that brought another step about
MOST = 8  # of these
STATES = 200_000  # of each search for such a step: most are found within a few hundred


def reconsidered(compiled: Compiled, answers: tuple[Answer, ...], options: Options, woven: Weave) -> tuple[Answer, ...]:
    """The answers, where dead steps were taken for violations with those left aside that more faults bring about.

    `woven` gives the same net with so many faults more, of every kind or of the usual ones beside those that were allowed
    for, or None where there is no such thing. Where it is not decided
    whether more faults bring a step about, neither is the query.
    """
    dead = {step: None for answer in answers for step in _dead(compiled, answer)}
    if not dead:
        return answers
    alive, unknown = _looked_for(tuple(dead), options, woven)
    aside = alive | unknown.keys()
    if not aside:
        return answers
    rest = compiled._replace(steps=tuple(step for step in compiled.steps if step[0] not in aside))
    return tuple(
        _anew(
            compiled, rest, answer, options, alive.intersection(found), {s: unknown[s] for s in found if s in unknown}
        )
        if aside.intersection(found := _dead(compiled, answer))
        else answer
        for answer in answers
    )


def _dead(compiled: Compiled, answer: Answer) -> list[str]:
    """The ids of the steps that no run does, where that is the violation."""
    verdict = answer.verdict
    if (
        answer.query.check not in ASKED
        or not isinstance(verdict, Violated)
        or not isinstance(verdict.claim, NeverHolds)
    ):
        return []
    culprits = frozenset(verdict.culprits)
    return [step for step, transitions in compiled.steps if transitions and culprits.issuperset(transitions)]


def _looked_for(
    steps: tuple[str, ...], options: Options, woven: Weave
) -> tuple[frozenset[str], dict[str, Inconclusive]]:
    """The steps that were seen to happen with more faults, and those of which it was not decided, with what cut it off.

    Under faults of every kind first: where a siphon keeps a step from happening there, no number of them changes that.
    """
    alive: frozenset[str] = frozenset()
    of_every: dict[str, Inconclusive] = {}  # undecided under every kind: what the usual ones do decides nothing of that
    unknown: dict[str, Inconclusive] = {}
    left = steps
    more, most = -1, MORE
    while left and more < most:
        more += 1
        net = woven(more, more == 0)
        if net is None:
            continue
        firing = dict(net.steps)
        queries = [Query("possible", s, Or(tuple(Fireable(t) for t in firing[s]))) for s in left if firing.get(s)]
        found = strategy.decide(net, queries, options._replace(budget=_part(options.budget), progress=None))
        seen = {a.query.label for a in found if isinstance(a.verdict, Holds)}
        alive |= seen
        most = max(most, min(more + MORE, MOST)) if seen else most
        dead = {a.query.label for a in found if isinstance(a.verdict, Violated) and _for_ever(a.verdict)}
        unknown = {a.query.label: a.verdict for a in found if isinstance(a.verdict, Inconclusive)}
        of_every = unknown if more == 0 else of_every
        left = tuple(s for s in left if s not in alive | dead)
    return alive, {s: cut for s, cut in (of_every | unknown).items() if s in left}


def _for_ever(verdict: Violated) -> bool:
    """Whether what never happens would not with more tokens of what there are some of."""
    return isinstance(verdict.witness, Never) and verdict.witness.certificate.kind == "empty siphon"


def _part(budget: Budget) -> Budget:
    return budget._replace(states=min(budget.states or STATES, STATES))


def _anew(
    compiled: Compiled,
    rest: Compiled,
    answer: Answer,
    options: Options,
    alive: frozenset[str],
    unknown: dict[str, Inconclusive],
) -> Answer:
    """The answer without the steps that are no dead ones, or that it is unknown of."""
    (again,) = strategy.decide(rest, [answer.query], options)
    verdict: Verdict = again.verdict
    if isinstance(verdict, Holds) and unknown:
        told = _phrase(compiled, frozenset(unknown))
        cut = next(iter(unknown.values()))
        reason = f"whether it takes more faults than are allowed for, or never happens, that {told}, was not decided: {cut.reason}"
        raised = cut.option if _part(options.budget) == options.budget or cut.budget != "states" else ""
        verdict = Inconclusive(reason, cut.budget, cut.limit, raised)
    elif isinstance(verdict, Holds):
        note = f"only with more faults than these, or others, {_phrase(compiled, alive)}, so that is not taken for dead"
        verdict = verdict._replace(note="; ".join(n for n in (verdict.note, note) if n))
    return again._replace(verdict=verdict, seconds=answer.seconds + again.seconds)


def _phrase(compiled: Compiled, steps: frozenset[str]) -> str:
    """What the first of the steps does, and how many there are beside it."""
    of = dict(compiled.steps)
    first, *others = [step for step, _ in compiled.steps if step in steps]
    more = f" (and {len(others)} more)" if others else ""
    return f"{compiled.origin.transitions[of[first][0]].phrase}{more}"
