"""Why a violation is one: what failed, what everybody waits for, what never arrives, what goes round, what piles up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Cycles, Grows, NeverHolds, Reaches, Strands
from placet.logic.state import evaluate, support
from placet.net.roles import Kind
from placet.report.amounts import imbalance_reasons
from placet.report.impossible import never_reasons
from placet.report.run import (
    RETURNS,
    can_fire,
    effect_of,
    events_never,
    going_on,
    marked_ends,
    not_given_back,
    onwards,
    phrase_of,
    still_open,
    tells,
    transition_name,
    walk,
)
from placet.report.words import clean, counted, listed, quoted, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.compiled import Compiled
    from placet.logic.state import Predicate
    from placet.net.roles import Step
    from placet.report.run import Run


def reasons(run: Run) -> Iterator[str]:
    """Clauses that say why, most telling first."""
    if run.query.check == "conserved":
        yield from imbalance_reasons(run)
        return
    if run.compiled.roles.deliveries:
        from placet.report.messages import reasons as of_messages

        found = list(of_messages(run))
        if found:
            yield from found
            return
    match run.violated.claim:
        case NeverHolds():
            yield from never_reasons(run)
        case Grows(place):
            yield from _grows(run, place)
        case Cycles(_, escape):
            yield from _cycles(run, escape)
        case Strands():
            yield from _strands(run)
        case Reaches():
            yield from _reaches(run)


def is_stuck(run: Run) -> bool:
    """Nothing but what the user never wrote, or a fault, can happen at the end of the run."""
    return not going_on(run.compiled, run.last)


def _reaches(run: Run) -> Iterator[str]:
    yield from _conjuncts(run)
    check = run.query.check
    if check in ("safe", "bounded"):
        yield from _brought_about(run)
    if check in ("safe", "bounded", "never", "possible"):
        return
    for step in run.compiled.roles.steps:
        if effect_of(run, step) and check.startswith("anomaly"):
            yield effect_history(run, step)
    open_places = still_open(run.compiled, run.last)
    ended = marked_ends(run.compiled, run.last)
    if check.startswith("anomaly"):
        return
    if not ended:
        if open_places and is_stuck(run):
            yield from _waiting(run, open_places)
        return
    if open_places:
        yield f"when it ends, this is still open: {_places(run, open_places)}"
    elif sum(run.last[p] for p in ended) > 1:
        yield _ended_twice(run, ended)
    yield from _kept(run)
    if not is_stuck(run):
        yield f"after its end this can still happen: {_goes_on(run)}"


def _brought_about(run: Run) -> Iterator[str]:
    """The steps that each brought about what is under way more often than it may be."""
    claim = run.violated.claim
    places = support(claim.predicate)[0] if isinstance(claim, Reaches) else ()
    for p in sorted(i for i in places if i < run.width and run.last[i] > run.query.bound)[:1]:
        added: list[int] = []
        for n, (_, state, changes) in enumerate(walk(run.compiled, run.fired)):
            if not state[p]:
                added = []
            elif dict(changes).get(p, 0) > 0:
                added.append(n)
        numbers = list(dict.fromkeys(f"{run.number(n)}" for n in added))
        if len(numbers) > 1:
            yield f"each of the steps {listed(numbers)} brings it about, and nothing takes it away in between"


def effect_history(run: Run, step: Step) -> str:
    """By which steps the effect of a saga step came about."""
    name, index, value = short(step.id), run.width + step.effect, effect_of(run, step)
    changed = []
    before = run.compiled.start[index]
    for n, (_, state, _) in enumerate(walk(run.compiled, run.fired)):
        if state[index] != before:
            changed.append((n, state[index] - before))
            before = state[index]
    applied = [f"{run.number(n)}" for n, by in changed if by > 0]
    undone = [f"{run.number(n)}" for n, by in changed if by < 0]
    words = f"{quoted(name)} takes effect in {_steps(applied)}" if applied else f"{quoted(name)} never takes effect"
    if undone:
        words += f" and is undone in {_steps(undone)}"
    elif value > 0:
        words += ", and nothing undoes it after that"
    if value > 1:
        words += f": it is in effect {value} times"
    return words


def _steps(numbers: list[str]) -> str:
    return f"step {numbers[0]}" if len(numbers) == 1 else f"steps {listed(numbers)}"


def _conjuncts(run: Run) -> Iterator[str]:
    """For each part of the formula whether it holds at the end, and since which step."""
    atoms = run.query.atoms
    if not atoms:
        return
    for (_, text), begun in zip(atoms, since(run), strict=True):
        name = quoted(text)
        if begun is None:
            yield f"{name} does not hold at the end"
        elif begun < 0:
            yield f"{name} holds from the start"
        elif begun == len(run.fired) - 1:
            yield f"{name} comes true in the last step, {run.number(begun)}"
        else:
            yield f"{name} has been true since step {run.number(begun)}"


def since(run: Run) -> list[int | None]:
    """For each part of the formula the step after which it has held until the end; -1 from the start; None where it does not."""
    compiled, fired, atoms = run.compiled, run.fired, [predicate for predicate, _ in run.query.atoms]
    begun: list[int | None] = [-1 if _holds(compiled, a, compiled.start) else None for a in atoms]
    for n, (_, state, _) in enumerate(walk(compiled, fired)):
        for i, atom in enumerate(atoms):
            if not _holds(compiled, atom, state):
                begun[i] = None
            elif begun[i] is None:
                begun[i] = n
    return begun


def _holds(compiled: Compiled, predicate: Predicate, state: Sequence[int]) -> bool:
    net = compiled.net
    return evaluate(predicate, state, lambda: [t for t in range(len(net.transitions)) if can_fire(net, state, t)])


def _strands(run: Run) -> Iterator[str]:
    open_places = still_open(run.compiled, run.last)
    ended = marked_ends(run.compiled, run.last)
    after = f"after step {run.number(run.turned)}" if run.turned is not None else "from the start on"
    if run.query.check in RETURNS:
        yield f"{after} that is out of reach for good; all that can still happen: {_goes_on(run)}"
        return
    if len(run.fired) > (run.turned if run.turned is not None else -1) + 1:
        yield f"{after} no proper end can be reached any more, whatever happens next"
    if not is_stuck(run):
        yield f"{after} no end can be reached any more; all that can still happen is this, without end: {_goes_on(run)}"
    elif ended:
        if open_places:
            yield f"when it ends, this is still open: {_places(run, open_places)}"
        elif sum(run.last[p] for p in ended) > 1:
            yield _ended_twice(run, ended)
        yield from _kept(run)
    else:
        yield from _waiting(run, open_places)


def _kept(run: Run) -> Iterator[str]:
    """What was taken and not given back: that it is held, where something says so, else that it is not there."""
    kept = not_given_back(run.compiled, run.last)
    more = [p for p in kept if run.last[p] > run.compiled.initial[p]]
    if kept:
        words = "; ".join(phrase_of(run, p) for p in (more or kept)[:6])
        yield f"when it ends, this is not as it was in the beginning: {words}"


def _ended_twice(run: Run, ended: list[int]) -> str:
    return f"it ends more than once: {_places(run, ended)}"


def _goes_on(run: Run) -> str:
    """What can happen from the end of the run on, in the order in which it comes up."""
    _, told = onwards(run.compiled, run.last)
    phrases = [clean(run.compiled.origin.transitions[t].phrase) for t in told if tells(run.compiled, t)]
    more = f"; and {len(phrases) - 6} more" if len(phrases) > 6 else ""
    return "; ".join(phrases[:6]) + more or "nothing that could be seen from outside"


def _waiting(run: Run, open_places: list[int]) -> Iterator[str]:
    """What everybody waits for, and what would have to come for it to go on."""
    if not open_places:
        yield "nothing is going on any more, and no end is reached"
        return
    yield f"nothing can happen any more, and this is still open: {_places(run, open_places)}"
    held = frozenset(open_places)
    events = [t for t in sorted(events_never(run.compiled)) if not held.isdisjoint(dict(run.compiled.net.pre[t]))]
    if events:
        names = listed([transition_name(run.compiled, t) for t in events], "or")
        yield f"it waits for {names}, and nothing arrives from outside"
        return
    missing: dict[int, None] = {}
    for t in range(len(run.compiled.net.transitions)):
        needs = dict(run.compiled.net.pre[t]) | dict(run.compiled.net.read[t])
        if run.compiled.roles.transitions[t].kind is Kind.FAULT or held.isdisjoint(needs):
            continue
        missing |= dict.fromkeys(p for p, w in needs.items() if run.last[p] < w)
    room = {d.freed[0] for d in run.compiled.roles.deliveries}  # what takes up room comes and goes with its message
    lacking = [p for p in missing if p not in held | room]
    taken = [said for p in lacking[:3] if (said := _taken(run, p))]
    if taken:
        yield from taken
    elif lacking:
        yield f"to go on, one of these would have to come about, and none does: {_places(run, lacking)}"


def _taken(run: Run, place: int) -> str:
    """Who took what was there in the beginning; empty where nobody did."""
    net = run.compiled.net
    takers = [n for n, t in enumerate(run.fired) if dict(net.pre[t]).get(place, 0) > dict(net.post[t]).get(place, 0)]
    if not run.compiled.initial[place] or not takers or run.last[place]:
        return ""
    n = takers[-1]
    who, what = transition_name(run.compiled, run.fired[n]), phrase_of(run, place)
    taken = (
        f"{who} took it" if who not in what else "it was taken"
    )  # who acquires of a pool has no name but that of the pool
    return f"{what} is needed to go on: {taken} in step {run.number(n)}, and nothing gives it back"


def _places(run: Run, places: list[int]) -> str:
    """The phrases of places, each once, with how often where that is more than once."""
    words = []
    for p in places:
        many = run.last[p]
        words.append(phrase_of(run, p) + (f" ({many} times)" if many > 1 else ""))
    return "; ".join(dict.fromkeys(words[:6])) + (f"; and {len(words) - 6} more" if len(words) > 6 else "")


# -- what never stops ------------------------------------------------------------------------------------------------


def _rounds(run: Run) -> str:
    first, last = run.number(run.loop or 0), run.number(len(run.steps) - 1)
    return f"step {first}" if first == last else f"steps {first} to {last}"


def _grows(run: Run, place: int) -> Iterator[str]:
    more = max(1, run.last[place] - run.middle[place])
    times = "one more time" if more == 1 else f"{counted(more, 'more time')}"
    yield f"{_rounds(run)} can be repeated for ever, and each round leaves this open {times}: {phrase_of(run, place)}"


def _cycles(run: Run, escape: Predicate | None) -> Iterator[str]:
    yield f"{_rounds(run)} can be repeated for ever"
    if escape is not None:
        yield "nothing leads out of the repetition to an end"
