"""The limits of one service in a net: the states of its circuit breaker, the slots of its bulkhead, the calls that its rate leaves.

docs/semantics.md shows them. `call_limits` says what calls make of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.durations import said
from placet.net.balance import Balance
from placet.net.final import PlaceClass
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from placet.compile.draft import Draft
    from placet.ir.model import Limits


class Guard:
    """The limits of one service in one net. Places are -1, and tuples empty, for limits that it does not have."""

    def __init__(self, draft: Draft, service: str, limits: Limits, actor: str) -> None:
        self.limits = limits
        self.service = service
        self._draft, self._actor = draft, actor
        self.closed = self.open = self.half = self.probing = self.away = -1
        self.failures: tuple[int, ...] = ()
        self.slots = self.used = self.left = self.spent = -1
        self._waiting: list[int] = []
        self._probes: list[int] = []
        breaker = f"the circuit breaker of `{service}`"
        if limits.breaker:
            self.closed = self._place("breaker.closed", f"{breaker} is closed", 1)
            self.open = self._place("breaker.open", f"{breaker} is open")
            self.half = self._place("breaker.half", f"{breaker} lets one call through")
            self.probing = self._place("breaker.probing", f"{breaker} waits for the call that it let through")
            self.away = self._place("breaker.away", f"{breaker} is not closed")
            some = range(limits.breaker)
            names = [f"{n} call{'s' if n > 1 else ''} to `{service}` in a row failed" if n else f"the last call to `{service}` has not failed" for n in some]  # fmt: skip
            self.failures = tuple(self._place(f"breaker.failures[{n}]", names[n], int(n == 0)) for n in some)
            passed = f"{said(limits.pause)} have passed" if limits.pause is not None else "some time has passed"
            self._passes(
                "breaker.lets", self.open, self.half, f"{passed}: {breaker} will let one call through", limits.pause
            )
        if limits.bulkhead:
            free, taken = f"room for one more call to `{service}`", f"one call to `{service}` is under way"
            self.slots = self._place("bulkhead.free", free, limits.bulkhead, PlaceClass.RESOURCE)
            if limits.full == "reject":
                self.used = self._place("bulkhead.used", taken, 0, PlaceClass.RESOURCE)
        if limits.rate:
            window = said(limits.window)
            self.left = self._place("rate.left", f"one more call to `{service}` within {window}", limits.rate)
            self.spent = self._place("rate.spent", f"`{service}` was asked within the last {window}")
            again = f"{window} have passed since a call to `{service}`"
            self._passes("rate.passed", self.spent, self.left, again, limits.window, "window")

    def _place(self, role: str, phrase: str, tokens: int = 0, kind: PlaceClass = PlaceClass.RECORD) -> int:
        draft, service = self._draft, self.service
        name = f"{service}#{role}"
        place = draft.place(name, service, phrase, self.limits.span, self._actor, kind, tokens, service)
        draft.common.append(place)
        return place

    def _passes(self, role: str, before: int, after: int, phrase: str, seconds: float | None, how: str = "") -> None:
        draft, service = self._draft, self.service
        part = Role(Kind.PASSES, service=service, how=how, says=said(seconds) if seconds is not None else "")
        name = f"{service}#{role}"
        made = draft.transition(
            name, (before,), (after,), service, phrase, self.limits.span, self._actor, part, service
        )
        draft.quiet.add(made)

    def waited(self, waiting: int, probing: int) -> None:
        """One more attempt that may be under way, and the places where it is waited for."""
        self._waiting.append(waiting)
        if probing >= 0:
            self._probes.append(probing)

    def balances(self) -> list[Balance]:
        """What the limits count, as sums that stay the same."""
        waiting = [*self._waiting, *self._probes]
        found = []
        if self.slots >= 0:
            found.append(Balance(((self.slots, 1), *((p, 1) for p in waiting)), self.slots))
        if self.used >= 0:
            found.append(Balance(((self.used, 1), *((p, -1) for p in waiting)), self.used))
        if self.closed >= 0:
            found.append(Balance(((self.probing, 1), *((p, -1) for p in self._probes)), self.probing))
            states = (self.closed, self.open, self.half, self.probing)
            found.append(Balance(tuple((p, 1) for p in states), self.open))
            found.append(Balance(((self.closed, 1), (self.away, 1)), self.away))
        return found


def guard_of(draft: Draft, service: str, limits: Limits | None, actor: str) -> Guard | None:
    """The limits of a service; made with the first of its calls."""
    if limits is None:
        return None
    found = draft.guards.get(service)
    if not isinstance(found, Guard):
        found = draft.guards[service] = Guard(draft, service, limits, actor)
    return found
