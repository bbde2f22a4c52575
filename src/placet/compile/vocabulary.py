"""What a name in a formula may mean: ends, tasks and steps of processes, places and transitions of nets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from placet.compile.flow import children
from placet.compile.names import forms
from placet.ir import model as ir
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OF_SERVICES = ("calls", "sent", "failing", "blocked")
_Kind: TypeAlias = Literal["done", "fires", "undone", "undoes"]
# What was done, and is done now: of a statement, and of the undo of a saga step.
_DOING: dict[str, tuple[_Kind, _Kind]] = {"done": ("done", "undone"), "fires": ("fires", "undoes")}


class Meaning(NamedTuple):
    """One reading of a name: in which process or net, and the facts it stands for (any of them)."""

    owner: str
    facts: tuple[ir.Fact, ...]


class Named(NamedTuple):
    """The variables of a model and of its processes by name, and the ids of those that something reads or sets."""

    common: Mapping[str, ir.Variable]
    own: Mapping[str, Mapping[str, ir.Variable]]  # process -> its variables
    used: set[str]
    params: Mapping[str, int]

    def find(self, text: str) -> list[tuple[str, ir.Variable]]:
        """Every variable that a name in a formula may mean, each with its process; "" is the model."""
        found = [("", self.common[text])] if text in self.common else []
        owner, _, name = text.rpartition(".")
        for process, those in self.own.items():
            if name in those and owner in ("", process):
                found.append((process, those[name]))
        return found


class Vocabulary:
    """All names of a model; made once for all its checks. Linear in the size of the model."""

    def __init__(self, processes: Mapping[str, ir.Process], nets: Mapping[str, ir.PlainNet]) -> None:
        self.processes = processes
        self.nets = nets
        self.elements: dict[str, dict[str, list[ir.Statement]]] = {}  # name -> process -> statements
        self.services: dict[str, set[str]] = {}  # name -> processes with a step on it
        self.undos: dict[str, dict[str, list[ir.Step]]] = {}  # name of an undo -> process -> the steps that it undoes
        self.places: dict[str, dict[str, list[str]]] = {}  # name -> net -> ids: of an array, those of all members
        self.transitions: dict[str, dict[str, list[str]]] = {}
        for process in processes.values():
            for statement in statements(process.body):
                name = name_of(statement)
                if isinstance(statement, ir.Step):
                    self.services.setdefault(statement.service, set()).add(process.id)
                for form in forms(name) if name else ():
                    self.elements.setdefault(form, {}).setdefault(process.id, []).append(statement)
                if isinstance(statement, ir.Step) and statement.undo is not None:
                    for form in forms(statement.undo.name):
                        self.undos.setdefault(form, {}).setdefault(process.id, []).append(statement)
        for net in nets.values():
            for place in net.places:
                for form in forms(place.id[len(net.id) + 1 :]):
                    self.places.setdefault(form, {}).setdefault(net.id, []).append(place.id)
            for transition in net.transitions:
                for form in forms(transition.id[len(net.id) + 1 :]):
                    self.transitions.setdefault(form, {}).setdefault(net.id, []).append(transition.id)

    def meanings(self, text: str) -> list[Meaning]:
        """Every reading of a name; names may hold dots themselves, so each dot is tried."""
        found = self._unqualified(text)
        at = text.find(".")
        while at > 0:
            owner, rest = text[:at], text[at + 1 :]
            if owner in self.nets or owner in self.processes:
                found += [m for m in self._unqualified(rest) if m.owner == owner]
            if (process := self.processes.get(owner)) is not None:
                found += _ends(process, rest)
            at = text.find(".", at + 1)
        return list(dict.fromkeys(found))

    def _unqualified(self, text: str) -> list[Meaning]:
        found = [
            Meaning(net, tuple(ir.Fact("tokens", i) for i in ids)) for net, ids in self.places.get(text, {}).items()
        ]
        name, _, asked = text.rpartition(".")
        if asked == "enabled":
            for net, ids in self.transitions.get(name, {}).items():
                found.append(Meaning(net, tuple(ir.Fact("enabled", i) for i in ids)))
        elif asked in _DOING:
            own, of_undo = _DOING[asked]
            for process, those in self.elements.get(name, {}).items():
                found.append(Meaning(process, tuple(ir.Fact(own, s.id) for s in those)))
            for process, steps in self.undos.get(name, {}).items():
                if process not in self.elements.get(name, {}):
                    found.append(Meaning(process, tuple(ir.Fact(of_undo, s.id) for s in steps)))
            found += self._in_one_run(name, own, of_undo)
            for net, ids in self.transitions.get(name, {}).items():
                found.append(Meaning(net, tuple(ir.Fact(own, i) for i in ids)))
        elif asked == "effect":
            for process, those in self.elements.get(name, {}).items():
                facts = tuple(ir.Fact("effect", s.id) for s in those if isinstance(s, ir.Step))
                found += [Meaning(process, facts)] if facts else []
            found += self._in_one_run(name, "effect", "")
        elif asked in OF_SERVICES:
            fact = ir.Fact("service", name, asked)
            found += [Meaning(process, (fact,)) for process in sorted(self.services.get(name, ()))]
        return found

    def _in_one_run(self, name: str, own: str, of_undo: str) -> list[Meaning]:
        """`transfer[2]` where `transfer` is of a saga that continues as new: what it means in the second run."""
        base, _, number = name.removesuffix("]").rpartition("[")
        if not number.isdigit() or not name.endswith("]"):
            return []
        found: list[Meaning] = []
        for kind, table in ((own, self.elements), (of_undo, self.undos)):
            for process, those in table.get(base, {}).items() if kind else ():
                if not 1 <= int(number) <= runs_of(self.processes[process]) or any(m.owner == process for m in found):
                    continue
                called = [
                    s for s in those if base in (name_of(s), s.undo.name if isinstance(s, ir.Step) and s.undo else "")
                ]
                if kind == "effect":
                    called = [s for s in called if isinstance(s, ir.Step)]
                facts = tuple(ir.Fact(kind, s.id, f"[{number}]") for s in called)  # type: ignore[arg-type]
                found += [Meaning(process, facts)] if facts else []
        return found

    def written(self) -> Iterable[str]:
        """Everything that could have been meant, as it would be written."""
        yield from self.places
        for name in self.transitions:
            yield f"{name}.enabled"
            yield f"{name}.done"
        for name in self.undos:
            yield f"{name}.done"
        for name, owners in self.elements.items():
            yield f"{name}.done"
            if any(isinstance(s, ir.Step) for those in owners.values() for s in those):
                yield f"{name}.effect"
        for name in self.services:
            yield from (f"{name}.{asked}" for asked in OF_SERVICES)
        for process in self.processes.values():
            for end in process.ends:
                yield f"{process.id}.{end}"

    def plainly(self, text: str) -> list[Meaning]:
        """What a name alone means in a formula about runs: that it was done, or that this end is reached."""
        if text in self.elements or text in self.undos:
            return self._unqualified(f"{text}.done")
        return [m for process in self.processes.values() for m in _ends(process, text) if text in process.ends]

    def bare(self, text: str) -> list[str]:
        """What to write for a name that says of nothing what is asked of it."""
        found = [f"{text}.done"] if text in self.elements or text in self.undos else []
        found += [f"{text}.{asked}" for asked in OF_SERVICES] if text in self.services else []
        found += [f"{text}.enabled"] if text in self.transitions else []
        if (process := self.processes.get(text)) is not None:
            found += [f"{text}.{end}" for end in process.ends]
        return found or [f"{p.id}.{text}" for p in self.processes.values() if text in p.ends]


def _ends(process: ir.Process, name: str) -> list[Meaning]:
    if name in process.ends:
        return [Meaning(process.id, (ir.Fact("end", process.id, name),))]
    if name == "done":
        return [Meaning(process.id, tuple(ir.Fact("end", process.id, end) for end in process.ends))]
    return []


def runs_of(process: ir.Process) -> int:
    """How many runs of a saga there are, each with steps of its own; 0 where it does not continue as new."""
    if process.kind != "saga":
        return 0
    most = [s.at_most or 0 for s in statements(process.body) if isinstance(s, ir.Again)]
    return 1 + max(most) if most else 0


def name_of(statement: ir.Statement | ir.Gateway) -> str:
    """The name by which a formula may speak of a statement."""
    match statement:
        case ir.Task(_, name) | ir.Step(_, name):
            return name
        case ir.Receive(_, event) | ir.Publish(_, _, event):
            return event
        case ir.Call(_, target):
            return target
    return ""


def statements(body: ir.Statement) -> Iterable[ir.Statement]:
    """Every statement of a body, in no particular order."""
    pending: list[ir.Statement | ir.Gateway] = [body]
    while pending:
        statement = pending.pop()
        if not isinstance(statement, ir.Gateway):
            yield statement
            pending += children(statement)


class Calls:
    """Who calls whom."""

    def __init__(self, targets: Mapping[str, frozenset[str]]) -> None:
        self.targets = targets
        self.callers: dict[str, list[str]] = {}
        for process, its in targets.items():
            for target in its:
                self.callers.setdefault(target, []).append(process)

    def reach(self, process: str) -> frozenset[str]:
        """The process and all that it calls, directly or not."""
        return _closure(self.targets, process)

    def reaching(self, process: str) -> frozenset[str]:
        """The process and all that call it, directly or not."""
        return _closure(self.callers, process)

    def uncalled(self) -> list[str]:
        """The processes that no other one calls, in the order of the file; where all go in a circle, none."""
        called = {t for process, targets in self.targets.items() for t in targets if t != process}
        return [p for p in self.targets if p not in called]


def _closure(following: Mapping[str, Iterable[str]], process: str) -> frozenset[str]:
    found = {process}
    pending = [process]
    while pending:
        for other in following.get(pending.pop(), ()):
            if other not in found:
                found.add(other)
                pending.append(other)
    return frozenset(found)
