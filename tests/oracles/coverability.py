"""The tree of Karp and Miller (1969) as it was written down, without pruning, and its greatest markings."""

from __future__ import annotations

OMEGA = float("inf")


def greatest(net, initial):
    """The markings of the tree that no other covers: every reachable marking is below one, and each is a limit of such."""
    found = set()

    def grow(marking, line):
        for before in line:
            if before != marking and all(a <= b for a, b in zip(before, marking, strict=True)):
                marking = tuple(OMEGA if b > a else b for a, b in zip(before, marking, strict=True))
        if marking in found:
            return
        found.add(marking)
        for t in range(len(net.transitions)):
            if all(marking[p] >= w for side in (net.pre, net.read) for p, w in side[t]):
                after = list(marking)
                for p, w in net.pre[t]:
                    after[p] -= w
                for p, w in net.post[t]:
                    after[p] += w
                grow(tuple(after), (*line, marking))

    grow(tuple(initial), ())
    return {m for m in found if not any(o != m and all(a <= b for a, b in zip(m, o, strict=True)) for o in found)}
