"""What to do about more than a service bears, keys that do not do their work, and what is taken and not given back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.compile.call_kinds import BULKHEAD_FULL, RATE_LIMITED
from placet.logic.state import support
from placet.net.final import PlaceClass
from placet.net.roles import Kind
from placet.report.reasons import is_stuck
from placet.report.run import marked_ends, not_given_back, phrase_of, still_open, transition_name
from placet.report.words import counted, listed, quoted, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.report.run import Run

_LIMITS = {  # by what is counted of a service: which word of the service keeps it small
    "calls": "let no more than {calls} to {service} be under way: `bulkhead {most} wait`",
    "failing": "leave {service} alone once {calls} in a row failed: `circuit_breaker after {most} probe 30s`",
    "sent": "let {service} be asked no more than {times} in a while: `rate_limit {most} per 1s wait`",
}
_COUNTED = re.compile(r"([^\W\d][\w-]*(?:\[\d+\])*)\.(calls|failing|sent)\s*(>=|>)\s*(\d+)$")
_NAMED = 4  # things of a ring: who has read four knows the rest
_BLOCKED = {RATE_LIMITED: "`rate_limit N per TIME wait`", BULKHEAD_FULL: "`bulkhead N wait`"}


def for_limits(run: Run) -> Iterator[str]:
    """Sentences about limits of services, keys of requests, and pools."""
    yield from _too_many(run)
    yield from _forgotten_keys(run)
    yield from _refused_at_once(run)
    if is_stuck(run):
        yield from _in_a_ring(run)
    yield from _kept(run)


def _too_many(run: Run) -> Iterator[str]:
    """A formula counts the calls of a service, and more come than it names."""
    for _, words in run.query.atoms if run.query.check == "never" else ():
        found = _COUNTED.match(words)
        if not found:
            continue
        service, what, op, bound = found.groups()
        most = int(bound) - (op == ">=")
        if most > 0:
            yield _LIMITS[what].format(
                calls=counted(most, "call"), times=counted(most, "time"), service=quoted(service), most=most
            )


def _forgotten_keys(run: Run) -> Iterator[str]:
    """A request was carried out once more, since its key was a new one or its service had forgotten it."""
    predicate = run.query.predicate
    asked = support(predicate)[0] if predicate is not None else ()
    effects = {s.id: run.width + s.effect for s in run.compiled.roles.steps}
    for t in dict.fromkeys(run.fired):
        role, name = run.compiled.roles.transitions[t], run.compiled.net.transitions[t].rpartition("#")[2]
        if role.kind is not Kind.APPLY or not name.startswith(("forgotten.", "repeat.new")):
            continue
        if not run.query.check.startswith("anomaly") and effects.get(role.step) not in asked:
            continue
        if name.startswith("forgotten."):
            yield (
                f"let {quoted(role.service)} keep the key of {quoted(short(role.step))} for longer than its requests can be under way: "
                "a longer `ttl`, or none"
            )
        else:
            yield f"give all attempts of {quoted(short(role.step))} one key: `per run` instead of `per attempt`"


def _refused_at_once(run: Run) -> Iterator[str]:
    """A call was refused before it was made, and that is why the saga gives up."""
    if run.query.check != "never":
        return
    roles = run.compiled.roles.transitions
    turned = next((t for t in run.fired if roles[t].commits), -1)
    if turned >= 0 and roles[turned].how == "blocked" and roles[turned].says in _BLOCKED:
        step = next(s for s in run.compiled.roles.steps if s.id == roles[turned].step)
        yield (
            f"let {quoted(short(step.id))} wait until {quoted(step.service)} may be asked again, instead of being refused: "
            f"{_BLOCKED[roles[turned].says]}"
        )


def _kept(run: Run) -> Iterator[str]:
    """A pool of which one was acquired, and not released on the way that was taken."""
    if not run.query.check.startswith(("proper", "sound")) or not marked_ends(run.compiled, run.last):
        return
    for p in not_given_back(run.compiled, run.last):
        pool, _, part = run.compiled.net.places[p].rpartition("#")
        if part == "taken":
            yield (
                f"write `with {short(pool)} {{ ... }}`, which gives it back however the block ends, instead of "
                "`acquire` and `release`; or release it on this way too"
            )
            return


def _in_a_ring(run: Run) -> Iterator[str]:
    """Who holds one thing waits for another, and who holds that one for the first: they took them in different orders."""
    ring = _ring(_waits_for(run))
    if len(ring) > 1:
        things = [quoted(_thing(run, p)) for p in sorted(ring)]
        who = "whoever" if run.compiled.kind == "net" else "every way that"
        order = ", then ".join(things[:_NAMED]) + (" and so on" if len(things) > _NAMED else "")
        yield f"let {who} needs several of {listed(things, most=_NAMED + 1)} take them in the same order, such as first {order}"
    elif run.compiled.kind == "net":
        yield from _given_back(run)


def _given_back(run: Run) -> Iterator[str]:
    """What was there in the beginning, is needed now, and was taken by somebody who is through: it should have come back."""
    net, last = run.compiled.net, run.last
    for blocked in range(len(net.transitions)):
        lacking = [p for p, w in net.pre[blocked] if last[p] < w]
        if len(lacking) != 1 or not run.compiled.initial[lacking[0]] or len(net.pre[blocked]) == 1:
            continue
        takers = [
            n
            for n, t in enumerate(run.fired)
            if dict(net.pre[t]).get(lacking[0], 0) > dict(net.post[t]).get(lacking[0], 0)
        ]
        if not takers:
            continue
        taker = ender = run.fired[takers[-1]]
        held = {p for p, _ in net.post[taker]}
        for t in run.fired[takers[-1] + 1 :]:
            if not held.isdisjoint(dict(net.pre[t])):
                held |= {p for p, _ in net.post[t]}
                ender = t
        name = phrase_of(run, lacking[0])
        if ender != taker:
            yield f"let {transition_name(run.compiled, ender)} give {name} back, which {transition_name(run.compiled, taker)} took"
            return


def _thing(run: Run, place: int) -> str:
    if run.compiled.kind == "net":
        return phrase_of(run, place).strip("`")
    return short(run.compiled.net.places[place].partition("#")[0])


def _waits_for(run: Run) -> dict[int, list[int]]:
    """For each thing that somebody took: what its holder waits for now. Linear in the arcs of the net and of what fired."""
    net, last = run.compiled.net, run.last
    held = frozenset(still_open(run.compiled, last))
    lacking = {p for p in range(len(net.places)) if run.compiled.initial[p] and _is_thing(run, p)}
    users: dict[int, list[int]] = {}  # of what is held
    for blocked, needs in enumerate(net.pre):
        for p, _ in needs:
            if p in held:
                users.setdefault(p, []).append(blocked)
    found: dict[int, list[int]] = {}
    for t in dict.fromkeys(reversed(run.fired)):
        taken = [p for p, w in net.pre[t] if p in lacking and w > dict(net.post[t]).get(p, 0) and not last[p]]
        given = held.intersection(p for p, _ in net.post[t])
        for blocked in {user for p in given if taken for user in users.get(p, ())}:
            wanted = [p for p, w in net.pre[blocked] if p in lacking and last[p] < w]
            for p in taken:
                found.setdefault(p, []).extend(q for q in wanted if q != p)
    return found


def _is_thing(run: Run, place: int) -> bool:
    classes = run.compiled.final.classes
    return run.compiled.kind == "net" or (bool(classes) and classes[place] is PlaceClass.RESOURCE)


def _ring(after: dict[int, list[int]]) -> list[int]:
    """Things that lead back to themselves, in their order; empty where none do."""
    import networkx as nx  # only where something is stuck

    graph = nx.DiGraph([(p, q) for p, following in after.items() for q in following])
    try:
        return [p for p, _ in nx.find_cycle(graph)] if graph else []
    except nx.NetworkXNoCycle:
        return []
