"""Graphs as drawn: a place for each flow, a transition for each node and way.

A graph in which only one token can move is done when that token reaches a node without outgoing flow. One with forks is
a *region*: `active` counts its tokens, its transitions fire only while `running` is marked, and it is done when `active`
is empty (an inhibitor arc). Cancelling a region takes `running`, so that nothing in it fires any more, then its tokens
one by one, each with one of `active`, until `active` is empty. That is right for every region, safe or not, because
`active` is by construction the number of tokens in the region, so that no place need be tested for emptiness.

The body of a process needs no region unless it can be cancelled: its ends may hold several tokens, and a run is over when
all else is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.draft import RECORD
from placet.compile.env import Exit, Fork, Forked, Ports, Thread
from placet.compile.phrases import done as had
from placet.compile.phrases import next_up
from placet.compile.statements import name_of
from placet.compile.survey import NO_CHOICE, concurrent
from placet.compile.threads import finish_fork, finish_thread
from placet.ir.model import End, Gateway, Scope
from placet.net.roles import PLAIN, Kind, Role

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Flow, Graph, Statement
    from placet.source import Span

END = Role(Kind.END)


def graph(agenda: Agenda, stmt: Graph, ports: Ports, env: Env) -> None:
    """A graph between its ports. Linear in nodes and flows, but for a walk from each inclusive split to its join."""
    drawing = _Drawing(agenda, stmt, ports, env)
    ends = any(isinstance(n, End) and n.terminate for n in stmt.nodes)
    if concurrent(stmt) and (not drawing.whole or ends or agenda.survey.of(stmt).errors):
        drawing.open()
    drawing.places()
    drawing.enter()
    for node in stmt.nodes:
        if isinstance(node, Gateway):
            drawing.gateway(node)
        else:
            drawing.activity(node)


class _Drawing:
    """A graph while it is compiled: flows by node, the place of each flow, and how its tokens are counted."""

    def __init__(self, agenda: Agenda, stmt: Graph, ports: Ports, env: Env) -> None:
        self.agenda = agenda
        self.quiet = agenda.draft.quiet
        self.stmt = stmt
        self.ports = ports
        self.outer = env
        self.env = env
        self.path = env.path(stmt.id)
        self.fork: Fork | None = None
        self.running = self.active = -1
        self.whole = env.frame.root and env.frame.process.body is stmt
        self.first = len(agenda.draft.transitions)
        self.into: dict[str, list[Flow]] = {}
        self.out: dict[str, list[Flow]] = {}
        for flow in stmt.flows:
            self.into.setdefault(flow.target, []).append(flow)
            self.out.setdefault(flow.source, []).append(flow)
        self.place: dict[str, int] = {}  # by flow
        self.entry: dict[str, int] = {}  # by node that starts

    # -- building blocks

    def new(self, name: str, origin: str, phrase: str, span: Span | None) -> int:
        """A place of the graph."""
        return self.agenda.place(name, self.env, origin, phrase, span)

    def move(
        self, name: str, pre: tuple[int, ...], post: tuple[int, ...], origin: str, phrase: str, span: Span | None,
        role: Role = PLAIN, *, taken: int | None = None, given: int | None = None,
    ) -> int:  # fmt: skip
        """A transition of the graph. `taken` and `given` are its tokens of the graph, where other places are among them."""
        if self.active >= 0:
            more = (len(post) if given is None else given) - (len(pre) if taken is None else taken)
            pre = (*pre, *((self.active,) * -more))
            post = (*post, *((self.active,) * more))
        return self.agenda.move(name, pre, post, self.env, origin, phrase, span, role)

    # -- the region

    def open(self) -> None:
        """Make the graph a region that can be counted and cancelled."""
        stmt, env, agenda = self.stmt, self.env, self.agenda
        draft, path = agenda.draft, self.path
        actor = env.frame.path
        word = name_of(stmt.id)
        if self.whole:
            self.running = agenda.place(
                f"{path}#running", env, stmt.id, f"`{word}` is not cancelled", stmt.span, RECORD
            )
        else:
            self.running = draft.place(f"{path}#running", stmt.id, f"`{word}` is running", stmt.span, actor)
        self.active = draft.place(
            f"{path}#active", stmt.id, f"paths of `{word}` that are still going on", stmt.span, actor
        )
        cancelling = draft.place(f"{path}#cancelling", stmt.id, f"`{word}` is being cancelled", stmt.span, actor)
        drained = draft.place(f"{path}#cancelled", stmt.id, f"`{word}` is cancelled", stmt.span, actor)
        raised = draft.place(f"{path}#thrown", stmt.id, f"an error was raised in `{word}`", stmt.span, actor)
        fork = self.fork = Fork(path, env, stmt.id, stmt.span, self.running)
        thread = Thread()
        thread.places.append(raised)
        pre = (cancelling, self.active)
        thread.exits.append(
            Exit(f"{path}#cancel", pre, (cancelling,), f"a path of `{word}` is cancelled", stmt.id, stmt.span, PLAIN)
        )
        fork.ways.append((thread, cancelling, drained, raised))
        if env.thread is not None:
            env.thread.forks.append(fork)
        agenda.later(finish_fork, fork)
        agenda.later(_finish_region, self, thread, cancelling, drained)
        self.env = env._replace(thread=thread, route=Forked(fork, thread), active=self.active)

    def places(self) -> None:
        """A place for each flow; those behind an event gateway are the place in front of it."""
        waiting = {n.id: n for n in self.stmt.nodes if isinstance(n, Gateway) and n.kind == "event"}
        for flow in self.stmt.flows:
            if flow.source not in waiting:
                phrase = f"on the way from `{name_of(flow.source)}` to `{name_of(flow.target)}`"
                self.place[flow.id] = self.new(self.env.path(flow.id), flow.id, phrase, flow.span)
        for identifier, node in waiting.items():
            path = self.env.path(identifier)
            front = self.new(f"{path}#wait", identifier, f"waiting at `{name_of(identifier)}`", node.span)
            for flow in self.out.get(identifier, ()):
                self.place[flow.id] = front

    def enter(self) -> None:
        """The start of the graph: with several start nodes any one of them."""
        stmt = self.stmt
        spans = {n.id: n.span for n in stmt.nodes}
        if len(stmt.start) == 1 and self.fork is None:
            self.entry[stmt.start[0]] = self.ports.start
            return
        for node in stmt.start:
            path = self.env.path(node)
            place = self.entry[node] = self.new(
                f"{path}#entry", node, f"about to start at `{name_of(node)}`", spans.get(node)
            )
            region = () if self.fork is None else (self.running, self.active)
            made = self.agenda.move(
                f"{path}#enter",
                (self.ports.start,),
                (place, *region),
                self.outer,
                node,
                f"`{name_of(node)}` starts",
                spans.get(node),
            )
            self.quiet.add(made)

    # -- nodes

    def incoming(self, node: Statement | Gateway) -> list[tuple[str, int]]:
        """The places that lead to a node, each with a name."""
        found = [(flow.id, self.place[flow.id]) for flow in self.into.get(node.id, ())]
        if node.id in self.entry:
            found.append(("entry", self.entry[node.id]))
        return list({place: (name, place) for name, place in found}.values())

    def front(self, node: Statement | Gateway) -> int:
        """The place from which a node starts, once for each token that arrives (an implicit merge)."""
        found = self.incoming(node)
        if len(found) == 1:
            return found[0][1]
        path = self.env.path(node.id)
        place = self.new(f"{path}#in", node.id, next_up(node), node.span)
        for name, arrived in found:
            words = f"`{name_of(node.id)}` is reached"
            self.quiet.add(self.move(f"{path}#from.{name}", (arrived,), (place,), node.id, words, node.span))
        return place

    def behind(self, node: Statement | Gateway, exit_: str = "") -> int:
        """The place that a node leaves its token on; what follows from there is made here."""
        flows = [f for f in self.out.get(node.id, ()) if f.exit == exit_]
        if len(flows) == 1:
            return self.place[flows[0].id]
        path = self.env.path(node.id) + (f"#exit.{exit_}" if exit_ else "")
        if not flows and self.fork is None:
            return self.ports.done
        done = self.new(f"{path}#out", node.id, had(node), node.span)
        if not flows:
            self.path_end(path, done, node)
        elif any(f.guard is not None for f in flows):
            self.subset(path, done, flows, {})
        else:
            words = f"{len(flows)} paths go on from `{name_of(node.id)}`"
            self.quiet.add(self.move(f"{path}#split", (done,), self.targets(flows), node.id, words, node.span))
        return done

    def targets(self, flows: list[Flow]) -> tuple[int, ...]:
        """The places of flows."""
        return tuple(self.place[f.id] for f in flows)

    def path_end(self, path: str, place: int, node: Statement | Gateway) -> None:
        """A path ends here; the body of a process notes it at its end, an inner region only counts."""
        words = f"a path ends at `{name_of(node.id)}`"
        post = (self.ports.done,) if self.whole or self.fork is None else ()
        self.quiet.add(self.move(f"{path}#over", (place,), post, node.id, words, node.span, taken=1, given=0))

    def activity(self, node: Statement) -> None:
        """A statement as a node."""
        front = self.front(node)
        if isinstance(node, End) and self.fork is not None:
            self.end(node, front)
            return
        exits = None
        if isinstance(node, Scope):
            exits = {h.exit: self.behind(node, h.exit) for h in node.handlers if h.exit}
        self.agenda.push(node, Ports(front, self.behind(node)), self.env._replace(exits=exits))

    def end(self, node: End, front: int) -> None:
        """An end inside a region: counted out, or cancelling all that still runs."""
        path, frame = self.env.path(node.id), self.env.frame
        words = f"`{frame.name}` ends `{node.name}`"
        fork = self.fork
        if node.terminate and fork is not None:
            words = f"{words} and stops all that still runs"
            pending = fork.ends.get(node.name)
            if pending is None:
                pending = fork.ends[node.name] = self.agenda.draft.place(
                    f"{self.path}#terminated.{node.name}", node.id, words, node.span, frame.path
                )
            raised = fork.ways[0][3]
            made = self.move(
                path, (front, self.running), (pending, raised), node.id, words, node.span, END, taken=1, given=1
            )
        else:
            place = self.agenda.end(frame, node.name, node.span)
            made = self.move(path, (front,), (place,), node.id, words, node.span, END, taken=1, given=0)
        self.agenda.draft.step(node.id, made)

    def gateway(self, node: Gateway) -> None:
        """A node without work."""
        flows = self.out.get(node.id, [])
        path = self.env.path(node.id)
        if node.kind == "event":
            self.event(node, path)
        elif node.kind == "parallel" or (node.kind == "inclusive" and self.joins(node)):
            self.parallel(node, path, flows)
        elif node.kind == "inclusive" and len(flows) > 1:
            self.subset(path, self.front(node), flows, self.skips(node))
        elif node.kind == "start" or len(flows) < 2:
            front, done = self.front(node), self.behind(node)
            words = f"`{name_of(node.id)}` is passed"
            self.quiet.add(self.move(path, (front,), (done,), node.id, words, node.span))
        else:
            self.exclusive(node, path, flows)

    def event(self, node: Gateway, path: str) -> None:
        """What waits behind an event gateway waits at its place; here tokens only come to it."""
        flows = self.out.get(node.id, [])
        if not flows:
            self.agenda.report(
                "P403", "error", f"nothing waits behind the event gateway `{name_of(node.id)}`", node.span
            )
            return
        front = self.place[flows[0].id]
        for name, place in self.incoming(node):
            words = f"`{self.env.frame.name}` waits at `{name_of(node.id)}`"
            self.quiet.add(self.move(f"{path}#from.{name}", (place,), (front,), node.id, words, node.span))

    def parallel(self, node: Gateway, path: str, flows: list[Flow]) -> None:
        """All that leads in is taken, all that leads out is given."""
        pre = tuple(place for _, place in self.incoming(node))
        if not pre:
            pre = (self.front(node),)
        if len(pre) > 1:
            words = f"{len(pre)} paths come together at `{name_of(node.id)}`"
        else:
            words = f"`{self.env.frame.name}` goes {len(flows)} ways at once"
        post = self.targets(flows) if len(flows) != 1 else (self.place[flows[0].id],)
        if not flows:
            post = (self.behind(node),)
        self.agenda.draft.step(node.id, self.move(path, pre, post, node.id, words, node.span))

    def exclusive(self, node: Gateway, path: str, flows: list[Flow]) -> None:
        """One transition for each way."""
        front = self.front(node)
        for flow in flows:
            guard = flow.guard
            self.agenda.lean_on(guard)
            words = f"`{self.env.frame.name}` chooses: {guard.text if guard else name_of(flow.target)}"
            name = f"{path}#{name_of(flow.id)}"
            self.agenda.draft.step(
                flow.id, self.move(name, (front,), (self.place[flow.id],), flow.id, words, flow.span or node.span)
            )
        if not node.exhaustive:
            words = f"no condition at `{name_of(node.id)}` holds"
            self.agenda.raising(f"{path}#none", (front,), NO_CHOICE, self.env, node.id, words, node.span, PLAIN)

    # -- inclusive gateways

    def joins(self, node: Gateway) -> bool:
        """Whether an inclusive gateway is the joining half of a pair: it waits for what its split started or skipped."""
        if len(self.into.get(node.id, ())) < 2:
            return False
        other = next((n for n in self.stmt.nodes if n.id == node.pair), None)
        if isinstance(other, Gateway) and other.kind == "inclusive" and self.skips(other) is not None:
            return True
        self.agenda.report(
            "P403", "error", f"the inclusive join `{name_of(node.id)}` has no split that starts all that it joins", node.span,
            help="pair each inclusive split with one join that all its ways lead to",
        )  # fmt: skip
        return False

    def skips(self, node: Gateway) -> dict[str, int] | None:
        """For each way of an inclusive split the flow into its join that a skipped way leaves a token on.

        None unless each way leads to exactly one flow into the join, and no two to the same.
        """
        join = node.pair
        found: dict[str, int] = {}
        for flow in self.out.get(node.id, ()):
            reached: set[str] = set()
            seen = {flow.target}
            pending = [flow]
            while pending:
                at = pending.pop()
                if at.target == join:
                    reached.add(at.id)
                    continue
                following = self.out.get(at.target, [])
                if not following or at.target == node.id:
                    return None
                for after in following:
                    if after.target == join or after.target not in seen:
                        seen.add(after.target)
                        pending.append(after)
            if len(reached) != 1:
                return None
            found[flow.id] = self.place[reached.pop()]
        return found if join and len(set(found.values())) == len(found) else None

    def subset(self, path: str, front: int, flows: list[Flow], skips: dict[str, int] | None) -> None:
        """Any of the ways, at least one: decided way by way, with a second row of places once one is taken."""
        some = -1
        none = front
        for i, flow in enumerate(flows):
            last = i + 1 == len(flows)
            word = name_of(flow.id)
            origin, span = flow.id, flow.span
            skip = (skips[flow.id],) if skips else ()
            after_none = after_some = -1
            if not last:
                after_none = self.new(f"{path}#none.{word}", origin, "no way is taken yet", span)
                after_some = self.new(f"{path}#some.{word}", origin, "a way is taken", span)
            self.agenda.lean_on(flow.guard)
            taken = f"`{self.env.frame.name}` takes the way `{flow.guard.text if flow.guard else name_of(flow.target)}`"
            left = f"`{self.env.frame.name}` leaves out the way `{name_of(flow.target)}`"
            rest = () if last else (after_some,)
            way = (self.place[flow.id], *rest)
            self.agenda.draft.step(flow.id, self.move(f"{path}#{word}", (none,), way, origin, taken, span))
            if some >= 0:
                self.agenda.draft.step(flow.id, self.move(f"{path}#{word}.too", (some,), way, origin, taken, span))
                self.quiet.add(self.move(f"{path}#{word}.not.too", (some,), (*skip, *rest), origin, left, span))
            if not last:
                self.quiet.add(self.move(f"{path}#{word}.not", (none,), (*skip, after_none), origin, left, span))
            none, some = after_none, after_some


def _finish_region(agenda: Agenda, drawing: _Drawing, thread: Thread, cancelling: int, drained: int) -> None:
    """What can fire in a region needs it running; its tokens can be cancelled; it is done when none is left."""
    draft = agenda.draft
    running, active = drawing.running, drawing.active
    inside = set(thread.places)
    pending = list(thread.inner)
    for inner in pending:
        inside.update(inner.places)
        pending += inner.inner
    inside.update(fork.running for fork in thread.forks)
    for t in range(drawing.first, len(draft.pre)):
        pre = draft.pre[t]
        if any(p in inside for p, _ in pre) and not any(p == running for p, _ in pre):
            draft.pre[t] = tuple(sorted((*pre, (running, 1))))
            draft.post[t] = tuple(sorted((*draft.post[t], (running, 1))))
    finish_thread(agenda, thread, drawing.env)
    stmt, path = drawing.stmt, drawing.path
    word = name_of(stmt.id)
    made = agenda.move(
        f"{path}#drained", (cancelling,), (drained,), drawing.outer, stmt.id, f"`{word}` is cancelled", stmt.span
    )
    draft.inhibit[made] = ((active, 1),)
    draft.quiet.add(made)
    if not drawing.whole:
        done = drawing.ports.done
        made = agenda.move(
            f"{path}#complete", (running,), (done,), drawing.outer, stmt.id, f"`{word}` is done", stmt.span
        )
        draft.inhibit[made] = ((active, 1),)
