"""Which undos of a sequence wait for which others, where all would start together: `undo_order dependencies`, `undo_after`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.names import forms
from placet.compile.vocabulary import statements
from placet.ir.model import Step
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Sequence


class Turns(NamedTuple):
    """By part of a sequence the parts whose undos its own waits for; and all that are waited for."""

    before: dict[int, tuple[int, ...]]
    awaited: frozenset[int]
    met: frozenset[tuple[str, str]] = frozenset()  # ids of steps, and the names of `undo_after` that this settles


NONE = Turns({}, frozenset())


def turns(agenda: Agenda, stmt: Sequence, env: Env) -> Turns:
    """The turns of a sequence: parts that undo nothing are not waited for. O(steps)."""
    policy = env.policy
    steps = [[s for s in statements(part) if isinstance(s, Step)] for part in stmt.parts]
    waits = any(s.undo_after for own in steps for s in own)
    ordered = policy is not None and policy.undo_order == "dependencies"
    if not waits and not ordered:
        return NONE
    undoable = [agenda.survey.of(part).undoable and not (isinstance(part, Step) and part.pivot) for part in stmt.parts]
    named: dict[str, set[int]] = {}
    undone: dict[str, set[int]] = {}  # where it is undone: a pivot never is
    part_of: dict[str, int] = {}
    for i, own in enumerate(steps):
        for s in own:
            for form in forms(s.name):
                named.setdefault(form, set()).add(i)
                if s.undo is not None and not s.pivot:
                    undone.setdefault(form, set()).add(i)
            part_of[s.id] = i
    before: dict[int, set[int]] = {}
    met: set[tuple[str, str]] = set()
    for i, own in enumerate(steps):
        for s in own:
            for name in s.undo_after:
                if not named.get(name, set()) - {i}:
                    continue
                met.add((s.id, name))
                others = () if s.pivot else undone.get(name, set()) - {i}
                before.setdefault(i, set()).update(others)
                if any(k < i and agenda.survey.of(stmt.parts[k]).pivot for k in others):
                    message = f"the undo of `{s.name}` would wait for a part with a point of no return in it, behind which `{name}` is not undone"
                    help_ = f"leave `undo_after {name}` out, or take the point of no return out of the part"
                    agenda.report("P403", "error", message, s.span, help=help_)
            for on in s.after if ordered else ():
                k = part_of.get(on, i)
                if k != i:
                    before.setdefault(k, set()).add(i)
    # where there may be a point of no return, what stands before it is undone after it
    later = {
        i: tuple(sorted(j for j in others if undoable[j] and (j > i or not agenda.survey.of(stmt.parts[i]).pivot)))
        for i, others in before.items()
        if undoable[i]
    }
    kept = {i: others for i, others in later.items() if others}
    circle = _circle(kept)
    if circle:
        waiting = next(s for i in circle for s in steps[i] if s.undo_after)  # `after` alone never goes in a circle
        names = " and ".join(f"`{stmt.parts[i].id.rpartition('/')[2]}`" for i in circle)
        message = f"the undos of {names} wait for each other"
        agenda.report("P411", "error", message, waiting.span, help="leave one `undo_after` out")
        return NONE._replace(met=frozenset(met))
    return Turns(kept, frozenset(j for others in kept.values() for j in others), frozenset(met))


def _circle(before: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    """Parts that wait for each other, and what stands between such; empty where none do."""
    left = set(before)
    while gone := {i for i in left if left.isdisjoint(before[i]) or not any(i in before[j] for j in left)}:
        left -= gone
    return tuple(sorted(left))
