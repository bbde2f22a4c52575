"""Choreographies resolved, and which parts of a file are joined by topics into one system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.bodies import Body
from placet.compile.data import Data
from placet.compile.flow import ends_of, flow
from placet.compile.steps import Steps
from placet.compile.vocabulary import Calls, statements
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from placet.compile.bodies import Callee
    from placet.compile.data import Known
    from placet.compile.declarations import Declarations
    from placet.compile.findings import Findings
    from placet.compile.topics import Topics


class Choreographies:
    """Resolves the choreographies of a file, once its processes are known."""

    def __init__(
        self,
        declared: Declarations,
        callees: Mapping[str, Callee],
        stepping: Mapping[str, bool],
        known: Known,
        topics: Topics,
        findings: Findings,
    ) -> None:
        self._declared = declared
        self._callees = callees
        self._stepping = stepping
        self._known = known  # the variables of the model, and the ids of those that are used
        self._topics = topics
        self._findings = findings

    def resolve(self, written: ast.Choreography) -> ir.Choreography:
        """One choreography; what cannot be used is reported and left out."""
        services: dict[str, ast.Name] = {}
        reactions: list[ir.Reaction] = []
        for member in written.members:
            first = services.setdefault(member.name.text, member.name)
            if first is not member.name:
                message = f"the service `{first.text}` stands twice in `{written.name.text}`"
                labels = (Label(first.span, "the first one"),)
                help_ = "put its handlers together, or rename one of them"
                self._findings.add("P200", message, member.name.span, labels=labels, help=help_)
                continue
            self._declared.used.add(member.name.text)
            reactions += self._reactions(written.name.text, member)
        return ir.Choreography(written.name.text, tuple(services), tuple(reactions), written.span)

    def _reactions(self, choreography: str, member: ast.Member) -> list[ir.Reaction]:
        found: list[ir.Reaction] = []
        seen: set[str] = set()
        for reaction in member.reactions:
            topic, event = self._topics.message(reaction.event, "on"), reaction.event.text
            if event in seen:
                message = f"`{event}` is handled further up already"
                self._findings.add("P210", message, reaction.event.span, help="put the two handlers together")
                continue
            seen.add(event)
            name = f"{choreography}/{member.name.text}[{event}]"
            handler = ast.Process(
                "handler", ast.Name(name, reaction.event.span), None, reaction.body, (), reaction.span
            )
            steps = Steps(name, self._declared, self._findings)
            common, used, params, arrays = self._known
            data = Data(common, self._findings, params)
            body = Body(handler, steps, self._callees, data, self._topics, self._findings, arrays=arrays).build()
            used |= data.used
            steps.close()
            for statement in statements(body):
                if isinstance(statement, ir.Call) and self._stepping.get(statement.target):
                    message = f"a handler cannot call `{statement.target}`, which has saga steps"
                    help_ = f"let the saga wait for the message: begin it with `receive {event}`"
                    self._findings.add("P274", message, statement.span, help=help_)
            if topic:
                process = ir.Process(name, "workflow", body, ())
                ends = ends_of(process, flow(process))
                found.append(ir.Reaction(name, member.name.text, topic, event, body, ends, reaction.span))
        return found


def as_processes(choreographies: Iterable[ir.Choreography]) -> dict[str, ir.Process]:
    """Choreographies as what checks may name: processes without ends whose ways are the handlers."""
    return {
        c.id: ir.Process(
            c.id,
            "choreography",
            ir.Parallel(f"{c.id}{{}}", tuple([ir.Way(r.id, None, r.body, r.span) for r in c.reactions])),
            (),
            span=c.span,
        )
        for c in choreographies
    }


def messages(body: ir.Statement) -> tuple[set[str], set[str]]:
    """The messages that a body publishes, and those that it waits for."""
    sent: set[str] = set()
    awaited: set[str] = set()
    for statement in statements(body):
        if isinstance(statement, ir.Publish):
            sent.add(statement.event)
        elif isinstance(statement, ir.Receive) and statement.topic:
            awaited.add(statement.event)
    return sent, awaited


class Members:
    """What stands side by side in a file: the processes that no other one calls, with what they call, and choreographies."""

    def __init__(self, processes: Mapping[str, ir.Process], choreographies: Iterable[ir.Choreography]) -> None:
        targets = {
            p.id: frozenset(s.target for s in statements(p.body) if isinstance(s, ir.Call) and not s.detached)
            for p in processes.values()
        }
        calls = Calls(targets)
        self.sent: dict[str, set[str]] = {}
        self.awaited: dict[str, set[str]] = {}
        for name in calls.uncalled():
            parts = [messages(processes[p].body) for p in calls.reach(name) if p in processes]
            self.sent[name] = set().union(*(s for s, _ in parts))
            self.awaited[name] = set().union(*(a for _, a in parts))
        for choreography in choreographies:
            parts = [messages(r.body) for r in choreography.reactions]
            self.sent[choreography.id] = set().union(*(s for s, _ in parts))
            self.awaited[choreography.id] = {r.event for r in choreography.reactions}.union(*(a for _, a in parts))

    def joined(self) -> bool:
        """Whether some member waits for what another one publishes."""
        return any(
            not sent.isdisjoint(awaited)
            for sender, sent in self.sent.items()
            for reader, awaited in self.awaited.items()
            if sender != reader
        )

    def users(self, topic: str) -> list[str]:
        """The members that publish to a topic or read it."""
        prefix = f"{topic}."
        return [m for m in self.sent if any(e.startswith(prefix) for e in (*self.sent[m], *self.awaited[m]))]
