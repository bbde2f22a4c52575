"""Calls in a net that an importer made: what it knows of a task becomes the messages of a step or of its undo.

The importer's net has a transition by which a task is asked for, one by which it succeeds, one for each way to fail. Those
are the coordinator; between them come the request, the participant and the reply of the net of a call (docs/semantics.md),
so that faults are woven into an imported definition as into a saga. Failures that no message brings are left out: without
faults nothing fails.

Which attempt is waited for is a record, `attempt[a]`, that each request moves on; an answer counts only for the attempt that
it answers. The last attempt can be made again, since a state may lie on a loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.call_net import remembered
from placet.compile.call_participant import participant
from placet.compile.call_parts import FORWARD, UNDO, Call, absorb, attempt_of, channels_of
from placet.compile.call_undo import undo_participant
from placet.compile.draft import Draft
from placet.compile.env import Agenda, Env, Frame, Ports, Top
from placet.compile.survey import Survey
from placet.compile.value_table import Values
from placet.ir import model as ir
from placet.net.roles import Kind, Role
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.compile.call_parts import Attempt, Record
    from placet.compiled import Compiled
    from placet.net.core import Arcs

STILL = "what has no role does not fail"


class Site(NamedTuple):
    """One task of the net, in one scope: the transitions by which it is asked for and by which it ends.

    `errors` are its failures by the name of the reply that brings them, `late` those by which nobody waits any more.
    """

    waiting: int
    sends: tuple[int, ...]
    replies: tuple[int, ...]
    errors: tuple[tuple[str, tuple[int, ...]], ...]
    late: tuple[int, ...]
    attempts: int
    name: str = ""  # of the state
    suffix: str = ""  # of its ids, in one of several copies


class Sited(NamedTuple):
    """A step with its calls: the one that does it, and those that undo it, each with the name of its state.

    `follows` are the ids of the steps directly before it, which stand before it in the list of steps too.
    """

    step: ir.Step
    does: Site
    undoes: tuple[Site, ...] = ()
    follows: tuple[str, ...] = ()


def with_calls(compiled: Compiled, steps: Sequence[Sited], left_out: Iterable[int], process: ir.Process) -> Compiled:
    """The net in which these tasks are calls. `left_out` are transitions that are not in it. Linear in its size."""
    agenda = Agenda(Survey(process, {}), {}, {}, lambda *_: None, Values({}, set()))
    agenda.draft = _draft(compiled)
    frame = Frame(process, process.id)
    base = _Base(compiled, {*left_out})
    for sited in steps:
        call = _call(agenda, frame, sited.step, sited.does, sited.follows)
        record = remembered(call)
        _Calls(base, call, sited.does, 1, FORWARD, record).make()
        first = 1
        for site in sited.undoes:
            undo = sited.step.undo
            stmt = sited.step._replace(undo=undo and undo._replace(name=site.name))
            _Calls(base, _call(agenda, frame, stmt, site), site, first, UNDO, record).make()
            first += site.attempts
    draft = agenda.draft
    guarantees = tuple(dict.fromkeys(f"{s.service}: {g}" for s in draft.saga_steps for g in s.guarantees))
    assumptions = compiled.assumptions._replace(guarantees=(*compiled.assumptions.guarantees, *guarantees, STILL))
    made = draft.compiled(
        compiled.subject, compiled.kind, compiled.final.ends, assumptions, any_sink=compiled.final.any_sink
    )
    return without(made, base.gone)


class _Base:
    """What the net says of its transitions, looked up once; `gone` grows by those that calls take the place of."""

    def __init__(self, compiled: Compiled, gone: set[int]) -> None:
        self.names = compiled.net.transitions
        self.gone = gone
        self.takers: dict[int, list[int]] = {}
        for t, arcs in enumerate(compiled.net.pre):
            for p, _ in arcs:
                self.takers.setdefault(p, []).append(t)
        self.steps: dict[int, list[str]] = {}
        for name, found in compiled.steps:
            for t in found:
                self.steps.setdefault(t, []).append(name)


def _draft(compiled: Compiled) -> Draft:
    """A draft that goes on where this net ends. Nets of importers have arcs of weight one, and none that only read."""
    draft = Draft()
    net = compiled.net
    draft.places = {name: p for p, name in enumerate(net.places)}
    draft.names = list(net.places)
    draft.units = [(p, 1) for p in range(len(net.places))]
    draft.initial = list(compiled.initial)
    draft.classes = list(compiled.final.classes)
    draft.place_origins = list(compiled.origin.places)
    draft.transitions = {name: t for t, name in enumerate(net.transitions)}
    draft.pre, draft.post = list(net.pre), list(net.post)
    draft.inhibit = {t: arcs for t, arcs in enumerate(net.inhibit) if arcs}
    draft.transition_origins = list(compiled.origin.transitions)
    draft.roles = list(compiled.roles.transitions)
    draft.quiet = set(compiled.quiet)
    draft.steps = {name: list(found) for name, found in compiled.steps}
    return draft


def without(compiled: Compiled, gone: set[int]) -> Compiled:
    """The net without some transitions. Linear."""
    net = compiled.net
    kept = [t for t in range(len(net.transitions)) if t not in gone]
    number = {t: n for n, t in enumerate(kept)}

    def rows(column: tuple[Arcs, ...]) -> tuple[Arcs, ...]:
        return tuple([column[t] for t in kept])

    return compiled._replace(
        net=net._replace(
            transitions=tuple([net.transitions[t] for t in kept]),
            pre=rows(net.pre),
            post=rows(net.post),
            read=rows(net.read),
            inhibit=rows(net.inhibit),
            reset=tuple([net.reset[t] for t in kept]),
        ),
        roles=compiled.roles._replace(transitions=tuple([compiled.roles.transitions[t] for t in kept])),
        origin=compiled.origin._replace(transitions=tuple([compiled.origin.transitions[t] for t in kept])),
        quiet=frozenset(number[t] for t in compiled.quiet if t in number),
        steps=tuple((name, tuple(number[t] for t in found if t in number)) for name, found in compiled.steps),
    )


def _call(agenda: Agenda, frame: Frame, stmt: ir.Step, site: Site, follows: tuple[str, ...] = ()) -> Call:
    """One call; the copy of a step in an item of a Map is told by its number."""
    env = Env(frame, "", "", site.suffix, Top(frame), policy=ir.Policy(), before=follows)
    undo = stmt.undo and stmt.undo._replace(name=stmt.undo.name + site.suffix)
    stmt = stmt._replace(name=stmt.name + site.suffix, undo=undo, timeout=1.0 if site.late else None)
    return Call(agenda, stmt, Ports(-1, -1), env)


class _Calls:
    """The attempts of one call while its messages are put between the transitions of its task."""

    def __init__(self, base: _Base, call: Call, site: Site, first: int, direction: str, record: Record) -> None:
        self.base, self.call, self.site, self.first = base, call, site, first
        self.direction, self.record = direction, record
        self.draft = call.draft
        own = {*site.sends, *site.replies, *site.late, *(t for _, ts in site.errors for t in ts)}
        self.stops = [t for t in base.takers.get(site.waiting, ()) if t not in own and t not in base.gone]
        base.gone.update(own, self.stops)
        self.prefix = ("undo." if direction == UNDO else "") + (f"{first}." if first > 1 else "")

    def make(self) -> None:
        """All of it."""
        names = [name for name, _ in self.site.errors]
        site, call, first = self.site, self.call, self.first
        count = site.attempts
        made = [
            call.record(f"{self.prefix}attempt[{i}]", f"attempt {i} of `{site.name}` is the last one", int(i == 0))
            for i in range(count + 1)
        ]
        heard = -1
        for i in range(1, count + 1):
            attempt = attempt_of(call, first + i - 1, names, self.direction, site.waiting)
            if attempt.gone < 0 and self.stops:
                words = f"nobody waits any more for attempt {i} of `{site.name}`"
                attempt = attempt._replace(gone=call.record(f"{self.prefix}gone[{i}]", words))
            if i == count and attempt.gone >= 0:
                heard = call.record(f"{self.prefix}heard", f"the last attempt of `{site.name}` counts", 1)
            self._attempt(i, made, attempt, heard)

    def _attempt(self, i: int, at: list[int], attempt: Attempt, heard: int) -> None:
        call, site, a, direction = self.call, self.site, self.first + i - 1, self.direction
        last = i == site.attempts
        for t in site.sends:
            self._copy(t, i, (at[i - 1],), (at[i], attempt.request), call.role(Kind.SEND, direction, a))
            if last and heard >= 0:
                before, after = (at[i], attempt.gone), (at[i], heard, attempt.request)
                self._copy(t, i, before, after, call.role(Kind.SEND, direction, a), "again")
            elif last:
                self._copy(t, i, (at[i],), (at[i], attempt.request), call.role(Kind.SEND, direction, a), "again")
        over: tuple[int, ...] = (at[i],)
        then: tuple[int, ...] = (at[i],)
        if attempt.gone >= 0:
            then = (*then, attempt.gone)
            over = (*over, heard) if last else over
        reply = call.role(Kind.REPLY, direction, a)
        for t in site.replies:
            self._copy(t, i, (attempt.ok, *over), then, reply, quiet=False)
        for (_, ts), (_, place) in zip(site.errors, attempt.errors, strict=True):
            for t in ts:
                self._copy(t, i, (place, *over), then, reply)
        for t in site.late:
            self._copy(t, i, (attempt.due, *over), then, call.role(Kind.TIMER, direction, a), "late")
        for t in self.stops:
            self._copy(t, i, over, then, self.draft.roles[t])
        if attempt.gone >= 0:
            absorb(call, direction, a, attempt)
        (undo_participant if direction == UNDO else participant)(call, a, attempt, self.record)
        channels_of(call, direction, a, attempt, ())

    def _copy(
        self, t: int, i: int, pre: tuple[int, ...], post: tuple[int, ...], role: Role, tag: str = "", *,
        quiet: bool = True,
    ) -> None:  # fmt: skip
        """A transition of the coordinator with the messages and records of one attempt."""
        draft = self.draft
        suffix = (f"~{tag}" if tag else "") + (f"~{i}" if i > 1 else "")
        origin = draft.transition_origins[t]
        before = [p for p, w in draft.pre[t] for _ in range(w)]
        after = [p for p, w in draft.post[t] for _ in range(w)]
        made = draft.transition(
            f"{self.base.names[t]}#call{suffix}", (*before, *pre), (*after, *post), origin.id, origin.phrase, origin.span,
            origin.actor, role, origin.service,
        )  # fmt: skip
        draft.transition_origins[made] = origin._replace(service="")  # it is the coordinator's
        if t in draft.inhibit:
            draft.inhibit[made] = draft.inhibit[t]
        if quiet or t in draft.quiet:
            draft.quiet.add(made)
        for name in self.base.steps.get(t, ()):
            draft.step(name, made)
