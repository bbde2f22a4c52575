"""What a search that ended early may have missed: which scenarios may have further runs behind the states not expanded.

Behind such a state more faults may come only if their transitions can still fire there, and for that every place they
take from must be marked or get a token: tokens are never taken in this estimate, so that it forgets no run (the
delete relaxation of Bonet and Geffner 2001). It is made once for all states with the same causes so far.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.coverage.causes import Causes
    from placet.coverage.facts import Facts
    from placet.coverage.scenarios import Scenarios
    from placet.net.core import Net

MOST = 20_000  # states with the same causes that are looked at; behind more everything is taken as possible


class Unseen:
    """The faults that may follow where the search stopped, by the causes so far."""

    def __init__(self, facts: Facts, scenarios: Scenarios, causes: Causes, until: float | None = None) -> None:
        flow = Flow(facts.net)
        states: dict[tuple[int, ...], set[int]] = {}
        self._calm: set[tuple[int, ...]] = set()  # causes after which a run that still goes on may yet give up
        for context, state in scenarios.open():
            states.setdefault(context.causes, set()).add(state)
            if context.calm:
                self._calm.add(context.causes)
        everything = frozenset(causes.of.values())
        self._following: dict[tuple[int, ...], frozenset[int]] = {}
        for faults, behind in states.items():
            following = everything
            if len(behind) <= MOST and (until is None or monotonic() < until):
                marked = {p for i in behind for p, tokens in enumerate(facts.marking(i)) if tokens}
                fired = flow.possible(marked)
                following = frozenset(cause for t, cause in causes.of.items() if t in fired)
            self._following[faults] = following

    def may_add(self, faults: tuple[int, ...]) -> bool:
        """Whether a run with these causes may have been missed."""
        for k in range(len(faults) + 1):
            following = self._following.get(faults[:k])
            if following is None:
                continue
            if k == len(faults):
                return faults in self._calm
            if following.issuperset(faults[k:]):
                return True
        return False


class Flow:
    """What the transitions of a net take from and give to."""

    def __init__(self, net: Net) -> None:
        self._post = net.post
        taken = [{p for p, _ in (*net.pre[t], *net.read[t])} for t in range(len(net.transitions))]
        self._needs = [len(places) for places in taken]
        self._waiting: dict[int, list[int]] = {}
        for t, places in enumerate(taken):
            for p in places:
                self._waiting.setdefault(p, []).append(t)

    def possible(self, marked: set[int]) -> set[int]:
        """The transitions that may ever fire from markings that mark only these places; some of them never do. O(arcs)."""
        needs = list(self._needs)
        fired: set[int] = set()
        ready = [t for t, missing in enumerate(needs) if not missing]
        reached, queue = set(marked), list(marked)
        while queue or ready:
            for t in ready:
                fired.add(t)
                for p, _ in self._post[t]:
                    if p not in reached:
                        reached.add(p)
                        queue.append(p)
            ready = []
            if queue:
                for t in self._waiting.get(queue.pop(), ()):
                    needs[t] -= 1
                    if not needs[t]:
                        ready.append(t)
        return fired
