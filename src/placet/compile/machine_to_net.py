"""A state machine, compiled: a place for each state, a transition for each move, one more for each message it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.draft import Draft
from placet.evidence import Assumptions
from placet.net.roles import PLAIN, Kind, Role

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.ir.model import Machine, Move


def machine_to_compiled(machine: Machine) -> Compiled:
    """The net of a state machine, without queries; its final states are its ends. Linear in the machine.

    Exactly one token moves: it is in the state that the machine is in, or between two states while messages are sent.
    """
    draft = Draft()
    name = machine.id
    index = {
        state.id: draft.place(
            state.id, state.id, f"`{name}` is in `{_last(state.id)}`", state.span, name, tokens=int(state.id == machine.initial)
        )
        for state in machine.states
    }  # fmt: skip
    for move in machine.moves:
        _move(draft, name, move, index[move.source], index[move.target])
    timed = any(move.after for move in machine.moves)
    ends = tuple(index[final] for final in machine.finals)
    return draft.compiled(name, "machine", ends, Assumptions(time_ignored=timed), any_sink=False)


def _move(draft: Draft, name: str, move: Move, source: int, target: int) -> None:
    """The event or the time takes the token out of the state, each message on to the next place, the last to the target."""
    span = move.span
    if move.event:
        triggers = [(move.id, f"`{move.event}` arrives", Role(Kind.EVENT, says=move.event))]
    elif move.after:
        triggers = [(move.id, f"{move.after} have passed", Role(Kind.TIMER, says=move.after))]
    else:
        triggers = [] if move.sends else [(move.id, f"`{name}` moves on", PLAIN)]
    sends = [
        (f"{move.id}#send[{n + 1}]" if n or triggers else move.id, f"`{name}` sends `{message}`", Role(Kind.SEND, says=message))
        for n, message in enumerate(move.sends)
    ]  # fmt: skip
    steps = [*triggers, *sends]
    at = source
    for n, (identifier, phrase, role) in enumerate(steps):
        after = target
        if n + 1 < len(steps):
            waiting = f"`{move.sends[n + 1 - len(triggers)]}` is to be sent"
            after = draft.place(f"{move.id}#sends[{n + 1}]", move.id, waiting, span, name)
        draft.step(move.id, draft.transition(identifier, (at,), (after,), move.id, phrase, span, name, role))
        at = after


def _last(identifier: str) -> str:
    return identifier.rpartition("/")[2]
