"""Signals of a process: what comes from outside a few times, at any time, and is kept or lost where nobody waits for it.

An event without a Signal can always come again, so nothing has to be known of one that nobody waits for. Both counters are
records of a token each: how often it may still come, and how many wait to be taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.gates import counted
from placet.compile.mailbox import Mailbox
from placet.net.roles import Kind, Role

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env

EVENT = Role(Kind.EVENT)


def taken(env: Env, event: str) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """As `Mailbox.takes`; of an event that can always come there is nothing to take."""
    box = env.frame.mailboxes.get(event)
    return [("", (), ())] if box is None else box.takes()


def hearing(env: Env, event: str) -> list[int] | None:
    """Where to say that somebody waits for the event; None where it makes no difference."""
    box = env.frame.mailboxes.get(event)
    return box.hears if box is not None and not box.kept else None


def opened(agenda: Agenda, start: int, env: Env) -> int:
    """The signals of the process that begins at `start`. Gives the place where it goes on."""
    frame = env.frame
    span = frame.process.span
    for signal in frame.process.signals:
        path, most, name = f"{env.base}#signal.{signal.name}", signal.most, signal.name
        agenda.bounds[path] = most
        agenda.unjustified = agenda.unjustified or not signal.given
        left = counted(agenda, f"{path}.left", env, frame.process.id, f"`{name}` still to come", most)
        kept = counted(agenda, f"{path}.kept", env, frame.process.id, f"`{name}` kept", most) if signal.buffered else []
        box = frame.mailboxes[name] = Mailbox(signal, left, kept, [])
        if frame.root and agenda.bus is None and frame.again < 0:
            agenda.draft.initial[left[0]], agenda.draft.initial[left[most]] = 0, 1
        else:
            for what, counter, first in (("left", left, most), ("kept", kept, 0)):
                if not counter:
                    continue
                words = f"`{frame.name}` is about to start"
                after = agenda.place(f"{path}.{what}", env, frame.process.id, words, span)
                for n, place in enumerate(counter):
                    label, move = f"{path}.{what}.reset[{n}]", ((start, place), (after, counter[first]))
                    agenda.draft.quiet.add(agenda.move(label, *move, env, frame.process.id, words, span))
                start = after
        if signal.buffered:
            _keeps(agenda, box, path, env)
        else:
            agenda.later(_loses, box, path, env)
    return start


def _keeps(agenda: Agenda, box: Mailbox, path: str, env: Env) -> None:
    name, most = box.signal.name, box.signal.most
    role, words = EVENT._replace(says=name), f"`{name}` comes, and is kept until it is taken"
    for left in range(1, most + 1):
        for kept in range(most - left + 1):
            pre, post = (box.left[left], box.kept[kept]), (box.left[left - 1], box.kept[kept + 1])
            label = f"{path}.comes[{left}.{kept}]"
            made = agenda.move(label, pre, post, env, env.frame.process.id, words, box.signal.span, role)
            agenda.draft.quiet.add(made)


def _loses(agenda: Agenda, box: Mailbox, path: str, env: Env) -> None:
    """Runs when all who may wait for it are known: it is lost only where nobody does."""
    name = box.signal.name
    role, words = EVENT._replace(says=name), f"`{name}` comes, and nobody waits for it: it is lost"
    for left in range(1, box.signal.most + 1):
        pre, post = (box.left[left],), (box.left[left - 1],)
        label = f"{path}.lost[{left}]"
        made = agenda.move(label, pre, post, env, env.frame.process.id, words, box.signal.span, role)
        agenda.draft.inhibit[made] = tuple((p, 1) for p in sorted(set(box.hears)))
        agenda.draft.quiet.add(made)
