"""What holds calls back from a service: by the words of docs/language.md, without a net.

Which calls are under way is read off the term, so that whatever ends the waiting for one frees its slot and decides about its breaker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placet.syntax import ast

if TYPE_CHECKING:
    from oracles.saga_services import World

CLOSED, OPEN, HALF, PROBING = "closed", "open", "half", "probing"


class Limits(NamedTuple):
    """Those of a service; 0 where there is none."""

    breaker: int = 0
    bulkhead: int = 0
    full: str = "wait"
    rate: int = 0
    spent: str = "wait"

    @property
    def refusals(self) -> tuple[str, ...]:
        """The errors by which a call may be refused before it is made."""
        found = (("CircuitOpen", self.breaker), ("BulkheadFull", self.full == "reject" and self.bulkhead))
        return tuple(name for name, has in (*found, ("RateLimited", self.spent == "reject" and self.rate)) if has)


class Guard(NamedTuple):
    """How things stand with the limits of a service."""

    breaker: str = CLOSED
    failures: int = 0
    probe: tuple = ()  # the call by which a breaker sees how its service does
    spent: int = 0


def limits_of(file: ast.File) -> dict[str, Limits]:
    """By name of a service that has any."""
    found = {}
    for item in file.items:
        if not isinstance(item, ast.Service):
            continue
        its = Limits()
        for option in item.options:
            count = next((o.value for o in option.operands if isinstance(o, ast.Number)), 0)
            how = "reject" if any(isinstance(o, ast.Name) and o.text == "reject" for o in option.operands) else "wait"
            match option.key.text:
                case "circuit_breaker":
                    its = its._replace(breaker=count)
                case "bulkhead":
                    its = its._replace(bulkhead=count, full=how)
                case "rate_limit":
                    its = its._replace(rate=count, spent=how)
        if its != Limits():
            found[item.name.text] = its
    return found


def under_way(term) -> frozenset:
    """The calls that are waited for in a term: (step, way, attempt)."""
    found, todo = set(), [term]
    while todo:
        part = todo.pop()
        if not isinstance(part, tuple) or hasattr(part, "_fields"):
            continue
        match part:
            case ("call", str(key), int(attempt), *_):
                found.add((key, "forward", attempt))
            case ("uncall", str(key), int(attempt)):
                found.add((key, "undo", attempt))
            case _:
                todo += part
    return frozenset(found)


class Held:
    """The limits of all services of a file. `service_of(step)`: the service that is asked for it."""

    def __init__(self, file: ast.File, service_of) -> None:
        self.limits = limits_of(file)
        self.service_of = service_of
        self.now: frozenset = frozenset()  # the calls under way in the state that is looked at

    def of(self, world: World, service: str) -> Guard:
        return dict(world.guards).get(service, Guard())

    def put(self, world: World, service: str, guard: Guard) -> World:
        return world._replace(guards=tuple(sorted({**dict(world.guards), service: guard}.items())))

    def sends(self, call: tuple, world: World) -> list[World]:
        """A call that is made, in a world that counts it; nothing where it is held back."""
        service = self.service_of(call[0])
        limits = self.limits.get(service)
        if limits is None:
            return [world]
        guard = self.of(world, service)
        used = sum(self.service_of(one[0]) == service for one in self.now)
        if guard.breaker in (OPEN, PROBING) or 0 < limits.bulkhead <= used or 0 < limits.rate <= guard.spent:
            return []
        guard = guard._replace(spent=guard.spent + 1) if limits.rate else guard
        guard = guard._replace(breaker=PROBING, probe=call) if guard.breaker == HALF else guard
        return [self.put(world, service, guard)]

    def refuses(self, call: tuple, world: World) -> list[str]:
        """The errors by which a call is refused before it is made."""
        service = self.service_of(call[0])
        limits = self.limits.get(service)
        if limits is None:
            return []
        guard = self.of(world, service)
        used = sum(self.service_of(one[0]) == service for one in self.now)
        holds = {
            "CircuitOpen": guard.breaker in (OPEN, PROBING),
            "BulkheadFull": used >= limits.bulkhead,
            "RateLimited": guard.spent >= limits.rate,
        }
        return [error for error in limits.refusals if holds[error]]

    def passes(self, world: World) -> list[World]:
        """Time goes by for breakers and rates."""
        found = []
        for service, limits in self.limits.items():
            guard = self.of(world, service)
            if limits.breaker and guard.breaker == OPEN:
                found.append(self.put(world, service, guard._replace(breaker=HALF)))
            if guard.spent:
                found.append(self.put(world, service, guard._replace(spent=guard.spent - 1)))
        return found

    def after(self, label, term, world: World, ill) -> World:
        """What an answer, or that nobody waits for one any more, makes of the breakers; `ill`: whether an answer counts as a failure."""
        if not self.limits:
            return world
        if isinstance(label, tuple) and label[0] in ("reply", "timeout"):
            call, service = label[1:4], self.service_of(label[1])
            limits = self.limits.get(service)
            if limits is not None and limits.breaker:
                world = self.put(world, service, self.heard(self.of(world, service), limits, call, ill(label)))
        waited = under_way((term, world.beside))
        for service, guard in world.guards:
            if guard.probe and guard.probe not in waited:
                world = self.put(world, service, guard._replace(breaker=OPEN, probe=()))
        return world

    def heard(self, guard: Guard, limits: Limits, call: tuple, ill: bool) -> Guard:  # noqa: FBT001
        if call == guard.probe:
            return guard._replace(breaker=OPEN if ill else CLOSED, probe=())
        if not ill:
            return guard._replace(failures=0)
        if guard.breaker != CLOSED:
            return guard
        if guard.failures + 1 == limits.breaker:
            return guard._replace(breaker=OPEN, failures=0)
        return guard._replace(failures=guard.failures + 1)
