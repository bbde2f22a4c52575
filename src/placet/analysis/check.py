"""What a check is, and the registry of checks: one question a file, imported when it is asked.

A check says which goals a pass must look for, and judges what the pass saw: a verdict, or None where it is still open
and a longer or another pass may tell. Many checks share one pass.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from placet.errors import UsageError

if TYPE_CHECKING:
    from placet.analysis.passes import Asks, Pass
    from placet.analysis.subject import Subject
    from placet.compiled import Query
    from placet.evidence import Holds, Inconclusive, Verdict


class Check(Protocol):
    """One question. Stateless."""

    @property
    def existential(self) -> bool:
        """Whether a proof leans on runs that must exist: conditions over data taken as free do not preserve it."""
        ...

    @property
    def cuts_sinks(self) -> bool:
        """Whether, with any sink as final marking, the question is about the net without its sinks."""
        ...

    def asks(self, subject: Subject, query: Query) -> Asks | Holds | Inconclusive:
        """What a pass must look for; or a proof that needs none, or why the question has no answer by search."""
        ...

    def judge(self, subject: Subject, query: Query, seen: Pass) -> Verdict | None:
        """The verdict that a pass justifies, or None. Also asked after passes that ended early."""
        ...


CHECKS: dict[str, tuple[str, str]] = {
    "sound": ("soundness", "SOUND"),
    "weak_sound": ("soundness", "WEAK_SOUND"),
    "relaxed_sound": ("relaxed", "RELAXED_SOUND"),
    "easy_sound": ("easy", "EASY_SOUND"),
    "generalised_sound": ("several_runs", "GENERALISED_SOUND"),
    "option_to_complete": ("completion", "OPTION_TO_COMPLETE"),
    "proper_completion": ("completion", "PROPER_COMPLETION"),
    "no_dead_step": ("dead_steps", "NO_DEAD_STEP"),
    "quasi_live": ("dead_steps", "QUASI_LIVE"),
    "safe": ("boundedness", "SAFE"),
    "bounded": ("boundedness", "BOUNDED"),
    "deadlock_free": ("deadlock", "DEADLOCK_FREE"),
    "livelock_free": ("livelock", "LIVELOCK_FREE"),
    "live": ("liveness", "LIVE"),
    "reversible": ("home", "HOME"),
    "home": ("home", "HOME"),
    "never": ("predicates", "NEVER"),
    "possible": ("predicates", "POSSIBLE"),
    "ctl": ("formulas", "CTL"),
    "ltl": ("formulas", "LTL"),
    "anomaly_A1": ("predicates", "NEVER"),
    "conserved": ("conserved", "CONSERVED"),
    "all_consumed": ("messages", "ALL_CONSUMED"),
    "no_orphan": ("messages", "NO_ORPHAN"),
    "no_event_loop": ("event_loop", "NO_EVENT_LOOP"),
    "no_dead_handler": ("messages", "NO_DEAD_HANDLER"),
    "handled_once": ("messages", "HANDLED_ONCE"),
    "no_dual_write": ("messages", "NO_DUAL_WRITE"),
    "anomaly_A20": ("messages", "NO_DUAL_WRITE"),
    "anomaly_A22": ("messages", "ALL_CONSUMED"),
    "anomaly_A23": ("event_loop", "SETTLES"),
}

STANDARD: dict[str, tuple[str, ...]] = {
    "workflow": ("option_to_complete", "proper_completion", "no_dead_step", "safe"),
    "saga": ("option_to_complete", "proper_completion", "no_dead_step", "anomaly_A1"),
    "net": ("bounded", "deadlock_free", "no_dead_step"),
    "machine": ("deadlock_free", "no_dead_step"),
    "choreography": ("deadlock_free", "all_consumed", "no_orphan", "bounded", "no_event_loop", "no_dead_handler"),
    "system": ("deadlock_free", "all_consumed", "no_orphan", "bounded", "no_event_loop", "no_dead_step"),
}


def check(identifier: str) -> Check:
    """The check of that id. Raises UsageError where there is none."""
    found = CHECKS.get(identifier)
    if found is None:
        raise UsageError(f"there is no check `{identifier}`")
    module, name = found
    made: Check = getattr(import_module(f"placet.analysis.{module}"), name)
    return made
