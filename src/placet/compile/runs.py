"""Runs that begin other runs: what continues as new, and what is started without being waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.cases import variables_in
from placet.compile.findings import listed
from placet.compile.flow import children
from placet.compile.vocabulary import Calls, statements
from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.findings import Findings
    from placet.syntax import ast

_SEVERAL = (ir.Parallel, ir.Beside, ir.Repeat)
_INSIDE = (*_SEVERAL, ir.With, ir.Tolerant, ir.Spare)


def check_runs(
    process: ir.Process, processes: Mapping[str, ir.Process], common: Mapping[str, ir.Variable], findings: Findings
) -> None:
    """Report what would begin a new run while others of the same one go on, and what is started and heard of again. Linear."""
    saga = process.kind == "saga"
    todo: list[tuple[ir.Statement | ir.Gateway, bool]] = [(process.body, False)]
    while todo:
        statement, several = todo.pop()
        if isinstance(statement, ir.Again) and several:
            message = "`continue_as_new` cannot stand where several things go on at once"
            help_ = "move it behind what goes on at once"
            if saga:
                message = "in a saga `continue_as_new` stands in no `with`, no parallel and in no instances of which some may fail"
                help_ = "let a condition decide behind it: `choice { when ... { continue_as_new ... } otherwise { } }`"
            findings.add("P298", message, statement.span, help=help_)
        elif isinstance(statement, ir.Call) and statement.detached:
            _heard(statement, processes, common, findings)
        inside = several or isinstance(statement, _INSIDE if saga else _SEVERAL)
        todo += [(child, inside) for child in children(statement)]


def alone(call: ast.Call) -> bool:
    """Whether what is called lives by itself, in a net of its own."""
    return call.detached and (call.on_close is None or call.on_close.text not in ("cancel", "wait"))


def closing(call: ast.Call, findings: Findings, *, saga: bool, whole: bool) -> str:
    """What becomes of a process that was started when its starter ends; "" where it is let alone. What cannot be meant is reported."""
    from placet.compile.child import ABANDON, CANCEL, WAIT

    name = call.on_close
    if name is None or name.text == ABANDON:
        return ""
    if name.text not in (CANCEL, WAIT):
        help_ = findings.meant(name.text, (CANCEL, WAIT, ABANDON), "write `wait`, `cancel` or `abandon`")
        findings.add("P298", f"`{name.text}` is nothing that happens to what was started", name.span, help=help_)
    elif call.handlers:
        return ""  # which is reported where the call is read
    elif saga:
        message = "a saga cannot undo what it started and does not wait for"
        findings.add("P298", message, name.span, help="call it without `detached`, or write `on_close abandon`")
    elif not whole:
        message = f"`on_close {name.text}` stands directly in the braces of its process"
        findings.add(
            "P298", message, name.span, help="move the call there, or into a process of its own that is called here"
        )
    else:
        return name.text
    return ""


def _heard(
    call: ir.Call, processes: Mapping[str, ir.Process], common: Mapping[str, ir.Variable], findings: Findings
) -> None:
    targets = {
        p.id: frozenset(s.target for s in statements(p.body) if isinstance(s, ir.Call)) for p in processes.values()
    }
    reached = [
        s for name in Calls(targets).reach(call.target) if name in processes for s in statements(processes[name].body)
    ]
    ids = {v.id: v.name for v in common.values()}
    shared = sorted({ids[v] for s in reached for v in variables_in(s) if v in ids})
    if shared:
        message = f"`{call.target}` is started and not waited for, but shares {listed(shared)} with its starter"
        help_ = "what they share would change at any time: give it variables of its own, or wait for it"
        findings.add("P298", message, call.span, help=help_)
    if any(isinstance(s, ir.Publish) or (isinstance(s, ir.Receive) and s.topic) for s in reached):
        message = f"`{call.target}` is started and not waited for, but exchanges messages"
        help_ = "let a message start it: begin it with `receive`, and publish that message instead of the call"
        findings.add("P298", message, call.span, help=help_)
