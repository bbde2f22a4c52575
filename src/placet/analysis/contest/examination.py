"""The thirteen examinations by name, and what each does with a net and the formulas that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placet.analysis.contest.context import Context
    from placet.logic.temporal import Formula

GLOBAL = ("ReachabilityDeadlock", "OneSafe", "QuasiLiveness", "Liveness", "StableMarking")
WITH_FORMULAS = (
    "ReachabilityCardinality", "ReachabilityFireability", "CTLCardinality", "CTLFireability", "LTLCardinality",
    "LTLFireability", "UpperBounds",
)  # fmt: skip
EXAMINATIONS = ("StateSpace", *GLOBAL, *WITH_FORMULAS)


def examine(
    examination: str, context: Context, formulas: Mapping[str, Formula], bounds: Mapping[str, tuple[int, ...]]
) -> None:
    """Decide an examination; `context.tell` hears of each answer as soon as it is known."""
    if examination == "StateSpace":
        from placet.analysis.contest.state_space import size

        found = size(context)
        if found is not None:
            names = ("STATES", "TRANSITIONS", "MAX_TOKEN_IN_PLACE", "MAX_TOKEN_PER_MARKING")
            for name, number in zip(names, found, strict=True):
                context.tell(name, str(number))
    elif examination in GLOBAL:
        answer = _decider(examination)(context)
        if answer is not None:
            context.tell(examination, "TRUE" if answer else "FALSE")
    elif examination == "UpperBounds":
        from placet.analysis.contest.bounds import Bounds

        Bounds(context, dict(bounds)).run()
    else:
        from placet.analysis.contest.temporal import Temporal

        Temporal(context, dict(formulas), linear=examination.startswith("LTL")).run()


def _decider(examination: str) -> Callable[[Context], bool | None]:
    from placet.analysis.contest import global_properties, live

    return {
        "ReachabilityDeadlock": global_properties.deadlock,
        "OneSafe": global_properties.one_safe,
        "QuasiLiveness": global_properties.quasi_live,
        "Liveness": live.live,
        "StableMarking": global_properties.stable_marking,
    }[examination]
