"""Why a violation is one: what failed, what everybody waits for, what never arrives, what goes round, what piles up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Cycles, Grows, NeverHolds, Reaches, Strands
from placet.logic.state import evaluate, support
from placet.net.roles import Kind
from placet.report.run import (
    RETURNS,
    can_fire,
    effect_of,
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
    match run.violated.claim:
        case NeverHolds():
            yield from _never(run)
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
    if check in ("safe", "bounded", "never", "possible"):
        return
    for step in run.compiled.roles.steps:
        if effect_of(run, step) and check.startswith("anomaly"):
            yield _effect_history(run, step)
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
    kept = not_given_back(run.compiled, run.last)
    if kept:
        yield f"when it ends, this is not as it was in the beginning: {'; '.join(phrase_of(run, p) for p in kept[:6])}"
    if not is_stuck(run):
        yield f"after its end this can still happen: {_goes_on(run)}"


def _effect_history(run: Run, step: Step) -> str:
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
    since = _since(run.compiled, run.fired, [predicate for predicate, _ in atoms])
    for (_, text), begun in zip(atoms, since, strict=True):
        name = quoted(text)
        if begun is None:
            yield f"{name} does not hold at the end"
        elif begun < 0:
            yield f"{name} holds from the start"
        elif begun == len(run.fired) - 1:
            yield f"{name} comes true in the last step, {run.number(begun)}"
        else:
            yield f"{name} has been true since step {run.number(begun)}"


def _since(compiled: Compiled, fired: tuple[int, ...], atoms: list[Predicate]) -> list[int | None]:
    """For each predicate the step after which it has held until the end; -1 from the start; None where it does not."""
    since: list[int | None] = [-1 if _holds(compiled, a, compiled.start) else None for a in atoms]
    for n, (_, state, _) in enumerate(walk(compiled, fired)):
        for i, atom in enumerate(atoms):
            if not _holds(compiled, atom, state):
                since[i] = None
            elif since[i] is None:
                since[i] = n
    return since


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
        yield (
            f"when it ends, this is still open: {_places(run, open_places)}"
            if open_places
            else _ended_twice(run, ended)
        )
    else:
        yield from _waiting(run, open_places)


def _ended_twice(run: Run, ended: list[int]) -> str:
    times = "; ".join(f"{phrase_of(run, p)} ({run.last[p]} times)" for p in ended)
    return f"it ends more than once: {times}"


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
    missing: dict[int, None] = {}
    held = frozenset(open_places)
    for t in range(len(run.compiled.net.transitions)):
        needs = dict(run.compiled.net.pre[t]) | dict(run.compiled.net.read[t])
        if run.compiled.roles.transitions[t].kind is Kind.FAULT or held.isdisjoint(needs):
            continue
        missing |= dict.fromkeys(p for p, w in needs.items() if run.last[p] < w)
    lacking = [p for p in missing if p not in held]
    if lacking:
        yield f"to go on it would need one of these, and none comes: {_places(run, lacking)}"


def _places(run: Run, places: list[int]) -> str:
    """The phrases of places, each once, with how often where that is more than once."""
    words = []
    for p in places:
        many = run.last[p]
        words.append(phrase_of(run, p) + (f" ({many} times)" if many > 1 else ""))
    return "; ".join(dict.fromkeys(words[:6])) + (f"; and {len(words) - 6} more" if len(words) > 6 else "")


# -- what can never happen -------------------------------------------------------------------------------------------


def dead_transitions(run: Run) -> list[int]:
    """The transitions that a claim of impossibility is about."""
    if run.violated.culprits:
        return [t for t in run.violated.culprits if t < len(run.compiled.net.transitions)]
    claim = run.violated.claim
    return sorted(support(claim.predicate)[1]) if isinstance(claim, NeverHolds) else []


def dead_steps(run: Run) -> list[str]:
    """What the user wrote that can never happen, in backticks, each once."""
    names: dict[str, None] = {}
    dead = dead_transitions(run)
    written = {t: name for name, transitions in run.compiled.steps for t in transitions}
    for t in dead:
        step = "" if run.compiled.kind == "net" else written.get(t, "")
        names[quoted(short(step)) if step else transition_name(run.compiled, t)] = None
    return list(names)


def _never(run: Run) -> Iterator[str]:
    dead = dead_transitions(run)
    if not dead:
        for _, text in run.query.atoms:
            yield f"this never holds together with the rest: {quoted(text)}"
        return
    reachable = _could_be_marked(run.compiled)
    groups: dict[tuple[int, ...], dict[str, None]] = {}
    for t in dead:
        needs = [p for p, _ in (*run.compiled.net.pre[t], *run.compiled.net.read[t])]
        missing = [p for p in needs if p not in reachable]
        cause = (_root(run.compiled, missing[0], reachable),) if missing else (-1, *needs)
        groups.setdefault(cause, {})[transition_name(run.compiled, t)] = None
    for cause, names in list(groups.items())[:4]:
        yield _never_arrives(run, cause, list(names))


def _never_arrives(run: Run, cause: tuple[int, ...], names: list[str]) -> str:
    """The first thing that never comes about (-1: each alone does, but not all at once), and what waits for it."""
    who = listed(names)
    need = "needs" if len(names) == 1 else "need"
    phrases = [phrase_of(run, p) for p in cause if p >= 0]
    if cause[0] < 0:
        together = " all of these at the same time" if len(phrases) > 1 else " this"
        return f"{who} {need}{together}, which never comes about: {'; '.join(phrases[:6])}"
    behind = phrases[0].removeprefix("before ")
    if behind == phrases[0]:
        return f"{who} {need} this first, which never comes about: {behind}"
    others = [name for name in names if name != behind]
    return f"nothing ever leads to {behind}" + (f", and so not to {listed(others)} either" if others else "")


def _could_be_marked(compiled: Compiled) -> set[int]:
    """The places that may get something, each looked at alone: more than really do, never fewer. O(arcs * rounds)."""
    net = compiled.net
    marked = {p for p, tokens in enumerate(compiled.initial) if tokens}
    lacking = [len({p for p, _ in (*net.pre[t], *net.read[t])} - marked) for t in range(len(net.transitions))]
    waiting: dict[int, list[int]] = {}
    for t in range(len(net.transitions)):
        for p in {p for p, _ in (*net.pre[t], *net.read[t])} - marked:
            waiting.setdefault(p, []).append(t)
    ready = [t for t, count in enumerate(lacking) if not count]
    while ready:
        for p, _ in net.post[ready.pop()]:
            if p in marked:
                continue
            marked.add(p)
            for t in waiting.get(p, ()):
                lacking[t] -= 1
                if not lacking[t]:
                    ready.append(t)
    return marked


def _root(compiled: Compiled, place: int, reachable: set[int]) -> int:
    """Backwards over what never arrives to the first thing that does not, or to where it goes round."""
    producers = compiled.net.producers()
    seen = {place}
    while True:
        before = [
            p
            for t in producers[place]
            for p, _ in (*compiled.net.pre[t], *compiled.net.read[t])
            if p not in reachable and p not in seen
        ]
        if not before:
            return place
        place = before[0]
        seen.add(place)


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
