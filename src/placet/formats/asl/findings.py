"""What is well-formed, compiled and checked as it stands, and still hardly meant: found on the definition itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic, Label
from placet.formats.asl import errors, services
from placet.formats.asl.machine import every, targets

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from placet.diagnostics import Severity
    from placet.formats.asl.errors import Level
    from placet.formats.asl.machine import Catcher, Machine, Retrier, State
    from placet.formats.data_tree import Limits, Node

MOST = 100  # of one kind


def doomed(machine: Machine) -> list[State]:
    """The states that are entered and from which none that ends the machine is reached. Linear."""
    into: dict[str, list[str]] = {}
    for state in machine.states.values():
        for _, target in targets(state):
            into.setdefault(target.name, []).append(state.name)
    ending = [s.name for s in machine.states.values() if _ends(s)]
    lost = reached(machine) - _closure(ending, into)
    return [s for s in machine.states.values() if s.name in lost]


def reached(machine: Machine) -> set[str]:
    """The states that something leads to, from the first one on. Linear."""
    onward = {s.name: [t.name for _, t in targets(s)] for s in machine.states.values()}
    return _closure([machine.start.name], onward)


def _closure(first: Iterable[str], onward: dict[str, list[str]], known: Container[str] = ()) -> set[str]:
    """What is reached from the first ones, leaving out what is known and what only it leads to."""
    found = {name for name in first if name not in known}
    pending = list(found)
    while pending:
        for name in onward.get(pending.pop(), ()):
            if name not in found and name not in known:
                found.add(name)
                pending.append(name)
    return found


def _ends(state: State) -> bool:
    """The machine may end here: the state is its last one, or fails, or has a state inside that fails."""
    if state.kind in ("Succeed", "Fail") or (state.next is None and state.kind != "Choice"):
        return True
    return any(inner.kind == "Fail" for machine in state.inner for inner, _ in every(machine))


class Findings:
    """All findings about one definition, in the order of the file."""

    def __init__(self, machine: Machine, limits: Limits) -> None:
        self.top = machine
        self.limits = limits
        self.found: list[Diagnostic] = []
        self.counts: dict[str, int] = {}

    def run(self, idle: Sequence[tuple[State, Catcher]] = ()) -> tuple[Diagnostic, ...]:
        """Look at every state once, and at every machine. `idle` are catchers that nothing raises an error for."""
        self.machine(self.top, ())
        for state, catcher in idle:
            shadowed = state.catch.index(catcher) and _covered(state, catcher)
            if not shadowed:
                message = f"nothing in `{state.name}` raises what this entry of `Catch` takes"
                self.entry("P558", catcher.node, message, "remove it, or name the errors that do happen")
        self.after_effects()
        return tuple(sorted(self.found, key=lambda d: d.span.start if d.span is not None else 0))

    # -- reporting

    def add(
        self, code: str, message: str, start: int, end: int, hint: str, *, labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (), severity: Severity = "warning",
    ) -> None:  # fmt: skip
        """One finding, unless there are very many of its kind."""
        count = self.counts[code] = self.counts.get(code, 0) + 1
        if count <= MOST:
            span = self.limits.span(start, end)
            path = self.limits.source.path
            self.found.append(Diagnostic(code, severity, message, span, labels, notes, hint, path))

    def of(self, code: str, state: State, message: str, hint: str, **more: tuple[str, ...]) -> None:
        """One about a state."""
        self.add(code, message, *state.key, hint, notes=more.get("notes", ()))

    def field(self, code: str, state: State, field: str, message: str, hint: str) -> None:
        """One about a field of a state."""
        member = state.node.members[field]
        self.add(code, message, member.start, member.end, hint)

    def entry(self, code: str, node: Node, message: str, hint: str) -> None:
        """One about an entry of a list: its first line."""
        line = self.limits.source.text.find("\n", node.start, node.end)
        self.add(code, message, node.start, line if line > node.start else node.end, hint)

    # -- what is looked at

    def machine(self, machine: Machine, levels: tuple[Level, ...]) -> None:
        """A machine and what is in it. Recurses over nesting, which is bounded."""
        entered = reached(machine)
        for state in machine.states.values():
            if state.name not in entered:
                self.of("P554", state, f"nothing leads to the state `{state.name}`", "remove it, or lead to it")
            self.state(state, levels)
            inner = (errors.Level(edge=True),) if state.distributed else (errors.level(state), *levels)
            for each in state.inner:
                self.machine(each, inner)
        stuck = doomed(machine)
        if stuck:
            names = ", ".join(f"`{s.name}`" for s in stuck[:5]) + (f" and {len(stuck) - 5} more" if stuck[5:] else "")
            message = f"from {names} no end of the execution is ever reached"
            hint = "lead out of the loop: by a rule of a Choice, or by a `Catch`"
            labels = tuple(Label(self.limits.span(*s.key), "this one as well") for s in stuck[1:4])
            self.add("P555", message, *stuck[0].key, hint, labels=labels)

    def state(self, state: State, levels: tuple[Level, ...]) -> None:
        """What one state shows."""
        if state.kind == "Choice":
            self.choice(state)
        if state.callback and state.kind == "Task" and not state.timed and not state.beats:
            who = "an activity worker" if state.activity else "whoever gets the task token"
            notes = ("the machine as a whole has a time-out, and then ends without any `Catch`",)
            hint = "give it `TimeoutSeconds` or `HeartbeatSeconds`, and a `Catch` of `States.Timeout`"
            bounded = "TimeoutSeconds" in self.top.node.members
            message = f"`{state.name}` waits for {who}, for up to a year"
            self.of("P550", state, message, hint, notes=notes if bounded else ())
        if state.catch and (state.timed or state.beats):
            own = (errors.level(state), *levels)
            late = errors.TIMEOUT if state.timed else errors.HEARTBEAT
            if all(errors.first(level.catch, late) < 0 for level in own):
                message = f"`{state.name}` has a time-out that its `Catch` misses"
                hint = "add `States.Timeout` to one of its entries; `States.TaskFailed` does not match it"
                self.field("P552", state, "Catch", message, hint)
        if state.kind in ("Parallel", "Map") and state.inner:
            self.container(state, levels)
        self.entries(state)
        if state.kind == "Task" and services.done_again(state):
            for retrier in state.retry:
                if retrier.times:
                    message = f"`{state.name}` asks again for `{services.action(state)}`, which then may be done twice"
                    hint = "send a token that tells a repeated request, or make its receiver know one"
                    self.entry("P557", retrier.node, message, hint)
                    break

    def choice(self, state: State) -> None:
        """Rules that cannot be taken, and what happens when none is."""
        seen: set[str] = set()
        taken = state.ways.rules if state.ways is not None else ()
        for number, rule in enumerate(state.rules):
            if not taken[number]:
                message = f"this rule is never taken: no value that gets to it makes `{rule.text}` hold"
                self.entry("P558", rule.node, message, "remove it, or put it before the rules that take its values")
            elif rule.text in seen and not rule.text.endswith("..."):
                self.entry("P558", rule.node, f"an earlier rule has the condition `{rule.text}` already", "remove one")
            seen.add(rule.text)
        open_ = state.ways is None or state.ways.none
        if not open_ and state.default is not None:
            message = f"the `Default` of `{state.name}` is never taken: one of its rules always holds"
            self.entry("P558", state.default.node, message, "remove it, or a rule too many")
        if open_ and state.default is None:
            message = f"the choice `{state.name}` has no `Default`"
            notes = ("where no rule holds the execution fails with `States.NoChoiceMatched`; a Choice has no `Catch`",)
            self.of(
                "P553", state, message, "add `Default`, if only to a Fail state that says what was wrong", notes=notes
            )

    def container(self, state: State, levels: tuple[Level, ...]) -> None:
        """A Parallel or Map whose failure nothing catches."""
        tasks = [inner for machine in state.inner for inner, _ in every(machine) if inner.kind == "Task"]
        caught = any(errors.first(level.catch, errors.ANY) >= 0 for level in (errors.level(state), *levels))
        if not tasks or state.catch or caught:
            return
        loose = [t for t in tasks if errors.first(errors.level(t).catch, errors.ANY) < 0]
        if not loose:
            return
        if state.kind == "Parallel" and len(state.inner) == 1:
            return  # there are no others
        what = "branches" if state.kind == "Parallel" else "items"
        message = f"when `{loose[0].name}` fails, the other {what} of `{state.name}` are stopped where they are"
        hint = f"give `{state.name}` a `Catch` that puts right what they had done"
        self.of("P556", state, message, hint)

    def entries(self, state: State) -> None:
        """Entries of `Retry` and `Catch` whose errors an earlier one takes."""
        both: tuple[tuple[str, Sequence[Retrier | Catcher]], ...] = (("Retry", state.retry), ("Catch", state.catch))
        for field, found in both:
            lists = [entry.errors for entry in found]
            for number, entry in enumerate(found):
                if number and all(errors.first(lists[:number], name) >= 0 for name in entry.errors):
                    message = f"earlier entries of `{field}` take all errors of this one"
                    self.entry("P558", entry.node, message, "put it before them, or remove it")

    # -- over the whole

    def after_effects(self) -> None:
        """The first task whose failure ends the execution with nothing caught, after another one has had its effect."""
        found: list[tuple[State, State]] = []
        self.follow(self.top, (), None, found)
        if not found:
            return
        task, effect = min(found, key=lambda pair: pair[0].key)
        more = f"; {len(found) - 1} more tasks are like it" if found[1:] else ""
        how = " with an error that its `Catch` does not name" if task.catch else ""
        message = f"when `{task.name}` fails{how}, nothing is caught and what `{effect.name}` did stays{more}"
        labels = (Label(self.limits.span(*effect.key), "this has taken effect by then"),)
        hint = "give it a `Catch` that leads to what undoes this; a `Retry` only puts it off"
        if task.catch:
            hint = "add an entry for `States.ALL` to its `Catch`, which leads to what undoes this"
        self.add("P551", message, *task.key, hint, labels=labels)

    def follow(
        self, machine: Machine, levels: tuple[Level, ...], before: State | None, found: list[tuple[State, State]]
    ) -> None:
        """Tasks that can fail for good after an effect, in a machine that begins after the effect `before`."""
        onward = {s.name: [t.name for _, t in targets(s)] for s in machine.states.values()}
        after: dict[str, State] = {}
        for state in machine.states.values():
            effect = _effect(state)
            if effect is not None:
                after.update(dict.fromkeys(_closure(onward[state.name], onward, after), effect))
        for name in reached(machine):
            state = machine.states[name]
            earlier = after.get(name) or before
            own = (errors.level(state), *levels)
            caught = any(errors.first(level.catch, errors.ANY) >= 0 for level in own)
            if state.kind == "Task" and not caught and earlier is not None and earlier is not state:
                found.append((state, earlier))
            inner = (errors.Level(edge=True),) if state.distributed else own
            for each in state.inner:
                self.follow(each, inner, earlier, found)


def _covered(state: State, catcher: Catcher) -> bool:
    before = [c.errors for c in state.catch[: state.catch.index(catcher)]]
    return all(errors.first(before, name) >= 0 for name in catcher.errors)


def _effect(state: State) -> State | None:
    """A task that changes something: the state itself, or one inside it."""
    if state.kind == "Task":
        return None if services.reads_only(state) else state
    inner = [s for machine in state.inner for s, _ in every(machine)]
    return next((s for s in inner if s.kind == "Task" and not services.reads_only(s)), None)
