"""Which queries a run answers: what the model asks, what the user chooses, or the standard ones of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.check import CHECKS, STANDARD
from placet.compiled import Query
from placet.errors import UsageError
from placet.evidence import Holds, Inconclusive

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.evidence import Verdict

# Answered from the obligations of a saga, by a room of their own.
MEASURED = frozenset(("coverage", *(f"anomaly_A{number}" for number in (*range(2, 20), 21, 25))))
# Asked of recorded runs, which `placet coverage` is given.
RECORDED = frozenset(("anomaly_A24",))
_FORMULAS = frozenset(("ctl", "ltl"))
_NEEDS_PREDICATE = frozenset(("never", "possible", "anomaly_A1", "conserved"))


def questions(compiled: Compiled, chosen: tuple[str, ...] = (), *, anew: bool = False) -> tuple[Query, ...]:
    """The queries to answer; of a chosen check those of the model, else one about the whole subject.

    With `anew` what the model says of faults does not count. Raises UsageError for a check id that does not exist.
    """
    if not chosen:
        return compiled.queries or tuple(whole(compiled, check) for check in standard(compiled))
    found: list[Query] = []
    for check in dict.fromkeys(chosen):
        if check not in CHECKS and check not in MEASURED and check not in RECORDED:
            raise UsageError(_unknown(check))
        asked = [query for query in compiled.queries if query.check == check]
        if anew:
            asked = [] if check in MEASURED else list(dict.fromkeys(map(_plainly, asked)))
        found += asked or [whole(compiled, check)]
    return tuple(found)


def _plainly(query: Query) -> Query:
    """The question without the faults that the model names."""
    label = query.label.removesuffix(f" at {query.level}") if query.level else query.label
    return query._replace(label=label, faults=None, fault_budget=None, level="")


def standard(compiled: Compiled) -> tuple[str, ...]:
    """The checks of a subject that asks none: a net with ends is checked as a workflow is."""
    if compiled.kind == "machine" and compiled.final.ends:
        return ("option_to_complete", "no_dead_step")
    return STANDARD["workflow" if compiled.kind == "net" and compiled.final.ends else compiled.kind]


def about_calls(check: str) -> bool:
    """Whether the check by itself is about effects and messages, and not about the flow of a definition."""
    return check in MEASURED or check in ("anomaly_A1", "conserved")


def of_calls(compiled: Compiled, query: Query) -> bool:
    """Whether a query is asked of the calls of an imported definition (`Compiled.called`)."""
    return compiled.called is not None and (
        query.predicate is not None or query.formula is not None or about_calls(query.check)
    )


def whole(compiled: Compiled, check: str) -> Query:
    """The check as a question about the whole subject."""
    return Query(check, f"{check}({compiled.subject})")


def unanswerable(query: Query) -> Inconclusive | None:
    """Why a query has no answer whatever the net, or None."""
    if query.check in MEASURED:
        return None
    if query.check in RECORDED:
        command = "`placet coverage FILE --log RUNS --exercised 100`"
        return Inconclusive(
            f"what was tested is told by recorded runs, of which nothing is known here: {command}", "theory"
        )
    if (query.check in _NEEDS_PREDICATE and query.predicate is None) or (
        query.check in _FORMULAS and query.formula is None
    ):
        what = (
            "is no saga with undos" if query.check.startswith("anomaly") else f"has no `{query.check}` check of its own"
        )
        return Inconclusive(f"the model {what}, so there is nothing to ask", "theory")
    return None


def with_final(compiled: Compiled, variant: str) -> Compiled:
    """The subject relative to other final markings: `any-sink` takes every end, or every place that nothing leaves.

    Raises UsageError for another variant.
    """
    if variant != "any-sink":
        raise UsageError(f"there are no final markings `{variant}`; there is `any-sink`")
    ends = compiled.final.ends or tuple(p for p, users in enumerate(compiled.net.consumers()) if not users)
    return compiled._replace(
        final=compiled.final._replace(ends=ends, any_sink=True),
        assumptions=compiled.assumptions._replace(final=variant),
    )


def asks_of_moments(compiled: Compiled, query: Query) -> bool:
    """Whether a query is about runs, or asks whether something has just happened."""
    if query.formula is not None or query.predicate is None:
        return query.formula is not None
    from placet.logic.state import support

    count = len(compiled.net.places)
    moments = {count + i for i, o in enumerate(compiled.observers) if o.momentary}
    return bool(moments) and not moments.isdisjoint(support(query.predicate)[0])


def without_moments(compiled: Compiled) -> Compiled:
    """The net without what watches each step, for the questions that do not ask for it: it would keep every reduction off.

    Such observers stay where they are and see nothing, so that no index changes.
    """
    if not any(o.momentary for o in compiled.observers):
        return compiled
    watching = tuple(o._replace(deltas=(), momentary=False) if o.momentary else o for o in compiled.observers)
    return compiled._replace(observers=watching)


def strictly(verdict: Verdict) -> Verdict:
    """The verdict as `--strict` takes it: a proof for bounds that nothing justifies is none."""
    if not isinstance(verdict, Holds) or not verdict.assumptions.unjustified_bounds:
        return verdict
    bounds = ", ".join(f"{name} = {most}" for name, most in verdict.assumptions.bounds)
    reason = f"it holds for {bounds or 'the bounds taken'}, and nothing justifies that more cannot happen"
    return Inconclusive(reason, "theory", proof=verdict.proof, assumptions=verdict.assumptions)


def _unknown(check: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(check, sorted({*CHECKS, *MEASURED, *RECORDED}), 1)
    return f"there is no check `{check}`" + (f"; did you mean `{near[0]}`?" if near else "")
