"""What is said where nothing was decided: which budget ran out, what piles up without end, or that the method cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Inconclusive

if TYPE_CHECKING:
    from placet.analysis.passes import Pass
    from placet.engines.protocol import Stop
    from placet.evidence import Budget, Proof

_OPTIONS = {"states": "--budget-states", "bytes": "--budget-mb", "seconds": "--budget-seconds"}


def inconclusive(seen: Pass, interrupted: Stop | None) -> Inconclusive:
    """Why a query that took part in this pass has no answer; `interrupted`: it was stopped from outside."""
    stop = interrupted or seen.stop
    proof: Proof = seen.proof()
    if stop is None:
        return Inconclusive("the search saw every state and cannot tell", "theory", proof=proof)
    if stop.budget == "unbounded":
        index = stop.place if seen.reduced is None else seen.reduced.places[stop.place]
        phrase = (
            seen.subject.compiled.origin.places[index]
            .phrase.removeprefix("a token is on ")
            .removesuffix(" holds a token")
        )
        reason = f"something can pile up without end ({phrase}), so that there are more situations than can be searched"
        return Inconclusive(reason, "theory", proof=proof)
    if stop.budget == "interrupted":
        return Inconclusive("interrupted before it was decided", "interrupted", stop.reached, proof=proof)
    words = {"states": "states", "bytes": "bytes of memory", "seconds": "seconds"}
    note = f" ({stop.note})" if stop.note else ""
    reason = f"nothing was found within the budget of {stop.reached} {words[stop.budget]}{note}"
    return Inconclusive(reason, stop.budget, stop.reached, _OPTIONS[stop.budget], proof)


def late(seen: Pass, budget: Budget) -> Inconclusive:
    """Where the time was over before what a pass saw was looked at."""
    limit = f"{budget.seconds:g}" if budget.seconds is not None else ""
    reason = f"nothing was found within the budget of {limit} seconds"
    return Inconclusive(reason, "seconds", limit, _OPTIONS["seconds"], seen.proof())
