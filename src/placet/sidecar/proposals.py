"""Which task of a definition may undo which: guessed from names and from where a `Catch` leads, and never more than that.

A task is a guess where executions come to it only after something was caught. It fits a step better the more of this holds:
its name is one of undoing, the names share a word, a `Catch` of the step leads right to it. Each undoes at most one step.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.formats.asl import services
from placet.formats.asl.machine import every, targets
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.formats.asl.calls import Element
    from placet.formats.asl.machine import Machine, State

_UNDOING = frozenset(
    (
        *(
            "cancel",
            "undo",
            "revert",
            "refund",
            "release",
            "rollback",
            "compensate",
            "compensation",
            "reverse",
            "restore",
        ),
        *(
            "remove",
            "delete",
            "void",
            "revoke",
            "unreserve",
            "deregister",
            "return",
            "withdraw",
            "free",
            "abort",
            "credit",
        ),
    )
)
_TELLING = frozenset(
    (
        "notify",
        "notification",
        "alert",
        "report",
        "log",
        "send",
        "publish",
        "email",
        "mail",
        "fail",
        "failed",
        "sns",
        "escalate",
    )
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_PLAIN = frozenset(("process", "step", "task", "state", "lambda", "invoke", "run", "the", "a", "by", "do", "handle"))
LEAST = 3
MOST = 400  # steps or undos that are compared


class Proposal(NamedTuple):
    """`undo` may undo `step`; `why` says what speaks for it."""

    step: Element
    undo: Element
    why: str


def proposals(machine: Machine, elements: Sequence[Element]) -> tuple[Proposal, ...]:
    """The best guesses, in the order of the file. O(steps * undos), both bounded."""
    after = _after_a_catch(machine)
    tasks = [e for e in elements if e.state.kind == "Task" and not services.reads_only(e.state)]
    undos = [e for e in tasks if id(e.state) in after and not _words(e.name) & _TELLING][:MOST]
    steps = [e for e in tasks if id(e.state) not in after][:MOST]
    scored: list[tuple[int, int, int, str]] = []
    for s, step in enumerate(steps):
        direct = {c.target.name: n for n, c in enumerate(step.state.catch)}
        mine = _words(step.name) - _PLAIN
        for u, undo in enumerate(undos):
            theirs = _words(undo.name)
            shared = sorted((theirs - _PLAIN - _UNDOING) & mine)
            why = (
                [f"its name says that it undoes ({', '.join(sorted(theirs & _UNDOING))})"] if theirs & _UNDOING else []
            )
            why += [f"both names say {', '.join(shared)}"] if shared else []
            leads = undo.name in direct and undo.levels[1:] == step.levels[1:]
            why += [f"Catch[{direct[undo.name]}] of {step.name} leads to it"] if leads else []
            score = 2 * bool(theirs & _UNDOING) + 2 * len(shared) + 2 * leads
            if score >= LEAST:
                scored.append((-score, s, u, "; ".join(why)))
    taken_steps: set[int] = set()
    taken_undos: set[int] = set()
    found: dict[int, Proposal] = {}
    for _, s, u, why_ in sorted(scored):
        if s not in taken_steps and u not in taken_undos:
            taken_steps.add(s)
            taken_undos.add(u)
            found[s] = Proposal(steps[s], undos[u], why_)
    return tuple(found[s] for s in sorted(found))


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}


def _after_a_catch(machine: Machine) -> set[int]:
    """The states that executions come to only after something was caught, by identity. Linear."""
    straight: set[int] = set()
    pending: list[tuple[Machine, State]] = [(machine, machine.start_state)]
    while pending:
        at, state = pending.pop()
        if id(state) in straight:
            continue
        straight.add(id(state))
        for how, target in targets(state):
            if not how.startswith("Catch") and target.name in at.states:
                pending.append((at, at.states[target.name]))
        for inner in state.inner:
            pending.append((inner, inner.start_state))
    return {id(state) for state, _ in every(machine)} - straight
