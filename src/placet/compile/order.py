"""Which steps a step builds on where the model does not say: those that come before it, one after the other.

Only the steps directly before are found; the others follow from them (`net.roles.builders`), so that a long sequence stays
linear. Ways of a choice or of a parallel, and a handler and what it handles, do not come before one another. Where the undos
of a saga start all together (`undo_order parallel`), or only wait for those that build on them, its steps build on nothing but what `after` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.ir.model import Beside, Call, Choice, Loop, Parallel, Race, Scope, Sequence, Step, With
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.compile.survey import Survey
    from placet.ir.model import Statement

Before = tuple[str, ...]  # paths of steps
UNROLL = 2  # rounds of a loop around saga steps that says no bound


class Place(NamedTuple):
    """How IR ids become paths where a statement stands: see `env.Env`; and whether all undos start together there."""

    base: str
    stem: str
    suffix: str
    at_once: bool

    def path(self, identifier: str) -> str:
        """The path of an IR id."""
        return self.base + identifier[len(self.stem) :] + self.suffix


def last_steps(survey: Survey, stmt: Statement, place: Place, before: Before) -> Before:
    """The steps after which the statement is done; `before` where it has none. Recurses over nesting, which the parser bounds."""
    if not survey.of(stmt).steps:
        return before
    match stmt:
        case Step():
            return (place.path(stmt.id),)
        case Sequence():
            parts = [part for part in stmt.parts if survey.of(part).steps]
            return _each(survey, parts if place.at_once else parts[-1:], place, before)
        case Parallel() if stmt.rest is not None:
            return _each(survey, [way.body for way in (*stmt.ways, stmt.rest)], place, before)
        case Choice() | Parallel():
            return _each(survey, [way.body for way in stmt.ways], place, before)
        case Race():
            return _each(survey, [body for _, body in stmt.ways], place, before)
        case Scope():
            return _each(survey, [stmt.body, *(h.body for h in stmt.handlers)], place, before)
        case With():
            return last_steps(survey, stmt.body, place, before)
        case Beside():
            return _each(survey, [stmt.body, *(one.body for one in stmt.listeners)], place, before)
        case Loop():
            most = UNROLL if stmt.at_most is None else stmt.at_most
            rounds = [
                place._replace(suffix=f"{place.suffix}[{i}]") for i in range(1 if place.at_once else most, most + 1)
            ]
            found = [last_steps(survey, stmt.body, its, before) for its in rounds if most]
            return tuple(dict.fromkeys(step for steps in found for step in steps)) or before
        case Call():
            return (*callee_steps(survey, stmt, place, before), *_each(survey, [b for _, b in stmt.on], place, ()))
    return before


def callee_steps(survey: Survey, stmt: Call, place: Place, before: Before) -> Before:
    """The steps after which a process that is called is done."""
    callee = survey.processes[stmt.target]
    at_once = callee.policy.undoes_together if callee.kind == "saga" else place.at_once
    return last_steps(survey, callee.body, Place(place.path(stmt.id), callee.id, "", at_once), before)


def _each(survey: Survey, bodies: Iterable[Statement], place: Place, before: Before) -> Before:
    found: dict[str, None] = {}
    for body in bodies:
        found.update(dict.fromkeys(last_steps(survey, body, place, before)))
    return tuple(found)
