"""What to do about a workflow or a plain net: rules about ends, loops, handlers and ways side by side.

Statements inside one another are told by their spans: ids say nothing of constructs without a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Cycles, Grows, NeverHolds, Reaches, Strands
from placet.logic.state import support
from placet.net.roles import Kind
from placet.report.impossible import blocked_ways, dead_steps, dead_undos
from placet.report.messages import CONSUMED
from placet.report.reasons import is_stuck, since
from placet.report.run import effect_of, events_never, marked_ends, phrase_of, still_open, transition_name
from placet.report.words import listed, quoted, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.compiled import Origin
    from placet.report.run import Run

_ENDINGS = frozenset(("sound", "weak_sound", "option_to_complete", "proper_completion", "safe"))
_WAITS = (Kind.EVENT, Kind.TIMER)


def for_workflows(run: Run) -> Iterator[str]:
    """Sentences about a workflow, and about what of a saga is none of its steps."""
    match run.violated.claim:
        case Grows():
            yield "bound the repetition (`at_most`), or take away in each round what it adds"
        case Cycles() | Strands() if not is_stuck(run) and run.query.check not in CONSUMED:
            yield "give the repetition a way out: an `until`, an `at_most`, or an `end` that can be reached from inside"
        case NeverHolds() if run.query.check in ("no_dead_step", "sound", "quasi_live"):
            yield from _dead(run)
        case Strands() | Reaches() if _ends_too_early(run):
            yield from _ended(run)
        case Strands() | Reaches() if run.query.check != "never" and is_stuck(run) and _waits_outside(run):
            yield _OUTSIDE
        case Reaches() if run.query.check == "never":
            yield from _together(run)


def for_nets(run: Run) -> Iterator[str]:
    """Sentences about a plain net."""
    claim = run.violated.claim
    if isinstance(claim, Grows):
        net, name = run.compiled.net, phrase_of(run, claim.place)
        loop = run.fired[run.loop or 0 :]
        adds = dict.fromkeys(t for t in loop if _gives(run, t, claim.place) > 0)
        takes = [t for t in range(len(net.transitions)) if _gives(run, t, claim.place) < 0]
        who = listed([transition_name(run.compiled, t) for t in adds])
        if takes and adds:
            back = listed([transition_name(run.compiled, t) for t in takes], "or")
            yield f"let {who} take one of a limited number of free slots, which {back} gives back"
        elif adds:
            yield f"nothing ever takes from {name}: let something take away what {who} adds"
    elif is_stuck(run) and not marked_ends(run.compiled, run.last):
        yield from _either_of_two(run)


def for_machines(run: Run) -> Iterator[str]:
    """Sentences about a state machine."""
    compiled, last = run.compiled, run.last
    if not is_stuck(run) or isinstance(run.violated.claim, Grows | NeverHolds):
        return
    for p in still_open(compiled, last):
        if not any(p in dict(compiled.net.pre[t]) for t in range(len(compiled.net.transitions))):
            state = quoted(short(compiled.net.places[p]))
            yield f"nothing leads out of {state}: give it a way on (`{short(compiled.net.places[p])} --EVENT--> STATE`), or name it as an end (`final`)"


def _either_of_two(run: Run) -> Iterator[str]:
    """Something waits for two things of which the run has chosen one: what would bring the other was given up for it."""
    net, last = run.compiled.net, run.last
    for t, needs in enumerate(net.pre):
        have = [p for p, w in needs if last[p] >= w]
        lack = [p for p, w in needs if last[p] < w]
        if not have or len(lack) != 1 or any(run.compiled.initial[p] for p, _ in needs):
            continue
        brings = _upstream(run, lack[0])
        for n in run.fired:
            rivals = [o for o in brings - {n} if not {p for p, _ in net.pre[o]}.isdisjoint(dict(net.pre[n]))]
            if n in _upstream(run, have[0]) - brings and rivals:
                names = [transition_name(run.compiled, o) for o in (n, min(rivals))]
                yield (
                    f"only one of {listed(names)} happens, and {transition_name(run.compiled, t)} waits for what comes of both: "
                    f"write one for each of the two, or let both happen"
                )
                return


def _upstream(run: Run, place: int) -> frozenset[int]:
    """The transitions that something on the place may have come through. O(arcs)."""
    net = run.compiled.net
    makers: dict[int, list[int]] = {}
    for t, post in enumerate(net.post):
        for p, _ in post:
            makers.setdefault(p, []).append(t)
    found: dict[int, None] = {}
    seen = {place}
    for p in (queue := [place]):
        for t in makers.get(p, ()):
            if t not in found:
                found[t] = None
                for q, _ in net.pre[t]:
                    if q not in seen:
                        seen.add(q)
                        queue.append(q)
    return frozenset(found)


_OUTSIDE = "leave out `--closed`, or verify it together with what sends these events"


def _gives(run: Run, transition: int, place: int) -> int:
    net = run.compiled.net
    return dict(net.post[transition]).get(place, 0) - dict(net.pre[transition]).get(place, 0)


def _dead(run: Run) -> Iterator[str]:
    undos = dead_undos(run)
    if undos:
        steps = listed([quoted(short(s.id)) for s in undos])
        timed = {c.step for c in run.compiled.roles.channels if c.due >= 0}
        if any(s.retriable for s in undos):
            otherwise = ", or do not try it until it works (`retriable`) if it can be called off"
        else:
            otherwise = (
                ", or give it a `timeout` if its outcome may stay unknown"
                if timed.isdisjoint(s.id for s in undos)
                else ""
            )
        yield (
            f"nothing turns back any more once {steps} {'is' if len(undos) == 1 else 'are'} done: leave out "
            f"{listed([quoted(s.undo) for s in undos])}{otherwise}"
        )
        return
    if events_never(run.compiled):
        yield _OUTSIDE
        return
    ways = blocked_ways(run)
    if ways:
        way, end = ways[0]
        yield f"what stands behind waits until {way} is done, but that way ends {end}: take that `end` out of it"
        return
    names = dead_steps(run)
    if names:
        yield f"remove {listed(names)}, or open a way that leads there"


def _waits_outside(run: Run) -> bool:
    held = frozenset(still_open(run.compiled, run.last))
    return any(not held.isdisjoint(dict(run.compiled.net.pre[t])) for t in events_never(run.compiled))


def _ends_too_early(run: Run) -> bool:
    """An end was reached, more is going on, and the run did go several ways at once."""
    ended = marked_ends(run.compiled, run.last)
    more = still_open(run.compiled, run.last) or sum(run.last[p] for p in ended) > 1
    if not ended or not more or run.compiled.roles.steps or run.query.check not in _ENDINGS:
        return False
    return any(len(run.compiled.net.post[t]) > 1 for t in run.fired)


def _ended(run: Run) -> Iterator[str]:
    fork = next((t for t in reversed(run.fired) if len(run.compiled.net.post[t]) > 1), None)
    if fork is not None and _race(run, fork):
        yield "let only the first of them happen: `first of { receive ... -> { ... } timer ... -> { ... } }`"
    else:
        yield "let every branch finish before the end: an `end` belongs behind the `parallel`, not inside it"


def _race(run: Run, fork: int) -> bool:
    """Every way of the fork begins with waiting, and one of them for a time: they are meant to exclude one another."""
    compiled = run.compiled
    ways = {p for p, _ in compiled.net.post[fork] if compiled.net.places[p].endswith("#start")}
    first: dict[int, Kind] = {}
    for t, role in enumerate(compiled.roles.transitions):
        for p, _ in compiled.net.pre[t]:
            if p in ways and t not in compiled.quiet:
                first[p] = role.kind
    kinds = list(first.values())
    return len(kinds) == len(ways) > 1 and all(k in _WAITS for k in kinds) and Kind.TIMER in kinds


# -- what must not come together ---------------------------------------------------------------------------------------


def _together(run: Run) -> Iterator[str]:
    """Two things that must not come together, and did for a reason that shows in the text."""
    if len(run.query.atoms) != 2:
        return
    begun = since(run)
    made = [run.fired[n] if n is not None and n >= 0 else -1 for n in begun]
    if not made or None in begun:
        return
    found = _handler_goes_on(run, made) or _side_by_side(run, made)
    if found:
        yield found


def _handler_goes_on(run: Run, made: list[int]) -> str:
    """One of the two is done behind a handler which was run in this very run, and the other in it or because of it."""
    if not run.fired or run.fired[-1] not in made:
        return ""
    last = run.fired[-1]
    other = made[1 - made.index(last)] if made[0] != made[1] else -1
    behind = run.compiled.origin.transitions[last]
    for t in reversed(run.fired[:-1]):
        name = _handled(run, t)
        origin = run.compiled.origin.transitions[t]
        if not name or not _after(behind, origin) or behind.actor != origin.actor:
            continue
        if not (inside(run, other, origin) if other >= 0 else _undone_by(run, t)):
            continue
        subject = quoted(short(behind.actor) or run.compiled.subject)
        return (
            f"after {name}, {subject} goes on to {transition_name(run.compiled, last)}: "
            f"end it in the handler (`end NAME`) if it shall not"
        )
    return ""


def _handled(run: Run, transition: int) -> str:
    """What was handled, where the transition enters a handler: an error, or an end of a call but the normal one."""
    place = next((run.compiled.net.places[p] for p, _ in run.compiled.net.post[transition]), "")
    if run.compiled.roles.transitions[transition].kind is not Kind.ROUTE:
        return ""
    before, _, part = place.rpartition("#")
    if part == "start" and "[on " in before.rpartition("/")[2]:
        return quoted(before.rpartition("[on ")[2].rstrip("]")) + " is handled"
    end = part.removeprefix("on.")
    if end != part and end in ("compensated", "failed"):
        return f"{quoted(short(before))} has ended {quoted(end)}"
    return ""


def _undone_by(run: Run, transition: int) -> bool:
    """The formula asks that a step has no effect, and the saga of that step has ended without it."""
    asked = {i for predicate, _ in run.query.atoms for i in support(predicate)[0]}
    called = short(run.compiled.origin.transitions[transition].id)
    return any(
        run.width + step.effect in asked and effect_of(run, step) == 0 and short(step.saga) == called
        for step in run.compiled.roles.steps
    )


def _side_by_side(run: Run, made: list[int]) -> str:
    """The two happen in different ways of one parallel, or one does while a way beside it fails."""
    compiled = run.compiled
    if min(made) < 0 or made[0] == made[1]:
        return ""
    fork = next((t for t in reversed(run.fired) if compiled.net.transitions[t].endswith("#fork")), None)
    if fork is None:
        return ""
    ways = [compiled.origin.places[p] for p, _ in compiled.net.post[fork] if compiled.net.places[p].endswith("#start")]
    homes = [next((w for w in ways if inside(run, t, w)), None) for t in made]
    names = [transition_name(compiled, t) for t in made]
    if homes[0] and homes[1] and homes[0] != homes[1]:
        if _race(run, fork):
            return f"let only one of {listed(names)} happen: `first of {{ receive ... -> {{ ... }} timer ... -> {{ ... }} }}`"
        return f"{listed(names)} stand in ways that are all taken: write a `choice` if only one of them shall happen"
    for name, home, other in zip(names, homes, reversed(made), strict=True):
        failed = [f for f in run.fired if _fails(run, f) and (way := _way(run, f, ways)) is not None and way != home]
        if home and failed and run.fired.index(other) > run.fired.index(failed[0]):
            what = transition_name(compiled, failed[0])
            return f"{name} does not wait for {what}, which may fail: put {name} behind the `parallel`"
    return ""


def _way(run: Run, transition: int, ways: list[Origin]) -> Origin | None:
    return next((w for w in ways if inside(run, transition, w)), None)


def _fails(run: Run, transition: int) -> bool:
    name, kind = run.compiled.net.transitions[transition], run.compiled.roles.transitions[transition].kind
    return kind is Kind.TASK and "#" in name


def inside(run: Run, transition: int, around: Origin) -> bool:
    """Whether what a transition comes from stands inside something in the text."""
    span = run.compiled.origin.transitions[transition].span
    return (
        span is not None and around.span is not None and around.span.start <= span.start and span.end <= around.span.end
    )


def _after(one: Origin, other: Origin) -> bool:
    return one.span is not None and other.span is not None and other.span.end <= one.span.start
