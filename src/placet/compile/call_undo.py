"""The net of an undo: a call like that of its step, made by the saga's policy for an undo that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_limits import ILL, WELL, answers, blocked, sends, waited
from placet.compile.call_parts import REJECTED, UNDO, UNKNOWN, absorb, attempt_of, channels_of
from placet.compile.ports import waits_here
from placet.compile.retry_budget import FREE, NONE_LEFT, SPENT, Draws, draws_of
from placet.net.roles import Kind
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.call_parts import Attempt, Call, Record
    from placet.net.roles import Role


def undo_call(call: Call, record: Record) -> None:
    """The call of the undo, by the saga's policy for an undo that fails."""
    stmt, ports, policy = call.stmt, call.ports, call.policy
    name = stmt.undo.name if stmt.undo else ""
    retries = policy.undo_retries if policy.undo_retries is not None else 0
    for_ever = policy.undo_failure == "retry" and policy.undo_retries is None
    draws = draws_of(call, undo=True) if retries or for_ever else FREE
    ready = ports.undo
    key = f"{stmt.id}#undo"
    for a in range(1, retries + 2):
        last = a == retries + 1
        attempt = attempt_of(call, a, [""], UNDO)
        asks = f"`{call.saga}` asks `{call.service}` for `{name}`" + (f", attempt {a}" if a > 1 else "")
        made = sends(call, f"undo.send[{a}]", ready, attempt, asks, call.role(Kind.SEND, UNDO, a))
        for sent in made if a == 1 else ():
            call.draft.step(key, sent)
        late: tuple[int, ...] = (attempt.gone,) if attempt.gone >= 0 else ()
        learns = call.role(Kind.REPLY, UNDO, a, ails=WELL)
        for answer in answers(call, attempt, WELL):
            pre, post = (*answer.pre, attempt.ok), (ports.undone, *late, *answer.post)
            told = call.does(
                f"undo.known[{a}]{answer.suffix}",
                pre,
                post,
                f"`{call.saga}` learns that `{name}` is done{answer.words}",
                learns,
            )
            if answer.suffix:
                call.draft.quiet.add(told)
        again, forgets = -1, late
        if not last:
            again = call.place(f"undo.ready[{a + 1}]", f"`{name}` is to be tried again")
        elif for_ever:
            again, forgets = ready, ()
        turn = _Turn(again, forgets, late, draws, last=last)
        refused = call.role(Kind.REPLY, UNDO, a, REJECTED, ails=ILL)
        for answer in answers(call, attempt, ILL):
            pre = (*answer.pre, attempt.errors[0][1])
            _fails(
                call,
                f"undo.refused[{a}]{answer.suffix}",
                pre,
                answer.post,
                (f"`{name}` fails", answer.words),
                refused,
                turn,
            )
        for block in blocked(call) if not (last and for_ever) else ():
            error = refused._replace(says=block.error, how="blocked", ails=0)
            words = (f"`{name}` is refused before `{call.service}` is asked", f": {block.words}")
            label = f"undo.blocked.{block.error}[{a}]{block.suffix}"
            _fails(call, label, (ready, *block.held), block.held, words, error, turn._replace(forgets=(), late=()))
        if attempt.due >= 0:
            timer = call.role(Kind.TIMER, UNDO, a, ails=ILL)
            for answer in answers(call, attempt, ILL):
                words = (f"`{name}` times out waiting for `{call.service}`", answer.words)
                pre = (*answer.pre, attempt.due)
                _fails(call, f"undo.timeout[{a}]{answer.suffix}", pre, answer.post, words, timer, turn)
            absorb(call, UNDO, a, attempt)
        undo_participant(call, a, attempt, record)
        agenda, env = call.agenda, call.env
        waits_here(agenda, env, ready, -1, stmt, call=(call.path, UNDO, 0))
        here = (call.path, UNDO, a)
        for place in waited(attempt):
            waits_here(agenda, env, place, -1, stmt, call=here, gone=attempt.gone)
        channels_of(call, UNDO, a, attempt, ("", UNKNOWN) if last and for_ever else ())
        ready = again


class _Turn(NamedTuple):
    """Where an attempt of an undo leads that fails: to the next one (-1: there is none), forgetting what is late or not."""

    again: int
    forgets: tuple[int, ...]
    late: tuple[int, ...]
    draws: Draws
    last: bool


def _fails(
    call: Call,
    label: str,
    pre: tuple[int, ...],
    post: tuple[int, ...],
    words: tuple[str, str],
    role: Role,
    turn: _Turn,
) -> None:
    """An attempt of an undo fails: it is tried again while retries are left, else given up."""
    quiet, draws = call.draft.quiet, turn.draws
    escalates = call.policy.undo_failure == "escalate"
    what, more = words
    for way in draws.ways if turn.again >= 0 else ():
        taken, given = (*pre, *way.taken), (turn.again, *turn.forgets, *post, *way.given)
        its = role._replace(escalates=turn.last and escalates, retries=way.how)
        quiet.add(call.does(f"{label}{way.suffix}", taken, given, f"{what} and is tried again{way.words}{more}", its))
    if turn.again >= 0 and not draws.none:
        return
    kept, suffix, nothing = ((), "", "") if turn.again < 0 else (draws.none, ".spent", f"{NONE_LEFT},")
    its = role._replace(escalates=escalates, retries=SPENT if kept else "")
    given = (_gives_up(call), *turn.late, *post, *kept)
    phrase = f"{what}{nothing} {_GIVES_UP[call.policy.undo_failure]}{more}"
    quiet.add(call.does(f"{label}{suffix}", (*pre, *kept), given, phrase, its))


_GIVES_UP = {
    "retry": "and the saga stops",
    "halt": "and the saga stops",
    "continue": "and nobody notices",
    "escalate": "and a person is called",
}


def _gives_up(call: Call) -> int:
    """Where the coordinator goes when an undo has failed for good."""
    return call.ports.undone if call.policy.undo_failure == "continue" else call.env.failed


def undo_participant(call: Call, a: int, attempt: Attempt, record: Record) -> None:
    """What the service does with an undo, by what it remembers of the step."""
    stmt = call.stmt
    undo = stmt.undo.name if stmt.undo else ""
    service = call.service
    request, ok = attempt.request, attempt.ok
    ignore = call.role(Kind.IGNORE, UNDO, a)
    if record.fresh < 0:
        call.there(f"undo.answer[{a}]", (request,), (ok,), f"`{service}` answers `{undo}`", ignore)
        return
    quiet = call.draft.quiet
    effect = call.role(Kind.APPLY, UNDO, a)
    undoes = f"`{undo}` undoes `{stmt.name}` at `{service}`"
    call.there(f"undo.apply[{a}]", (request, record.applied), (ok, record.undone), undoes, effect)
    nothing = f"`{undo}` finds nothing to undo"
    held = (request, record.fresh)
    if call.null_safe:
        to = record.cancelled if record.cancelled >= 0 else record.fresh
        quiet.add(call.there(f"undo.null[{a}]", held, (ok, to), nothing, ignore._replace(how="null")))
    else:
        phrase = f"`{undo}` runs at `{service}` though `{stmt.name}` was never applied"
        quiet.add(call.there(f"undo.null[{a}]", held, (ok, record.fresh), phrase, effect._replace(how="null")))
    held, after = (request, record.undone), (ok, record.undone)
    if call.idempotent:
        quiet.add(call.there(f"undo.repeat[{a}]", held, after, f"{nothing} any more", ignore._replace(how="repeat")))
    else:
        again = effect._replace(how="repeat")
        quiet.add(call.there(f"undo.repeat[{a}]", held, after, f"{undoes} once more", again))
    if record.cancelled >= 0:
        held, after = (request, record.cancelled), (ok, record.cancelled)
        quiet.add(call.there(f"undo.cancelled[{a}]", held, after, nothing, ignore._replace(how="null")))
