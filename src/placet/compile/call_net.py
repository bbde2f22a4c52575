"""The net of a call: a request whose outcome the coordinator may never learn (docs/semantics.md, first picture).

ready -> request[a] + waiting[a]; the participant applies, ignores or refuses by what it remembers (`fresh`, `applied`,
`undone`, `cancelled`: exactly one holds a token) and answers; the coordinator learns the reply. A time-out takes
`waiting[a]` and `due[a]`, and only a message that is lost or slow marks `due[a]`: without faults no time-out fires, and
no inhibitor arc is needed. After a time-out `gone[a]` stays marked, and late replies of that attempt are thrown away;
late requests stay in flight and are carried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_kinds import exists
from placet.compile.call_limits import ILL, WELL, answers, blocked, sends, waited
from placet.compile.call_mistaken import mistaken
from placet.compile.call_participant import participant
from placet.compile.call_parts import (
    FORWARD,
    REJECTED,
    TIMEOUT,
    UNKNOWN,
    Call,
    Record,
    absorb,
    attempt_of,
    channels_of,
)
from placet.compile.call_undo import undo_call
from placet.compile.env import backwards
from placet.compile.ports import asks, moved, waits_here
from placet.compile.retry_budget import FREE, NONE_LEFT, Draws, draws_of
from placet.compile.undo_stack import lay, wrapped
from placet.net.roles import Kind, Role
from placet.net.roles import Step as StepRecord
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.compile.call_limits import Blocked
    from placet.compile.call_parts import Attempt
    from placet.compile.env import Agenda, Env, Ports, Throw
    from placet.ir.model import ErrorRule, Step


def step(agenda: Agenda, stmt: Step, ports: Ports, env: Env) -> None:
    """A step of a saga: its call, and from its undo port the call of its undo."""
    draft = agenda.draft
    its = env.stacked if stmt.undo is not None else None
    around = None
    if its is not None:
        around = wrapped(agenda, stmt, ports, env, its)
        ports = around.forward
    call = Call(agenda, stmt, ports, env)
    name = stmt.name
    first = len(draft.roles)
    record = remembered(call)
    for other in stmt.undo_after:
        if (stmt.id, other) not in env.waits:
            message = f"the undo of `{name}` cannot wait for that of `{other}`: they are not parts of one sequence"
            agenda.report(
                "P403", "error", message, stmt.span, help="leave `undo_after` out, or put one after the other"
            )
    asks(agenda, env, ports, stmt, call.path)
    _forward(call, record)
    if its is not None and around is not None:
        lay(agenda, stmt, its, around, first)
        call.ports = around.backward
    if stmt.pivot:
        made = call.does(
            "past", (ports.undo,), (env.failed,), f"`{call.saga}` cannot go back behind `{name}`", Role(Kind.ROUTE)
        )
        draft.quiet.add(made)
    elif stmt.undo:
        undo_call(call, record)


def remembered(call: Call) -> Record:
    """The record of a step at its participant, and the step in the table of roles."""
    stmt, name = call.stmt, call.stmt.name
    record = Record()
    if not stmt.read_only:
        record = Record(
            call.record("record.fresh", f"`{call.service}` has not applied `{name}`", 1, call.service),
            call.record("record.applied", f"`{name}` is applied at `{call.service}`", 0, call.service),
            call.record("record.undone", f"`{name}` was applied at `{call.service}` and undone", 0, call.service)
            if stmt.undo
            else -1,
            call.record("record.cancelled", f"`{call.service}` remembers that `{name}` was cancelled", 0, call.service)
            if stmt.undo and call.barrier
            else -1,
        )
    call.draft.saga_steps.append(
        StepRecord(
            call.path,
            call.actor,
            call.service,
            stmt.undo.name if stmt.undo else "",
            stmt.pivot,
            stmt.retriable,
            stmt.read_only,
            tuple(sorted(call.guarantees)),
            tuple([call.env.path(s) for s in stmt.after]),
            -1,
            stmt.undo is not None and stmt.undo.input == "reply",
            tuple(place for place in record if place >= 0) if stmt.key else (),
            stmt.key,
            call.env.before,
        )
    )
    return record


# -- forward ---------------------------------------------------------------------------------------------------------


class _Turn(NamedTuple):
    """Where an attempt leads that fails: `undone` says whether the step is undone itself where it is known to have failed, and where not."""

    ready: int
    after: int  # the next attempt; -1 after the last one
    again: list[str]  # the outcomes after which this attempt is made again, for ever
    undone: tuple[bool, bool]
    doubts: tuple[int, int]
    draws: Draws = FREE  # how it may be tried again


def _rules(stmt: Step, local: Iterable[str] = ()) -> list[tuple[str, ErrorRule | None]]:
    """The error replies of a step by name, the unnamed one first, each with its rule; not those that are `local`."""
    aside = {"other", TIMEOUT, exists(stmt), *local}
    named = [(r.error, r) for r in stmt.errors if r.error not in aside]
    other = next((r for r in stmt.errors if r.error == "other"), None)
    return [("", other), *named]


def stops_at_timeout(stmt: Step) -> str:
    """`halt` or `escalate` where a time-out stops the saga, else empty."""
    return next((r.action for r in stmt.errors if r.error == TIMEOUT and r.action in ("halt", "escalate")), "")


def _unknown(stmt: Step, timed: str, unknown: str) -> str:
    """The words for an outcome that is unknown, where only a time-out can make it so, or also an error."""
    return unknown if any(rule.action == "unknown" for rule in stmt.errors) else timed


def _forward(call: Call, record: Record) -> None:
    stmt = call.stmt
    blocks = blocked(call)
    rules = _rules(stmt, [b.error for b in blocks])
    attempts = 1 + max([stmt.retry, *(rule.retry for rule in stmt.errors)])
    policy = call.policy
    ready = call.ports.start
    made: list[tuple[int, Attempt]] = []
    for a in range(1, attempts + 1):
        if a > 1:
            ready = call.place(f"ready[{a}]", f"`{stmt.name}` is to be tried again")
        made.append((ready, attempt_of(call, a, [name for name, _ in rules])))
    waits_for_ever = not call.asks and (stmt.retriable or stmt.pivot or policy.on_unknown == "retry")
    undone = stmt.undo is not None and policy.register != "after" and not stmt.pivot
    unclear = undone and policy.undo_failing != "no" and policy.on_unknown in ("undo", "retry")
    clean = undone and policy.undo_failing == "yes"
    timed = call.timed
    draws = draws_of(call) if attempts > 1 else FREE
    unsure = timed or any(rule.action == "unknown" for rule in stmt.errors)
    given_up = undone and policy.undo_failing != "no" and policy.on_unknown != "ignore"  # where nobody waits any more
    noted = (
        undone and policy.register == "submit" and waits_for_ever
    )  # it is undone before it is asked for the first time
    insists = (stmt.retriable and (clean or given_up)) or (noted and not (clean and unclear))
    told_apart = clean != unclear or clean != given_up or (clean and policy.on_unknown == "retry") or insists
    doubts = unsure and (told_apart or stmt.pivot or call.asks) and (attempts > 1 or waits_for_ever)
    sure = (
        call.record(
            "sure",
            f"no attempt of `{stmt.name}` {_unknown(stmt, 'has timed out', 'has an outcome that is unknown')}",
            1,
        )
        if doubts
        else -1
    )
    doubt = (
        call.record(
            "doubt",
            f"an attempt of `{stmt.name}` {_unknown(stmt, 'has timed out', 'has an outcome that is unknown')}",
            0,
        )
        if doubts
        else -1
    )
    for a, (ready, attempt) in enumerate(made, start=1):
        after = made[a][0] if a < attempts else -1
        again: list[str] = []
        if timed:
            target = after if a <= stmt.retry else -1
            if target < 0 and waits_for_ever and not stops_at_timeout(stmt):
                target = ready
                again.append(UNKNOWN)
            counted = FREE if waits_for_ever or a > stmt.retry else draws
            _times_out(call, a, attempt, target, unclear, (sure, doubt), counted)
        _learns(call, a, attempt)
        turn = _Turn(ready, after, again, (clean, unclear), (sure, doubt), draws)
        for name, rule in rules:
            _refused(call, a, attempt, name, rule, turn)
        if attempt.exists >= 0 and (before := next((r for r in stmt.errors if r.error == exists(stmt)), None)):
            _refused(call, a, attempt, before.error, before, turn)
        for block in blocks:
            _blocked(call, a, attempt, block, turn)
        participant(call, a, attempt, record, again=bool(again))
        channels_of(call, FORWARD, a, attempt, tuple(again))
        _sends(call, a, ready, attempt)
        _moments(call, a, ready, attempt, (clean, given_up), (sure, doubt), again=bool(again))
    if call.asks:
        _asked(call, record, clean)
        back = -1 if stmt.pivot else call.ports.undo if given_up else call.ports.undone
        waits_here(call.agenda, call.env, call.asking, back, stmt, call=(call.path, FORWARD, 0))
    if stmt.correlation != "attempt":
        mistaken(call, [attempt for _, attempt in made])


def _asked(call: Call, record: Record, clean: bool) -> None:  # noqa: FBT001
    """The service says whether it has applied a step whose outcome is unknown; a question is put until it is answered.

    What it has not applied yet it may apply later, when the request arrives.
    """
    stmt, service = call.stmt, call.service
    role = call.role(Kind.REPLY, FORWARD, 0, "was done")
    asks = f"`{call.saga}` asks what became of `{stmt.name}`"
    held = (call.asking, record.applied)
    words = f"{asks}: `{service}` has applied it"
    made = call.does("told.applied", held, (call.ports.done, record.applied), words, role)
    call.draft.quiet.add(made)
    call.draft.step(stmt.id, made)
    words = f"{asks}: `{service}` has not applied it"
    role = role._replace(says="was not done")
    for name in ("fresh", "undone", "cancelled"):
        place = getattr(record, name)
        if place < 0:
            continue
        _leaves(call, f"told.{name}", (call.asking, place), (place,), _fails(call, clean, TIMEOUT), words, role)


def _moments(
    call: Call, a: int, ready: int, attempt: Attempt, undone: tuple[bool, bool], doubts: tuple[int, int], *, again: bool
) -> None:
    """Where a cancellation or a crash may find one attempt: about to be made, or waited for.

    `undone` says whether the step is undone itself where it is known to have failed, and where that is not known.
    """
    agenda, env, stmt, ports = call.agenda, call.env, call.stmt, call.ports
    clean, unclear = (ports.undo if itself else ports.undone for itself in undone)
    if stmt.pivot:
        unclear = -1  # it may have been carried out: there is no way back before that is known
    about = (call.path, FORWARD, 0)
    gone = attempt.gone if again else -1  # of what is asked for ever an earlier reply may still be on its way
    if a > 1 or again:
        sure, doubt = doubts
        if sure >= 0:
            if a > 1 or not moved(agenda, ready, sure, gone):  # what has not begun is no less found where it began
                waits_here(
                    agenda, env, ready, clean if a > 1 else ports.undone, stmt, call=about, gone=gone, keeps=(sure,)
                )
            waits_here(agenda, env, ready, unclear, stmt, call=about, gone=gone, keeps=(doubt,))
        elif a > 1:
            waits_here(agenda, env, ready, unclear if call.timed else clean, stmt, call=about, gone=gone)
        elif (unclear if call.timed else clean) == ports.undone:  # nothing is to be undone, whether it was asked or not
            waits_here(agenda, env, ready, ports.undone, stmt, call=about, gone=gone, again=True)
        else:  # asked for ever, and nothing tells the first time from the others
            agenda.draft.ports.pop((ready, ()), None)
            waits_here(agenda, env, ready, -1, stmt, call=about, gone=gone)  # for what needs no way back
    here = (call.path, FORWARD, a)
    for place in waited(attempt):
        waits_here(agenda, env, place, unclear, stmt, call=here, gone=attempt.gone)


def _sends(call: Call, a: int, ready: int, attempt: Attempt) -> None:
    name, service = call.stmt.name, call.service
    phrase = f"`{call.saga}` asks `{service}` for `{name}`" + (f", attempt {a}" if a > 1 else "")
    sends(call, f"send[{a}]", ready, attempt, phrase, call.role(Kind.SEND, FORWARD, a))


def _learns(call: Call, a: int, attempt: Attempt) -> None:
    stmt = call.stmt
    late = (attempt.gone,) if attempt.gone >= 0 else ()
    role = call.role(Kind.REPLY, FORWARD, a, ails=WELL)
    phrase = f"`{call.saga}` learns that `{stmt.name}` is done"
    _done(call, f"known[{a}]", attempt, attempt.ok, late, phrase, role)
    if attempt.exists >= 0:
        _known_before(call, a, attempt, late)
    if attempt.gone >= 0:
        absorb(call, FORWARD, a, attempt)


def _done(call: Call, name: str, attempt: Attempt, reply: int, late: tuple[int, ...], phrase: str, role: Role) -> None:
    """A reply that says that the step is done."""
    for answer in answers(call, attempt, WELL):
        pre, post = (*answer.pre, reply), (call.ports.done, *late, *answer.post)
        made = call.does(name + answer.suffix, pre, post, phrase + answer.words, role)
        call.draft.step(call.stmt.id, made)
        if answer.suffix:
            call.draft.quiet.add(made)


def _known_before(call: Call, a: int, attempt: Attempt, late: tuple[int, ...]) -> None:
    """The service says that it has carried out the request before: the step is done, unless the model takes it for something else."""
    stmt = call.stmt
    error = exists(stmt)
    rule = next((rule for rule in stmt.errors if rule.error == error), None)
    if rule is None:
        role = call.role(Kind.REPLY, FORWARD, a, error, ails=WELL)
        phrase = f"`{call.saga}` learns that `{stmt.name}` was done before"
        _done(call, f"known[{a}].before", attempt, attempt.exists, late, phrase, role)


def _fails(call: Call, undo_itself: bool, error: str) -> Throw:  # noqa: FBT001
    """Where the step goes that failed for good: into its own undo, or backwards past it."""
    place = call.ports.undo if undo_itself else call.ports.undone
    return backwards(place, call.env.scope, error)


def _leaves(
    call: Call, name: str, pre: tuple[int, ...], post: tuple[int, ...], throw: Throw, phrase: str, role: Role
) -> None:
    """A transition to where a failure goes, and its twin for a scope that has an error to remember already."""
    quiet = call.draft.quiet
    role = role._replace(commits=True)
    quiet.add(call.does(name, (*pre, *throw.pre), (*post, *throw.post), phrase, role))
    if throw.later:
        before, after = throw.later
        quiet.add(call.does(f"{name}.later", (*pre, *before), (*post, *after), phrase, role))


def _times_out(
    call: Call,
    a: int,
    attempt: Attempt,
    target: int,
    unclear: bool,  # noqa: FBT001
    doubts: tuple[int, int],
    draws: Draws,
) -> None:
    """A time-out leads to the next attempt, at `target`, while retries are left, else to where a failure goes."""
    stmt = call.stmt
    role = call.role(Kind.TIMER, FORWARD, a, ails=ILL)
    for answer in answers(call, attempt, ILL):
        phrase = f"`{stmt.name}` times out waiting for `{call.service}`{answer.words}"
        label = f"timeout[{a}]{answer.suffix}"
        pre, gone = (*answer.pre, attempt.due), (attempt.gone, *answer.post)
        if target < 0:
            _gives_up_waiting(call, label, pre, gone, phrase, role, unclear)
            continue
        # an attempt that is made for ever is still waited for: any reply of it will do
        after = (target, *answer.post) if a > stmt.retry else (target, *gone)
        for way in draws.ways:
            its, taken, given = way.of(role), (*pre, *way.taken), (*after, *way.given)
            _unclear(call, f"{label}{way.suffix}", taken, given, f"{phrase}{way.words}", its, doubts)
        if draws.none:
            taken, given = (*pre, *draws.none), (*gone, *draws.none)
            _gives_up_waiting(call, f"{label}.spent", taken, given, f"{phrase}{NONE_LEFT}", role, unclear)


def _gives_up_waiting(
    call: Call,
    name: str,
    pre: tuple[int, ...],
    post: tuple[int, ...],
    phrase: str,
    role: Role,
    unclear: bool,  # noqa: FBT001
) -> None:
    """The last attempt has timed out: the saga stops, asks, or turns back."""
    if action := stops_at_timeout(call.stmt):
        _stops(call, name, pre, post, phrase, role, action)
    elif call.asks:
        call.draft.quiet.add(call.does(name, pre, (call.asking, *post), phrase, role))
    else:
        _leaves(call, name, pre, post, _fails(call, unclear, TIMEOUT), phrase, role)


def _unclear(
    call: Call, name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str, role: Role, doubts: tuple[int, int]
) -> None:
    """An attempt whose outcome is unknown is made again, which is remembered where it makes a difference later."""
    quiet = call.draft.quiet
    sure, doubt = doubts
    if sure < 0:
        quiet.add(call.does(name, pre, post, phrase, role))
        return
    quiet.add(call.does(name, (*pre, sure), (*post, doubt), phrase, role))
    quiet.add(call.does(f"{name}.again", (*pre, doubt), (*post, doubt), phrase, role))


def _stops(
    call: Call, name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str, role: Role, action: str
) -> None:
    """The saga ends failed, with nothing undone; somebody hears of it, or nobody does."""
    phrase = f"{phrase}, {'and a person is called' if action == 'escalate' else 'and the saga stops'}"
    role = role._replace(commits=True, escalates=action == "escalate")
    call.draft.quiet.add(call.does(name, pre, (call.env.failed, *post), phrase, role))


def _refused(call: Call, a: int, attempt: Attempt, name: str, rule: ErrorRule | None, turn: _Turn) -> None:
    """What the coordinator does about one error reply of one attempt."""
    place = attempt.exists if attempt.exists >= 0 and name == exists(call.stmt) else dict(attempt.errors)[name]
    label = f"error.{name}[{a}]" if name else f"refused[{a}]"
    words = f"`{call.saga}` learns that `{call.stmt.name}` is refused" + (f": {name}" if name else "")
    late = (attempt.gone,) if attempt.gone >= 0 else ()
    answered = rule is not None and name == rule.error and rule.action == "reject" and not rule.retry
    health = WELL if answered else ILL
    role = call.role(Kind.REPLY, FORWARD, a, name or REJECTED, ails=health)
    for answer in answers(call, attempt, health):
        pre = (*answer.pre, place)
        _turns(call, a, label + answer.suffix, pre, (late, answer.post), words + answer.words, (role, rule), turn)


def _blocked(call: Call, a: int, attempt: Attempt, block: Blocked, turn: _Turn) -> None:
    """A call that is refused before it is made: nothing was done. What is made for ever just waits until it is let through."""
    stmt = call.stmt
    rule = next((rule for rule in stmt.errors if rule.error == block.error), None)
    label = f"blocked.{block.error}[{a}]{block.suffix}"
    words = f"`{stmt.name}` is refused before `{call.service}` is asked: {block.words}"
    role = call.role(Kind.REPLY, FORWARD, a, block.error, how="blocked")
    late = (attempt.gone,) if turn.again and attempt.gone >= 0 else ()  # it may have been made before
    _turns(call, a, label, (turn.ready, *block.held), (late, block.held), words, (role, rule), turn)


def _turns(
    call: Call,
    a: int,
    label: str,
    pre: tuple[int, ...],
    given: tuple[tuple[int, ...], tuple[int, ...]],
    words: str,
    refusal: tuple[Role, ErrorRule | None],
    turn: _Turn,
) -> None:
    """Where an attempt leads that is refused. What is `given` besides: where nobody waits for it any more, and in any case."""
    stmt, quiet = call.stmt, call.draft.quiet
    role, rule = refusal
    late, post = given
    kept = (*late, *post)
    before = role.how == "blocked"
    retry, action = (rule.retry, rule.action) if rule is not None else (stmt.retry, "reject")
    sure, doubt = turn.doubts
    insists = call.policy.on_unknown == "retry" or (stmt.pivot and not call.asks)
    for_ever = stmt.retriable or (action == "unknown" and insists)
    if a <= retry and turn.after >= 0:
        draws = FREE if for_ever else turn.draws
        for way in draws.ways:
            its, taken, after = (
                way.of(role),
                (*pre, *way.taken),
                (turn.after, *kept, *way.given),
            )
            if action == "unknown":
                _unclear(call, f"{label}{way.suffix}", taken, after, f"{words}{way.words}", its, turn.doubts)
            else:
                quiet.add(call.does(f"{label}{way.suffix}", taken, after, f"{words}{way.words}", its))
        if not draws.none:
            return
        label, words, pre, post = f"{label}.spent", f"{words}{NONE_LEFT}", (*pre, *draws.none), (*post, *draws.none)
        kept = (*late, *post)
    if action in ("escalate", "halt"):
        _stops(call, label, pre, kept, words, role, action)
        return
    if for_ever and before:
        return
    if for_ever:
        turn.again.append("" if role.says == REJECTED else role.says)
        if action == "unknown":
            _unclear(call, label, pre, (turn.ready, *post), words, role, turn.doubts)
        else:
            quiet.add(call.does(label, pre, (turn.ready, *post), words, role))
        return
    clean, unclear = turn.undone
    error = role.says
    if call.asks and action == "unknown":
        quiet.add(call.does(label, pre, (call.asking, *kept), words, role))
        return
    if action == "unknown":
        _leaves(call, label, pre, kept, _fails(call, unclear, error), words, role)
        return
    if sure < 0:
        _leaves(call, label, pre, kept, _fails(call, clean, error), words, role)
        return
    _leaves(call, label, (*pre, sure), (*kept, sure), _fails(call, clean, error), words, role)
    if stmt.pivot and not call.asks:
        late_words = f"{words}, after {_unknown(stmt, 'a time-out', 'an attempt whose outcome is unknown')}"
        if not before:
            quiet.add(call.does(f"{label}.doubt", (*pre, doubt), (turn.ready, doubt, *post), late_words, role))
        return
    words = (
        f"{words}, but {_unknown(stmt, 'an earlier attempt timed out', 'the outcome of an earlier attempt is unknown')}"
    )
    if call.asks:
        quiet.add(call.does(f"{label}.doubt", (*pre, doubt), (call.asking, *kept, doubt), words, role))
        return
    _leaves(call, f"{label}.doubt", (*pre, doubt), (*kept, doubt), _fails(call, unclear, error), words, role)
