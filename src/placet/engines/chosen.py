"""The engine that is used when none is named: reference for small state spaces, numpy for large ones, numba beyond.

A probe with the reference engine costs nothing to start. Where it meets its limit the search begins anew with an engine
that is several times faster, and where that meets its own, with the compiled one, if numba is installed: states have the same
numbers in all of them, so that nothing but the time tells which one it was.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from placet.engines.reference import Reference
from placet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.engines.protocol import Engine, Exploration, Progress, Visitor
    from placet.evidence import Budget
    from placet.net.core import Marking, Net
    from placet.net.observer import Observer

PROBE = 30_000  # states: a tenth of a second to half a second of the reference engine
LARGE = 400_000  # states: about a second of the numpy engine, as long as it takes to load what was compiled


class Chosen:
    """Each engine with a limit, the last one without; the next one begins where one meets its limit."""

    name = "chosen"

    def __init__(self, probe: int = PROBE, large: int = LARGE) -> None:
        """`probe`: states of the reference engine, 0 to leave it out; `large`: states of the numpy engine."""
        self._probe, self._large = probe, large

    def explore(
        self,
        net: Net,
        initial: Marking,
        observers: Sequence[Observer],
        visitors: Sequence[Visitor],
        budget: Budget,
        progress: Progress | None = None,
    ) -> Exploration:
        """Explore from `initial`; see the protocol."""
        begun = monotonic()
        progress = None if progress is None else _Rising(progress)
        stages: list[tuple[int, str]] = [(self._probe, "reference")] if self._probe else []
        stages += [(self._large, "frontier"), (0, "native")] if _compiler() else [(0, "frontier")]
        known: Exploration | None = None
        for limit, name in stages:
            last = not limit or (budget.states is not None and budget.states <= 2 * limit)
            left = _left(budget, begun)
            found = _named(name).explore(
                net, initial, observers, visitors, left if last else left._replace(states=limit), progress
            )
            if known is not None and found.stop is not None and found.states < known.states:  # it came less far
                known.stop = found.stop  # type: ignore[misc]
                return known
            if last or found.stop is None or found.stop.budget != "states":
                return found
            known = found
        raise AssertionError("the last stage has no limit")


class _Rising:
    """Progress that tells nothing twice: an engine that begins anew is silent until it is as far as the one before."""

    def __init__(self, told: Progress) -> None:
        self._told, self._most = told, 0

    def __call__(self, states: int, frontier: int) -> None:
        if states >= self._most:
            self._most = states
            self._told(states, frontier)


def _left(budget: Budget, begun: float) -> Budget:
    if budget.seconds is None:
        return budget
    return budget._replace(seconds=max(0.0, budget.seconds - (monotonic() - begun)))


def _compiler() -> bool:
    from importlib.util import find_spec

    return find_spec("numba") is not None


NAMES = ("reference", "frontier", "native", "symbolic", "stubborn")
OF_QUESTIONS = ("symbolic", "stubborn")  # they do not list all states: for some questions only


def engine(name: str | None) -> Engine:
    """The engine of that name, or the one that chooses. Raises UsageError where there is none of the name.

    `symbolic` is no search: decision diagrams give sets of states; `stubborn` leaves states out. Whoever asks for all states, by number, gets the
    one that chooses.
    """
    return named(name) or Chosen()


def named(name: str | None) -> Engine | None:
    """The engine of that name; None where none is named. Raises UsageError where there is none of the name."""
    if name is None or name in OF_QUESTIONS:
        return None
    if name not in NAMES:
        raise UsageError(f"there is no engine `{name}`; known: {', '.join(NAMES)}")
    if name == "native" and not _compiler():
        raise UsageError("the engine `native` needs numba: `pip install 'placet[fast]'`")
    return _named(name)


def _named(name: str) -> Engine:
    if name == "frontier":
        from placet.engines.frontier import Frontier

        return Frontier()
    if name == "native":
        try:
            from placet.engines import kernels  # noqa: F401 - whether the compiler works at all
        except Exception:  # noqa: BLE001 - whatever an installation of it is broken by
            return _named("frontier")
        from placet.engines.native import Native

        return Native()
    return Reference()
