"""The lines of a sidecar against the states of its definition: which are steps, what undoes them, how executions end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.declarations import declarations
from placet.compile.findings import listed
from placet.compile.options import GUARANTEES, STEP_OPTIONS, understood
from placet.compile.steps import Steps, key_of
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placet.compile.findings import Findings
    from placet.formats.asl.calls import Element
    from placet.sidecar.states import States
    from placet.source import SourceFile

ENDS = ("completed", "compensated", "failed", "escalated")
SAID = frozenset(("undo", "retry", "timeout", "register"))  # what the definition or another part of the line says
OPTIONS = {key: shape for key, shape in STEP_OPTIONS.items() if key not in SAID} | {"escalates": "nothing"}


class Role(NamedTuple):
    """A step of the sidecar: its state, those that undo it, and the errors that its service answers with."""

    step: ir.Step
    does: Element
    undoes: tuple[Element, ...]
    fails: tuple[str, ...]
    line: ast.Role


class Roles(NamedTuple):
    """What a sidecar says of one machine."""

    steps: tuple[Role, ...]
    names: Mapping[str, str]  # by path of a state what formulas call it, where that is not its name
    ends: Mapping[str, str]  # by path of a state what end of the execution it is
    escalates: frozenset[str]  # paths of states that hand the case to a person


class Reader:
    """Reads one `annotate`; what is wrong goes to `findings`."""

    def __init__(self, states: States, source: SourceFile, services: Sequence[ast.Service], findings: Findings) -> None:
        self.states = states
        self.findings = findings
        self.services = declarations(ast.File(source, tuple(services)), findings)
        self.taken: dict[str, tuple[ast.Role, str]] = {}  # by path, what it is already
        self.aliases: dict[str, ast.Name] = {}
        self.names: dict[str, str] = {}
        self.escalating: set[str] = set()

    def read(self, annotate: ast.Annotate) -> Roles:
        """All lines, as far as they can be understood."""
        lines = [part for part in annotate.parts if isinstance(part, ast.Role)]
        found: list[tuple[ast.Role, Element]] = []
        for line in lines:
            state = self.states.find(line.state)
            if state is not None:
                self.alias(line, state)
                if self.takes(line, state, "has a line already"):
                    found.append((line, state))
        steps = [role for line, state in found if (role := self.role(line, state)) is not None]
        self.depend(steps)
        return Roles(tuple(steps), self.names, self.ends(annotate), frozenset(self.escalating))

    def takes(self, line: ast.Role, state: Element, what: str) -> bool:
        """The state has no other part yet; else it is said which."""
        other = self.taken.setdefault(state.path, (line, what))
        if other[0] is line and other[1] == what:
            return True
        labels = (Label(other[0].span, "here"),)
        self.findings.add("P805", f"`{state.name}` {other[1]}", line.span, labels=labels, help="keep one of them")
        return False

    def alias(self, line: ast.Role, state: Element) -> None:
        """`as NAME`."""
        if line.alias is None:
            return
        name = line.alias
        if name.text in self.states.named and self.states.named[name.text] != [state]:
            self.findings.add(
                "P805", f"`{name.text}` is the name of another state", name.span, help="take another name"
            )
        elif name.text in self.aliases:
            labels = (Label(self.aliases[name.text].span, "here"),)
            self.findings.add("P805", f"`{name.text}` stands for another state already", name.span, labels=labels)
        else:
            self.aliases[name.text] = name
            self.names[state.path] = name.text

    def role(self, line: ast.Role, state: Element) -> Role | None:
        """One line: a step, or only that a state hands over to a person."""
        options = tuple(o for o in line.options if not self.foreign(o))
        effects = tuple(o for o in options if o.key.text == "effect")
        good = understood(tuple(o for o in options if o.key.text != "effect"), OPTIONS, "role", self.findings)
        if "escalates" in good:
            self.escalating.add(state.path)
        if (
            not line.undone
            and line.service is None
            and not line.fails
            and not set(good) - {"escalates"}
            and not effects
        ):
            if "escalates" not in good and line.alias is None:
                help_ = "say what it is: `on` a service, `undone by` a state, or `{ read_only }`"
                self.findings.add("P804", f"nothing is said of `{state.name}`", line.span, help=help_)
            return None
        if state.state.kind != "Task":
            message = f"`{state.name}` is a {state.state.kind}, and only a Task asks a service for anything"
            self.findings.add("P804", message, line.state.span, help="give the role to a Task in it, or after it")
            return None
        undoes = [undo for u in line.undone if (undo := self.undo(line, state, u)) is not None]
        if "read_only" in good and line.undone:
            self.findings.add(
                "P804", "what is read_only has nothing to undo", line.span, help="leave out one of the two"
            )
        if "pivot" in good and line.undone:
            message = "nothing goes back behind a pivot, so it is never undone"
            self.findings.add("P804", message, line.span, help="leave out `pivot`, or `undone by`")
        steps = Steps(state.name, self.services, self.findings)
        service = steps.service(line.service)
        self.held_back(line, service)
        key, per, ttl = key_of(good)
        if per != "run" or ttl is not None:
            help_ = "write the calls as steps of a saga, or leave out how long the key is kept and whose it is"
            message = "whose a key is and how long it is kept is not looked at in an imported definition"
            self.findings.add("P806", message, good["key"][0].span, help=help_)
        guarantees = self.services.guarantees.get(service, frozenset()).union(g for g in GUARANTEES if g in good)
        given = line.undone[0].given if line.undone else None
        return Role(
            ir.Step(
                state.path,
                self.names.get(state.path, state.name),
                service or state.state.resource,
                undo=ir.Undo(undoes[0].name, "reply" if given is not None else "", line.span) if undoes else None,
                pivot="pivot" in good,
                retriable="retriable" in good,
                read_only="read_only" in good,
                guarantees=guarantees,
                span=line.span,
                amounts=steps.amounts(effects, read_only="read_only" in good),
                key=key,
                after=tuple(o.text for o in good["after"][1] if isinstance(o, ast.Name)) if "after" in good else (),
            ),
            state,
            tuple(undoes),
            tuple(name.text for name in line.fails),
            line,
        )

    def held_back(self, line: ast.Role, service: str) -> None:
        """What holds calls back from a service, and how it is asked, is understood in sagas only: better no verdict than a wrong one."""
        told = self.services.limits.get(service) or self.services.kinds.get(service)
        if told and line.service is not None:
            what = "the limits" if service in self.services.limits else "the kinds of calls"
            message = f"{what} of `{service}` are not looked at in an imported definition"
            help_ = "declare another service for it, in the braces of `annotate`"
            self.findings.add("P806", message, line.service.span, help=help_)

    def foreign(self, option: ast.Option) -> bool:
        """An option that is said elsewhere."""
        key = option.key.text
        if key not in SAID:
            return False
        said = "`undone by` before the brace says it" if key == "undo" else "the definition itself says it"
        self.findings.add("P806", f"`{key}` is no part of a sidecar: {said}", option.span, help="remove it here")
        return True

    def undo(self, line: ast.Role, state: Element, undoing: ast.Undoing) -> Element | None:
        """One state that undoes the step."""
        undo = self.states.find(undoing.state)
        if undo is None:
            return None
        if undo.state.kind != "Task":
            message = f"`{undo.name}` is a {undo.state.kind}, and only a Task can undo anything"
            self.findings.add("P804", message, undoing.state.span, help="name the Task that asks the service")
            return None
        if undo is state:
            self.findings.add("P805", f"`{state.name}` cannot undo itself", undoing.span)
            return None
        given = undoing.given.text if undoing.given is not None else ""
        if given not in ("", "reply", f"{state.name}.reply", f"{self.names.get(state.path, '')}.reply"):
            message = f"an undo of `{state.name}` can be given only the reply of that step"
            self.findings.add("P806", message, undoing.span, help=f"write `{undo.name}(reply)`")
        return undo if self.takes(line, undo, f"undoes `{state.name}` already") else None

    def depend(self, steps: list[Role]) -> None:
        """`after` names other steps."""
        by_name = {name: r.step.id for r in steps for name in (r.does.name, r.step.name)}
        for number, role in enumerate(steps):
            found: list[str] = []
            for option in role.line.options:
                for operand in option.operands if option.key.text == "after" else ():
                    if not isinstance(operand, ast.Name):
                        continue
                    if operand.text in by_name:
                        found.append(by_name[operand.text])
                        continue
                    help_ = self.findings.meant(operand.text, by_name, f"the steps are {listed(by_name)}")
                    self.findings.add("P803", f"no step is called `{operand.text}`", operand.span, help=help_)
            steps[number] = role._replace(step=role.step._replace(after=tuple(dict.fromkeys(found))))

    def ends(self, annotate: ast.Annotate) -> dict[str, str]:
        """What the ends of the execution count as."""
        found: dict[str, str] = {}
        for part in annotate.parts:
            if not isinstance(part, ast.SidedEnd):
                continue
            state = self.states.find(part.state)
            if part.kind.text not in ENDS:
                help_ = self.findings.meant(part.kind.text, ENDS, f"it is one of {listed(ENDS)}")
                self.findings.add("P807", f"`{part.kind.text}` is no way to end", part.kind.span, help=help_)
                continue
            if state is None:
                continue
            last = state.state.kind in ("Succeed", "Fail") or (
                state.state.next is None and state.state.kind != "Choice"
            )
            if not (state.top and last):
                message = f"the execution does not end at `{state.name}`"
                if last:
                    message = f"`{state.name}` ends a branch or an item, and not the execution"
                help_ = "name a state of the outermost machine that nothing follows"
                self.findings.add("P807", message, part.state.span, help=help_)
            elif state.path in found:
                self.findings.add(
                    "P807", f"what end `{state.name}` is has been said", part.span, help="keep one of them"
                )
            else:
                found[state.path] = part.kind.text
        return found
