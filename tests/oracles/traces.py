"""Comparing two systems by their visible traces, up to a length: subset construction on the fly."""

from __future__ import annotations

from placet.net.firing import fire


def closure(states, successors):
    found = set(states)
    pending = list(states)
    while pending:
        for label, after in successors(pending.pop()):
            if label is None and after not in found:
                found.add(after)
                pending.append(after)
    return frozenset(found)


def difference(one, other, length):
    """A shortest trace (up to a length) of only one of two (initial, successors) systems, or None."""
    start = (closure([one[0]], one[1]), closure([other[0]], other[1]))
    seen = {start}
    level = [(start, ())]
    for _ in range(length):
        following = []
        for (a, b), trace in level:
            moves_a, moves_b = _moves(a, one[1]), _moves(b, other[1])
            for label in sorted(moves_a.keys() | moves_b.keys()):
                if label not in moves_a or label not in moves_b:
                    return (*trace, label), "the first" if label in moves_a else "the second"
                pair = (closure(moves_a[label], one[1]), closure(moves_b[label], other[1]))
                if pair not in seen:
                    seen.add(pair)
                    following.append((pair, (*trace, label)))
        level = following
    return None


def _moves(states, successors):
    found = {}
    for state in states:
        for label, after in successors(state):
            if label is not None:
                found.setdefault(label, set()).add(after)
    return found


def moving(net):
    """By marking, (transition, marking after): tried are only transitions of which some place that they need is marked."""
    always = [t for t, pre in enumerate(net.pre) if not pre]
    taking = [[] for _ in net.places]
    for t, pre in enumerate(net.pre):
        if pre:
            taking[min(pre, key=lambda arc: len(taking[arc[0]]))[0]].append(t)

    def moves(marking):
        tried = [*always, *(t for p, tokens in enumerate(marking) if tokens for t in taking[p])]
        return [(t, after) for t in tried if (after := fire(net, marking, t)) is not None]

    return moves
