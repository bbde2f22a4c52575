"""State machines as the language writes them: every name in a move is a state, and what is odd about them is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import listed
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.source import Span


def resolve_machine(machine: ast.MachineDecl, findings: Findings) -> ir.Machine:
    """One state machine. What cannot be used is reported and left out. Linear in its size."""
    return _Machine(machine, findings).build()


def as_net(machine: ir.Machine) -> ir.PlainNet:
    """The machine as its checks see it: states are places that hold a token or none."""
    places = tuple(ir.Place(state.id, int(state.id == machine.initial), None, state.span) for state in machine.states)
    return ir.PlainNet(machine.id, places, (), machine.finals, machine.span)


class _Machine:
    def __init__(self, machine: ast.MachineDecl, findings: Findings) -> None:
        self._machine = machine
        self._name = machine.name.text
        self._findings = findings
        self._states: dict[str, Span] = {}  # name -> where it is named first
        self._moves: dict[str, int] = {}  # id -> how often

    def build(self) -> ir.Machine:
        machine = self._machine
        for name in (*machine.initials[:1], *(n for m in machine.moves for n in (m.source, m.target)), *machine.finals):
            if name.text:
                self._states.setdefault(name.text, name.span)
        initial = self._initial()
        moves = tuple(self._move(move) for move in machine.moves if move.source.text and move.target.text)
        finals = tuple(dict.fromkeys(name.text for name in machine.finals if name.text))
        self._finals(finals)
        self._twice()
        self._reachable(initial, finals)
        return ir.Machine(
            self._name,
            tuple(ir.State(self._id(state), span) for state, span in self._states.items()),
            self._id(initial) if initial else "",
            moves,
            tuple(map(self._id, finals)),
            machine.span,
        )

    def _id(self, state: str) -> str:
        return f"{self._name}/{state}"

    def _initial(self) -> str:
        named = self._machine.initials
        if not named:
            help_ = f"say where it begins: `initial {next(iter(self._states), 'waiting')}`"
            self._findings.add("P280", f"`{self._name}` has no initial state", self._machine.name.span, help=help_)
            return ""
        for other in named[1:]:
            labels = (Label(named[0].span, "the first one"),)
            message = f"`{self._name}` has two initial states"
            self._findings.add("P280", message, other.span, labels=labels, help="keep one of them")
        return named[0].text

    def _move(self, move: ast.Move) -> ir.Move:
        event = move.trigger.text if isinstance(move.trigger, ast.Name) else ""
        after = move.trigger.text if isinstance(move.trigger, ast.Duration) else ""
        sends = tuple(name.text for name in move.sends if name.text)
        last = event or (f"after({after})" if after else f"send({', '.join(sends)})")
        identifier = f"{self._id(move.source.text)}/{last}"
        count = self._moves[identifier] = self._moves.get(identifier, 0) + 1
        if count > 1:
            identifier = f"{identifier}~{count}"
        source, target = self._id(move.source.text), self._id(move.target.text)
        return ir.Move(identifier, source, target, event, after, sends, move.span)

    def _finals(self, finals: tuple[str, ...]) -> None:
        first: dict[str, ast.Move] = {}
        for move in self._machine.moves:
            first.setdefault(move.source.text, move)
        for name in finals:
            if name in first:
                message = f"`{name}` is final, and is left again"
                help_ = f"take it out of `final`, or let the move begin elsewhere: in `{name}` everything is over"
                self._findings.add("P281", message, first[name].source.span, help=help_)

    def _twice(self) -> None:
        """Two moves of one state by the same event: which one is taken, nobody outside can know."""
        first: dict[tuple[str, str], ast.Move] = {}
        for move in self._machine.moves:
            if not isinstance(move.trigger, ast.Name):
                continue
            other = first.setdefault((move.source.text, move.trigger.text), move)
            if other is not move:
                event, state = move.trigger.text, move.source.text
                message = f"`{event}` leads from `{state}` to `{other.target.text}` and to `{move.target.text}`"
                labels = (Label(other.span, "the other move"),)
                help_ = "which way it goes is then left to chance: let two events tell the ways apart"
                self._findings.add("P282", message, move.span, severity="warning", labels=labels, help=help_)

    def _reachable(self, initial: str, finals: tuple[str, ...]) -> None:
        """States that no run comes to, and states that no run leaves though they are not final."""
        if not initial:
            return
        after: dict[str, list[str]] = {}
        for move in self._machine.moves:
            after.setdefault(move.source.text, []).append(move.target.text)
        seen, todo = {initial}, [initial]
        while todo:
            for target in after.get(todo.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        stuck = [s for s in self._states if s in seen and s not in after and s not in finals] if finals else []
        for state, span in self._states.items():
            if state in seen:
                continue
            help_ = self._findings.meant(state, stuck, f"say what leads to `{state}`, or remove it")
            self._findings.add("P283", f"nothing leads to `{state}`", span, severity="warning", help=help_)
        for state in stuck:
            others = [s for s in self._states if s != state and s not in stuck]
            help_ = self._findings.meant(state, others, f"name it among {listed(finals)}, or say what leads on")
            message = f"`{state}` is never left, and is not final"
            self._findings.add("P284", message, self._states[state], severity="warning", help=help_)
