"""Why a coordinator is no state machine, as diagnostics: the choices that nobody outside can see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic, Label

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from placet.analysis.coordinator import Coordinator
    from placet.compiled import Compiled
    from placet.machine.choices import Hidden

MOST = 10
_NUMBERS = re.compile(r"\d+")  # of rounds, runs and instances


def unseen_choices(compiled: Compiled, found: Coordinator, path: str = "") -> tuple[Diagnostic, ...]:
    """One diagnostic for each choice that the user wrote, however many situations, rounds and runs it is met in.

    What a parallel does by itself, counting its ways and stopping those that are not needed, is one choice of that parallel.
    """
    met: dict[Hashable, list[Hidden]] = {}
    for hidden in found.hidden:
        met.setdefault(_choice(compiled, found, hidden), []).append(hidden)
    return tuple(_diagnostic(compiled, found, some, path) for some in list(met.values())[:MOST])


def _choice(compiled: Compiled, found: Coordinator, hidden: Hidden) -> Hashable:
    """What tells a choice from another one: the same parallel, or the same things written at the same places."""
    by = [found.by[edge] for edge in hidden.edges]
    parallel = _parallel(compiled, by)
    if parallel:
        return parallel
    origins = [compiled.origin.transitions[t] for t in by]
    label = _NUMBERS.sub("", found.lts.labels[hidden.label]) if hidden.label else ""
    source, _, target = found.lts.edges[hidden.edges[0]]
    return label, source == target, frozenset((o.id, _NUMBERS.sub("", o.phrase)) for o in origins)


def _parallel(compiled: Compiled, by: Sequence[int]) -> str:
    """The id of the parallel that does all of this by itself, or nothing."""
    ids = {compiled.roles.transitions[t].ways for t in by}
    return ids.pop() if len(ids) == 1 else ""


def without_end(compiled: Compiled, found: Coordinator, path: str = "") -> Diagnostic | None:
    """The diagnostic of a coordinator that has no end of situations, or None where only the budget was too small."""
    stop = found.stop
    if stop is None or stop.budget != "unbounded":
        return None
    message = f"`{compiled.subject}` is no state machine: there is no end to the situations it can get into"
    help_ = "bound what piles up: `loop at_most N`, fewer runs at once, a `capacity`"
    return Diagnostic("P481", "error", message, None, help=help_, path=path)


def _diagnostic(compiled: Compiled, found: Coordinator, met: Sequence[Hidden], path: str) -> Diagnostic:
    hidden = met[0]
    by = [found.by[edge] for edge in hidden.edges]
    origins = [compiled.origin.transitions[t] for t in by]
    spans = [origin.span for origin in origins if origin.span is not None]
    before = [found.lts.labels[label] for label in hidden.before]
    shown = ", ".join(before) if len(before) <= 8 else f"{', '.join(before[:3])} ... {', '.join(before[-4:])}"
    notes = [f"after {shown}" if shown else "at the beginning"]
    notes += [f"either: {phrase}" for phrase in dict.fromkeys(origin.phrase for origin in origins)]
    if len(met) > 1:
        notes.append(f"and so in {len(met) - 1} other situation{'s' if len(met) > 2 else ''}")
    name, code = f"`{compiled.subject}`", "P480"
    source, _, target = found.lts.edges[hidden.edges[0]]
    if hidden.label == 0 and source == target:
        code, message = "P482", f"{name} can go on for ever here, and nothing is to be seen of it"
        help_ = "let each round wait for something, or send something"
    elif parallel := _parallel(compiled, by):
        message = (
            f"{name} decides by itself when a way of this parallel counts or is stopped, and nobody outside can see it"
        )
        help_ = "await all ways, or let a message that comes first decide: `first of { receive ... receive ... }`"
        spans = [o.span for o in compiled.origin.transitions if o.id == parallel and o.span is not None][:1]
    elif hidden.label != 0:
        text = found.lts.labels[hidden.label]
        message = f"after `{text}` {name} goes on in one way or another, and nobody outside can tell which"
        help_ = "give the two places that wait for it different names, or let one of them wait for something else"
    elif len(hidden.edges) == 1:
        message = f"{name} may do this by itself, and nobody outside can see whether it has"
        help_ = "let it wait for something or send something, or make such moves visible with `--decisions`"
    else:
        message = f"{name} chooses, and nobody outside can see which way"
        help_ = "let it send what it chose, or make its own decisions visible with `--decisions`"
    labels = tuple(Label(span, "or this") for span in spans[1:] if span != spans[0])
    return Diagnostic(
        code, "error", message, spans[0] if spans else None, labels, tuple(notes), help_, "" if spans else path
    )
