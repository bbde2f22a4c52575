"""Changes of an annotated definition: what its services could promise, and time-outs that a `Catch` could take.

The definition is changed in memory only, and compiled as it stands then, so that what is said of a change was measured on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.advice.changes import GUARANTEES, Change
from placet.formats.asl import errors

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.formats.asl.machine import Machine, State
    from placet.sidecar.annotated import Known

EVERY = "*"


class Imported:
    """One machine with its sidecar, and its variants."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.missed = [
            r.does for r in known.roles.steps if r.does.state.timed and r.does.state.catch and _misses(r.does.levels)
        ]

    def changes(self) -> tuple[Change, ...]:
        """Every single change that is not made already, cheapest first."""
        machine = self.known.definition.name
        found: list[Change] = []
        for element in self.missed:
            words = f"let Catch[0] of `{element.name}` take `States.Timeout` too"
            found.append(Change("policy", machine, "catch", element.path, 1, words, ""))
        if len(self.missed) > 1:
            words = "let the first entry of `Catch` of each step that has a time-out take `States.Timeout` too"
            found.insert(0, Change("policy", machine, "catch", EVERY, 1, words, ""))
        given: dict[str, set[str]] = {}
        for role in self.known.roles.steps:
            if not role.step.read_only:
                given.setdefault(role.step.service, set(role.step.guarantees)).intersection_update(role.step.guarantees)
        for service, kept in given.items():
            for name, (cost, said, owes) in GUARANTEES.items():
                if name not in kept:
                    quoted = f"`{service}`"
                    told = said.format(service=quoted), owes.format(service=quoted)
                    found.append(Change("guarantee", service, name, "", cost, *told))
        return tuple(sorted(found, key=lambda c: c.cost))

    def compiled(self, wanted: tuple[Change, ...]) -> Compiled | None:
        """The calls of the machine with these changes."""
        from placet.sidecar.annotated import calls_of

        promised: dict[str, set[str]] = {}
        paths: set[str] = set()
        for change in wanted:
            if change.kind == "guarantee":
                promised.setdefault(change.target, set()).add(change.name)
            elif change.value == EVERY:
                paths.update(element.path for element in self.missed)
            else:
                paths.add(change.value)
        known = self.known
        name = known.definition.name
        machine = _catching(name, known.machine, paths) if paths else known.machine
        steps = tuple(
            role._replace(
                step=role.step._replace(guarantees=role.step.guarantees.union(promised.get(role.step.service, ())))
            )
            for role in known.roles.steps
        )
        return calls_of(known._replace(machine=machine, roles=known.roles._replace(steps=steps)))


def _misses(levels: tuple[State, ...]) -> bool:
    return all(errors.first(errors.level(state).catch, errors.TIMEOUT) < 0 for state in levels)


def _catching(base: str, machine: Machine, paths: set[str]) -> Machine:
    """The machine in which the first catchers of these states take time-outs too. Recurses over bounded nesting."""
    from placet.formats.asl.to_ir import path_of

    states = {}
    for name, state in machine.states.items():
        path = path_of(base, name)
        changed = state
        if path in paths:
            first, *rest = state.catch
            changed = changed._replace(catch=(first._replace(errors=(*first.errors, errors.TIMEOUT)), *rest))
        if state.inner:
            below = [
                f"{path}/branch:{n}" if state.kind == "Parallel" else f"{path}/item" for n in range(len(state.inner))
            ]
            inner = tuple(_catching(b, m, paths) for b, m in zip(below, state.inner, strict=True))
            changed = changed._replace(inner=inner)
        states[name] = changed
    return machine._replace(states=states)
