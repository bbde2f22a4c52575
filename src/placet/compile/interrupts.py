"""Signals and time-outs that interrupt steps: the saga turns back where it stands, up to the scope, and there they are handled.

As a cancellation finds the coordinator at its moments (`ports`), so does an interruption; what is under way then is treated as a
step whose outcome is unknown. In a statement without steps it finds it anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import Exit, Heard, Thread, backwards
from placet.compile.phrases import way_of
from placet.compile.signals import taken
from placet.compile.threads import finish_thread
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.compile.env import Agenda, Env
    from placet.ir.model import Handler

INTERRUPT = "!"  # before the id of a handler: an error that no other handler catches


def raised_by(handler: Handler) -> str:
    """The error by which an interruption makes a saga turn back."""
    return f"{INTERRUPT}{handler.id}"


def heard(armed: int, handlers: Sequence[Handler]) -> Heard:
    """What may interrupt a scope, while `armed` holds a token."""
    return Heard(armed, tuple(map(raised_by, handlers)))


def interrupts(agenda: Agenda, handlers: Sequence[Handler], heard_: Heard, env: Env) -> None:
    """The transitions from each moment in the scope back to it, once all of them are known. Linear in moments times handlers."""
    draft = agenda.draft
    for key, (where, stmt) in agenda.interruptible.pop(heard_.armed, {}).items():
        port = draft.ports.get(key)
        if port is None or port.back < 0:
            continue
        keeps = (*port.keeps, *((port.gone,) if port.gone >= 0 else ()))
        doubt = ".doubt" if port.keeps and f"{draft.names[port.place]}.doubt" in draft.names else ""
        for handler in handlers:
            for name, pre, post in _variants(handler, where, port.back, env):
                role = _role(handler)._replace(step=port.step, direction=port.direction, attempt=port.attempt)
                label = f"{env.path(handler.id)}#interrupts{name}@{draft.names[port.place]}{doubt}"
                needs, gives = (port.place, heard_.armed, *port.keeps, *pre), (*post, *keeps)
                words = f"{_words(handler)} and interrupts {way_of(stmt)}"
                made = agenda.move(label, needs, gives, where, handler.id, words, handler.span, role)
                draft.step(handler.id, made)


def within(
    agenda: Agenda, around: Env, env: Env, undone: int, handlers: Sequence[tuple[Heard, Sequence[Handler], Env]]
) -> Env:
    """The surroundings of a statement without steps: wherever its token is, an interruption takes it back."""
    if around.past:
        return env
    thread = Thread()
    for heard_, those, scope in handlers:
        for handler in those:
            for name, pre, post in _variants(handler, around, undone, scope):
                label = f"{scope.path(handler.id)}#interrupts{name}"
                words = f"{_words(handler)} and interrupts what is going on"
                needs = (heard_.armed, *pre)
                thread.exits.append(
                    Exit(label, needs, post, words, handler.id, handler.span, _role(handler), handler.id)
                )
    agenda.later(finish_thread, thread, env)
    return env._replace(thread=thread)


def _variants(
    handler: Handler, where: Env, back: int, scope: Env
) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """(suffix, taken, given): one for each way to get the signal, and for each error that may be remembered already."""
    throw = backwards(back, where.scope, raised_by(handler))
    found = [("", throw.pre, throw.post)]
    if throw.later is not None:
        found.append((".later", *throw.later))
    sources = taken(scope, handler.name) if handler.trigger == "event" else [("", (), ())]
    return [
        (f"{suffix}{source}", (*pre, *needs), (*post, *gives))
        for suffix, pre, post in found
        for source, needs, gives in sources
    ]


def _role(handler: Handler) -> Role:
    return Role(Kind.EVENT if handler.trigger == "event" else Kind.TIMER, commits=True, says=handler.name)


def _words(handler: Handler) -> str:
    return (
        f"`{handler.name}` arrives"
        if handler.trigger == "event"
        else f"the time of {handler.name or 'the scope'} is over"
    )
