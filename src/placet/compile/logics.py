"""Formulas about runs as written: whether each operator stands where its logic knows it, and which runs count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import listed
from placet.compile.names import as_written
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.findings import Findings

# `assuming` -> the fairness that the analysis knows
FAIRNESS = {"fair": "edges", "weak": "weak", "strong": "strong", "nothing": "nothing"}
_PATH = frozenset(("X", "F", "G", "U", "W", "R"))


def fairness_of(item: ast.CheckItem, findings: Findings) -> str | None:
    """The fairness that a check asks for; None, and said so, where nothing is called so."""
    if item.assuming is None:
        return "edges"
    found = FAIRNESS.get(item.assuming.text)
    if found is None:
        help_ = findings.meant(item.assuming.text, tuple(FAIRNESS), f"one can assume {listed(FAIRNESS)}")
        findings.add("P243", f"nothing is called `assuming {item.assuming.text}`", item.assuming.span, help=help_)
    return found


def label_of(item: ast.CheckItem) -> str:
    """The check as it was written, without its sentence; what it assumes is said with every verdict."""
    *named, formula = (as_written(o, printed=item.one) for o in item.operands)
    of = f" of {named[0]}" if named else ""
    level = f" at {item.level.text}" if item.level is not None else ""
    return f"{item.check.text}{of} {formula}{level}"


def misplaced(item: ast.CheckItem, findings: Findings) -> bool:
    """Whether some operator stands where its logic has no meaning for it; each is said."""
    formula = item.operands[-1]
    if isinstance(formula, ast.Number):
        return False
    return _states(formula, findings) if item.check.text == "ctl" else _runs(formula, findings)


def _parts(formula: ast.Formula) -> tuple[ast.Formula, ...]:
    match formula:
        case ast.Modal(_, parts) | ast.Junction(_, parts):
            return parts
        case ast.Negation(of):
            return (of,)
    return ()


def _states(formula: ast.Formula, findings: Findings) -> bool:
    """CTL: each of `X F G U W R` directly under an `A` or `E`, and each of these over one of them."""
    pending, wrong = [formula], False
    while pending:
        one = pending.pop()
        inner = _parts(one)
        if isinstance(one, ast.Modal):
            if one.op in ("A", "E"):
                under = one.parts[0]
                if not (isinstance(under, ast.Modal) and under.op in _PATH):
                    message = f"`{one.op}` speaks of runs, and what follows it speaks of one situation"
                    help_ = f"say when: `{one.op}F f` (at some time), `{one.op}G f` (always), `{one.op} (f U g)`"
                    findings.add("P242", message, one.span, help=help_)
                    wrong = True
                else:
                    inner = _parts(under)
            elif one.op in _PATH:
                message = (
                    f"`{one.op}` does not say of which runs: `ctl` wants an `A` (every run) or `E` (some run) before it"
                )
                findings.add("P242", message, one.span, help=_quantified(one))
                wrong = True
        pending.extend(inner)
    return wrong


def _quantified(formula: ast.Modal) -> str:
    if len(formula.parts) == 1:
        return f"write `A{formula.op} f` or `E{formula.op} f`, or ask `ltl`, which speaks of every run"
    return f"write `A (f {formula.op} g)` or `E (f {formula.op} g)`, or ask `ltl`, which speaks of every run"


def _runs(formula: ast.Formula, findings: Findings) -> bool:
    """LTL: no `A`, no `E`."""
    pending, wrong = [formula], False
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Modal) and one.op[0] in "AE":
            message = f"`{one.op}` chooses between runs, and `ltl` speaks of one run at a time, whichever it is"
            help_ = "ask `ctl`" if one.op[0] == "E" else f"leave out the `A`{_rest(one.op)}, or ask `ctl`"
            findings.add("P242", message, one.span, help=help_)
            wrong = True
        pending.extend(_parts(one))
    return wrong


def _rest(op: str) -> str:
    return f": `{op[1:]}`" if len(op) > 1 else ""
