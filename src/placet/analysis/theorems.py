"""Checks that theorems on free-choice nets prove, without a search: `analysis.free_choice` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.free_choice import live_and_bounded
from placet.analysis.structure import sound_by_theorem
from placet.evidence import Holds, Proof

if TYPE_CHECKING:
    from placet.analysis.subject import Subject

# What a sound workflow net, and what a live and bounded net without ends, has.
_SOUND = frozenset(
    ("sound", "weak_sound", "relaxed_sound", "easy_sound", "option_to_complete", "proper_completion", "no_dead_step")
)
_LIVE = frozenset(("deadlock_free", "no_dead_step", "live", "quasi_live", "bounded"))


class Theorems:
    """What is proved of one subject; each theorem is tried once, when it is first asked for."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._sound: bool | None = None
        self._live: bool | None = None
        self._tried: set[str] = set()

    def prove(self, check: str, *, whole: bool) -> Holds | None:
        """A proof, or None. `whole`: the check asks about everything, not about one place with a bound of its own."""
        compiled = self._subject.compiled
        if self._subject.faults or self._subject.cut:
            return None
        if check in _SOUND and compiled.final.ends:
            if "sound" not in self._tried:
                self._tried.add("sound")
                self._sound = sound_by_theorem(compiled)
            if self._sound:
                return Holds(Proof("structure", argument="free choice: the rank theorem, once its ends lead back"))
        if check in _LIVE and whole and not compiled.final.ends:
            if "live" not in self._tried:
                self._tried.add("live")
                self._live = live_and_bounded(compiled.net, compiled.initial)
            if self._live:
                return Holds(Proof("structure", argument="free choice: the rank theorem"))
        return None
