"""Coverage as placet measures it, held against every run of the saga, by brute force."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from enumerator import Enumerator, TooLarge
from random_nets import RandomNet, smaller_nets
from random_sagas import smaller

from placet.coverage.measure import measure

if TYPE_CHECKING:
    from enumerator import Cause
    from random_sagas import Case

    from placet.coverage.obligations import Coverage
    from placet.faults.weave import Woven

Statuses = dict[tuple[str, str, tuple[str, ...], str], str]  # by family, step, ids of causes, phase


class Difference(NamedTuple):
    """What one side says and the other does not; None where it knows no such obligation."""

    measured: dict[tuple[str, str, tuple[str, ...], str], str | None]
    enumerated: dict[tuple[str, str, tuple[str, ...], str], str | None]

    def __str__(self) -> str:
        lines = [f"{key}: measured {self.measured[key]}, enumerated {self.enumerated[key]}" for key in self.measured]
        return "\n".join(lines[:20])


def identifier(cause: Cause) -> str:
    """The id that a report gives to a cause."""
    undo = "undo" if cause.direction == "undo" else ""
    words = " ".join(word for word in (cause.step, undo, cause.part, cause.fault, cause.error) if word)
    attempt = f", attempt {cause.attempt}" if cause.attempt > 1 else ""
    early = ", not asked for yet" if cause.step and not cause.attempt else ""
    lasting = ", lasting" if cause.lasting else ""
    return f"{words}{attempt}{early}{lasting}"


def told(coverage: Coverage) -> Statuses:
    """What was measured, with the ids of causes."""
    found = {}
    for o in coverage.obligations:
        key = (o.family, o.step, tuple(coverage.causes[f].id for f in o.faults), o.phase)
        assert key not in found, f"listed twice: {key}"
        found[key] = o.status.value
    return found


def enumerated(woven: Woven, most: int) -> Statuses:
    """What every run says. Raises TooLarge."""
    return {
        (family, step, tuple(identifier(c) for c in faults), phase): status
        for (family, step, faults, phase), status in Enumerator(woven, most).obligations().items()
    }


def differences(woven: Woven, fault_budget: int, most: int, engine=None) -> Difference:
    """Where the two disagree. Raises TooLarge."""
    theirs = enumerated(woven, most)
    ours = told(measure(woven.compiled, fault_budget, engine=engine).coverage)
    keys = sorted(k for k in {*ours, *theirs} if ours.get(k) != theirs.get(k))
    return Difference({k: ours.get(k) for k in keys}, {k: theirs.get(k) for k in keys})


def difference(case: Case | RandomNet, most: int) -> Difference | None:
    """Where the two disagree on a case; None where it cannot be compared: it is no saga, or it is too large."""
    woven = case.woven()
    if woven is None:
        return None
    faults = case.faults if isinstance(case, RandomNet) else case.hypothesis.budget
    try:
        return differences(woven, faults, most)
    except TooLarge:
        return None


def disagrees(case: Case | RandomNet, most: int) -> bool:
    """Whether the two disagree on a case."""
    found = difference(case, most)
    return found is not None and bool(found.measured)


def smallest(case: Case | RandomNet, most: int) -> Case | RandomNet:
    """A case that still disagrees, and of which no simpler one does."""
    while True:
        simpler = smaller_nets(case) if isinstance(case, RandomNet) else smaller(case)
        following = next((c for c in simpler if disagrees(c, most)), None)
        if following is None:
            return case
        case = following
