"""A set of states closed upwards, given by its least ones, held against its definition: nothing ever gets into it.

Three things are checked, with no code of the search that found it: the start is not in it; whoever is in it after a step was in it
before; every state with the predicate is in it. More tokens must never disable anything, and observers only count up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.errors import EvidenceError
from placet.logic.state import And, Fireable, Linear, Not, Or

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.compiled import Compiled
    from placet.logic.state import Predicate

_MOST = 20_000  # least states of the predicate


def check_upwards(compiled: Compiled, predicate: Predicate, least: Sequence[Sequence[tuple[int, int]]]) -> None:
    """Raises EvidenceError where the set does not show that no state with the predicate is reachable. O(least^2 * transitions)."""
    net = compiled.net
    if net.capacity or any(net.inhibit):
        raise EvidenceError("more tokens may disable something here, so that a set closed upwards shows nothing")
    width = len(net.places)
    counters = {i: o for i, o in enumerate(compiled.observers, width) if all(by > 0 for _, by in o.deltas)}
    if any(i >= width and i not in counters for state in least for i, _ in state):
        raise EvidenceError("the set speaks of what may become less")

    def inside(state: dict[int, int]) -> bool:
        return any(all(state.get(i, 0) >= n for i, n in one) for one in least)

    if inside(dict(enumerate(compiled.start))):
        raise EvidenceError("the start is in the set")
    for one in least:
        for t in range(len(net.transitions)):
            given = dict(net.post[t]) | {i: by for i, o in counters.items() for u, by in o.deltas if u == t}
            taken = dict(net.pre[t])
            before = {p: max(w, taken.get(p, 0)) for p, w in (*net.pre[t], *net.read[t])}
            for p, w in net.read[t]:
                before[p] = max(before[p], w)
            possible = True
            for i, n in one:
                if i in net.reset[t]:
                    possible = possible and given.get(i, 0) >= n
                else:
                    before[i] = max(before.get(i, 0), n - given.get(i, 0) + taken.get(i, 0))
            if possible and not inside(before):
                raise EvidenceError("a step leads into the set")
    high = {i: o.high for i, o in counters.items()}
    for count, state in enumerate(_with(compiled, predicate, high)):
        if count > _MOST:
            raise EvidenceError("too many states could have the predicate")
        if not inside(state):
            raise EvidenceError("a state with the predicate may lie outside of the set")


def _with(
    compiled: Compiled, predicate: Predicate, high: dict[int, int], *, negated: bool = False
) -> Iterator[dict[int, int]]:
    """States that every state with the predicate is above one of. Raises EvidenceError where it is not closed upwards."""
    net = compiled.net
    match predicate:
        case Not(of):
            yield from _with(compiled, of, high, negated=not negated)
        case Fireable(t) if not negated:
            yield {
                p: max(dict(net.pre[t]).get(p, 0), dict(net.read[t]).get(p, 0)) for p, _ in (*net.pre[t], *net.read[t])
            }
        case And(parts) | Or(parts):
            if isinstance(predicate, And) is negated:
                for part in parts:
                    yield from _with(compiled, part, high, negated=negated)
            elif not parts:
                yield {}
            else:
                rest = type(predicate)(parts[1:])
                for one in _with(compiled, parts[0], high, negated=negated):
                    for other in _with(compiled, rest, high, negated=negated):
                        yield {i: max(one.get(i, 0), other.get(i, 0)) for i in one.keys() | other.keys()}
        case Linear(terms, op, bound):
            yield from _of_sum(terms, _turned(op) if negated else op, bound, high)
        case _:
            raise EvidenceError("the predicate is not closed upwards")


def _turned(op: str) -> str:
    return {"<": ">=", "<=": ">"}.get(op, "")


def _of_sum(terms: Sequence[tuple[int, int]], op: str, bound: int, high: dict[int, int]) -> Iterator[dict[int, int]]:
    if op not in (">=", ">") or any(c < 0 for _, c in terms):
        raise EvidenceError("the predicate is not closed upwards")
    weights: dict[int, int] = {}
    for i, c in terms:
        weights[i] = weights.get(i, 0) + c
    pending: list[tuple[list[int], int, dict[int, int]]] = [
        ([i for i, c in weights.items() if c], bound + (op == ">"), {})
    ]
    while pending:
        left, missing, chosen = pending.pop()
        if missing <= 0:
            yield chosen
        elif left:
            most = -(-missing // weights[left[0]])
            most = min(most, high.get(left[0], most))
            if len(left) > 1 and most > _MOST:
                raise EvidenceError("too many states could have the predicate")
            for n in range(most + 1) if len(left) > 1 else (most,):
                pending.append((left[1:], missing - n * weights[left[0]], {**chosen, left[0]: n} if n else chosen))
