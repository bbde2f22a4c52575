"""Checks as written: their names, operands and formulas resolved to IR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from placet.compile.check_formulas import FormulaReader, ambiguous
from placet.compile.findings import figure, listed
from placet.compile.names import as_written, forms
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.findings import Findings
    from placet.compile.vocabulary import Calls, Named, Vocabulary
    from placet.source import Span

Shape: TypeAlias = Literal[
    "subject", "bounded", "transition", "formula", "home", "saga", "amounts", "messages", "runs", "logic"
]

CHECKS: dict[str, Shape] = {
    "sound": "subject",
    "weak_sound": "subject",
    "relaxed_sound": "subject",
    "easy_sound": "subject",
    "generalised_sound": "runs",
    "option_to_complete": "subject",
    "proper_completion": "subject",
    "no_dead_step": "subject",
    "deadlock_free": "subject",
    "livelock_free": "subject",
    "safe": "subject",
    "bounded": "bounded",
    "live": "transition",
    "quasi_live": "transition",
    "reversible": "subject",
    "home": "home",
    "never": "formula",
    "possible": "formula",
    "ctl": "logic",
    "ltl": "logic",
    "anomaly_A1": "saga",
    "conserved": "amounts",
    "coverage": "saga",
    "all_consumed": "messages",
    "no_orphan": "messages",
    "no_event_loop": "messages",
    "no_dead_handler": "messages",
    "handled_once": "messages",
    "no_dual_write": "messages",
    "anomaly_A20": "messages",
    "anomaly_A22": "messages",
    "anomaly_A23": "messages",
    **{f"anomaly_A{n}": "saga" for n in (*range(2, 20), 21, 24, 25)},
}
SHAPES: dict[Shape, str] = {
    "subject": "the name of a workflow, saga or net",
    "bounded": "a workflow, saga or net, or a place of a net or a topic and its bound: `bounded(queue, 2)`",
    "runs": "a workflow or net, and perhaps how many runs side by side are looked at: `generalised_sound(order, 5)`",
    "transition": "the name of a workflow, saga or net, or of a transition of a net",
    "formula": "a formula, perhaps after the name of its workflow, saga or net: `never(order, pay.done)`",
    "logic": "a formula about runs: `ctl AG (pay.done -> AF ship.done)`, `ltl of order G (placed -> F shipped)`",
    "home": "a workflow, saga or net, or what can be got back to: `home(order, pay.done)`, `home(traffic, red == 1)`",
    "saga": "the name of a saga, or of a workflow that calls one",
    "messages": "the name of a choreography, or of the system",
    "amounts": "the name of a saga whose steps say what they move, or of a workflow that calls one",
}
MOST_RUNS = 100  # side by side

_NONE = ir.Process("", "workflow", ir.Sequence("", ()), ())

_Operand: TypeAlias = Union[ast.Formula, ast.Number]


class CheckReader:
    """Resolves the checks of one file."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        calls: Calls,
        findings: Findings,
        named: Named,
        topics: Mapping[str, list[str]] | None = None,
        system: str = "",
    ) -> None:
        self._topics = topics or {}  # name -> who publishes to it or reads it
        self._system = system
        self._words = vocabulary
        self._calls = calls
        self._params = named.params
        self._findings = findings
        self._formulas = FormulaReader(vocabulary, calls, findings, named)

    def read(self, check: ast.Check) -> list[ir.Check]:
        """The checks of one `check` line."""
        faults = self._faults(check)
        budget = check.fault_budget.value if check.fault_budget is not None else None
        if budget is not None and not 0 <= budget <= 20:
            message = f"{figure(budget)} faults at once are more than can be looked at"
            self._findings.add("P217", message, check.fault_budget and check.fault_budget.span, help="two show most")
            budget = 1
        found = []
        for item in check.items:
            resolved = self._item(item)
            if resolved is not None:
                level, demand = self._level(item, check), self._demand(item)
                found.append(resolved._replace(faults=faults, fault_budget=budget, level=level, demand=demand))
        return found

    def _level(self, item: ast.CheckItem, check: ast.Check) -> str:
        """The level of faults that the check names, or nothing."""
        if item.level is None:
            return ""
        from placet.faults.hypothesis import LEVELS

        name = item.level.text
        if name not in LEVELS:
            help_ = self._findings.meant(name, tuple(LEVELS), f"the levels are {listed(LEVELS)}")
            self._findings.add("P241", f"no level of faults is called `{name}`", item.level.span, help=help_)
            return ""
        if check.faults is not None:
            message = "`at` and `under` both say which faults there may be"
            self._findings.add("P239", message, item.level.span, help="leave one of them out")
        return name

    def _demand(self, item: ast.CheckItem) -> int:
        """The share that the check asks for, in per cent."""
        if item.demand is None:
            return 100
        percent, op = item.demand.percent.value, item.demand.op
        if item.check.text != "coverage":
            help_ = "only `coverage` is counted: `check coverage(trip) >= 90%`"
            self._findings.add("P240", f"`{item.check.text}` has no percentage", item.demand.span, help=help_)
        elif percent > 100 or not (op == ">=" or (op == "==" and percent == 100)):
            help_ = "write `>= 90%` or `== 100%`"
            self._findings.add(
                "P240", "coverage can be asked to reach a share, and no more", item.demand.span, help=help_
            )
        return min(percent, 100)

    def _faults(self, check: ast.Check) -> tuple[str, ...] | None:
        if check.faults is None:
            return None
        from placet.faults.hypothesis import KINDS, PLANNED

        found: dict[str, None] = {}
        for name in check.faults:
            fault = name.text.replace("_", "-")
            if fault in KINDS or fault in PLANNED:  # a verdict under a planned kind is inconclusive, and says so
                found[fault] = None
            else:
                help_ = self._findings.meant(fault, (*KINDS, *PLANNED), f"the faults are {listed(KINDS)}")
                self._findings.add("P237", f"no kind of fault is called `{name.text}`", name.span, help=help_)
        return tuple(found)

    def _item(self, item: ast.CheckItem) -> ir.Check | None:
        name = item.check.text
        shape = CHECKS.get(name)
        if shape is None:
            help_ = self._findings.meant(name, CHECKS, f"the checks are {listed(CHECKS, 20)}")
            self._findings.add("P230", f"no check is called `{name}`", item.check.span, help=help_)
            return None
        written = ", ".join(as_written(o, printed=item.one) for o in item.operands)
        blank = ir.Check(
            name,
            "",
            f"{name}({written})" + _tail(item),
            sentence=item.sentence.text if item.sentence is not None else "",
            span=item.span,
        )
        if shape == "logic":
            from placet.compile.logics import fairness_of, label_of, misplaced

            fairness = fairness_of(item, self._findings)
            if fairness is None or misplaced(item, self._findings):
                return None
            return self._formula(item, blank._replace(label=label_of(item), fairness=fairness))
        if shape == "formula" or (shape == "home" and not self._whole(item)):
            return self._formula(item, blank)
        return self._named(item, shape, blank)

    def _whole(self, item: ast.CheckItem) -> bool:
        """Whether the check names nothing, or one workflow, saga or net, and asks no formula of it."""
        match item.operands:
            case ():
                return True
            case (ast.Atom(name, _),):
                return name.text in self._words.processes or name.text in self._words.nets
        return False

    # -- checks of a subject or of one of its elements ---------------------------------------------------------------

    def _named(self, item: ast.CheckItem, shape: Shape, blank: ir.Check) -> ir.Check | None:
        operands = item.operands
        if not operands:
            return self._only_subject(item, shape, blank)
        first, rest = operands[0], operands[1:]
        if not isinstance(first, ast.Atom):
            self._wrong(item, shape, first.span)
            return None
        if rest:
            bound = self._bound(rest[0])
            if shape not in ("bounded", "runs") or len(rest) > 1 or bound is None:
                self._wrong(item, shape, rest[0].span)
                return None
            blank = blank._replace(bound=bound)
            if shape == "runs" and not 2 <= bound <= MOST_RUNS:
                message = f"{figure(bound)} runs side by side cannot be looked at"
                self._findings.add(
                    "P217", message, rest[0].span, help=f"two or three show most; the most is {MOST_RUNS}"
                )
                return None
        text = first.name.text
        if text in self._words.processes or text in self._words.nets:
            if rest and shape != "runs":
                self._wrong(item, shape, rest[0].span)
                return None
            check = blank._replace(subject=text)
            if shape == "amounts":
                return self._moving(check, first.span)
            if shape == "messages":
                return self._joined(check, first.span)
            return self._saga(check, first.span) if shape == "saga" else check
        if shape == "bounded" and text in self._topics and not self._words.places.get(text):
            return self._topic(item, blank, first, bool(rest))
        if shape == "bounded":
            places = dict(self._net_names(text, transitions=False))
            if places and not rest:
                self._wrong(item, shape, first.span)
                return None
            return self._element(blank, first, places)
        if shape == "transition":
            return self._element(blank, first, dict(self._net_names(text, transitions=True)))
        self._no_subject(first)
        return None

    def _topic(self, item: ast.CheckItem, blank: ir.Check, atom: ast.Atom, given: bool) -> ir.Check | None:  # noqa: FBT001
        """A check of how many messages of a topic wait: of the choreography that uses it, else of the system."""
        text = atom.name.text
        if not given:
            self._wrong(item, "bounded", atom.span)
            return None
        users = self._topics[text]
        if len(users) == 1 and self._words.processes[users[0]].kind == "choreography":
            return blank._replace(subject=users[0], element=f"topic {text}")
        if self._system and len(users) > 1:
            return blank._replace(subject=self._system, element=f"topic {text}")
        message = (
            f"messages of `{text}` wait nowhere in this file: it has no choreography or system that uses the topic"
        )
        help_ = "name the whole, `system NAME`, and let somebody in it read what somebody else publishes"
        self._findings.add("P275", message, atom.span, help=help_)
        return None

    def _joined(self, check: ir.Check, span: Span) -> ir.Check | None:
        """A check about messages: of a choreography or of the system."""
        if self._words.processes.get(check.subject, _NONE).kind in ("choreography", "system"):
            return check
        message = f"`{check.subject}` on its own has nobody to send messages to"
        help_ = f"it takes {SHAPES['messages']}"
        self._findings.add("P231", message, span, help=help_)
        return None

    def _bound(self, operand: _Operand) -> int | None:
        """A number as an operand, perhaps given by a parameter."""
        if isinstance(operand, ast.Number):
            return operand.value
        return self._params.get(operand.name.text) if isinstance(operand, ast.Atom) else None

    def _net_names(self, text: str, *, transitions: bool) -> list[tuple[str, str]]:
        """Places or transitions of that name, perhaps qualified by their net: (net, id)."""
        table = self._words.transitions if transitions else self._words.places
        found = [(net, ids[0]) for net, ids in table.get(text, {}).items() if len(ids) == 1]
        for net in self._words.nets:
            if text.startswith(f"{net}."):
                identifiers = table.get(text[len(net) + 1 :], {}).get(net, [])
                found += [(net, identifiers[0])] if len(identifiers) == 1 else []
        return found

    def _element(self, blank: ir.Check, atom: ast.Atom, found: dict[str, str]) -> ir.Check | None:
        if len(found) == 1:
            ((net, identifier),) = found.items()
            return blank._replace(subject=net, element=identifier)
        if not found:
            self._no_subject(atom)
            return None
        ambiguous(self._findings, atom, [f"{net}.{atom.name.text}" for net in found])
        return None

    def _no_subject(self, atom: ast.Atom) -> None:
        text = atom.name.text
        known = [*self._words.processes, *self._words.nets, *self._words.places, *self._words.transitions]
        if several := [n for n in known if n != text and text in forms(n)]:
            numbers = [int(n[len(text) + 1 : -1]) for n in several if n[len(text) + 1 : -1].isdigit()]
            help_ = f"ask it of one of the array, as in `{several[0]}`"
            if len(numbers) == len(several):
                help_ += f", or of each: `({text}[i]) for each i in {min(numbers)}..{max(numbers)}`"
        elif text in self._words.elements:
            help_ = f"`possible({text}.done)` and `never({text}.done)` ask about a task or a step"
        else:
            help_ = self._findings.meant(text, known, "a check names a workflow, saga or net of this file")
        self._findings.add("P232", f"`{text}` is nothing that this check can look at", atom.span, help=help_)

    def _only_subject(self, item: ast.CheckItem, shape: Shape, blank: ir.Check) -> ir.Check | None:
        subjects = [*self._calls.uncalled(), *self._words.nets]
        if len(subjects) != 1:
            self._wrong(item, shape, item.check.span)
            return None
        check = blank._replace(subject=subjects[0])
        if shape == "messages":
            return self._joined(check, item.check.span)
        return self._moving(check, item.check.span) if shape == "amounts" else check

    def _moving(self, check: ir.Check, span: Span) -> ir.Check | None:
        """A check about amounts: some step within reach must have one."""
        within = [self._words.processes[p] for p in self._calls.reach(check.subject) if p in self._words.processes]
        if any(isinstance(s, ir.Step) and s.amounts for process in within for s in statements(process.body)):
            return check
        message = f"no step of `{check.subject}` says what it moves, so there is nothing to conserve"
        help_ = "say it at the steps: `effect debit(alice, 100)`, `effect credit(bob, 100)`"
        self._findings.add("P238", message, span, help=help_)
        return None

    def _saga(self, check: ir.Check, span: Span) -> ir.Check | None:
        reach = self._calls.reach(check.subject)
        sagas = [p for p in self._words.processes if p in reach and self._words.processes[p].kind == "saga"]
        if check.check != "anomaly_A1" and sagas and self._words.processes[check.subject].kind == "system":
            message = f"what a saga owes is asked of each saga, and `{check.subject}` is all of them together"
            self._findings.add("P231", message, span, help=f"ask it of {listed(sagas)}")
            return None
        if sagas:
            return check
        help_ = f"it takes {SHAPES['saga']}"
        self._findings.add("P231", f"`{check.subject}` is no saga and calls none", span, help=help_)
        return None

    def _wrong(self, item: ast.CheckItem, shape: Shape, span: Span) -> None:
        message = f"`{item.check.text}` does not take that" if item.operands else f"`{item.check.text}` of what?"
        self._findings.add("P231", message, span, help=f"it takes {SHAPES[shape]}")

    def _formula(self, item: ast.CheckItem, blank: ir.Check) -> ir.Check | None:
        operands: tuple[_Operand, ...] = item.operands
        named = ""
        if len(operands) == 2 and isinstance(operands[0], ast.Atom):
            named = operands[0].name.text
            if named not in self._words.processes and named not in self._words.nets:
                self._no_subject(operands[0])
                return None
            operands = operands[1:]
        if len(operands) != 1 or isinstance(operands[0], ast.Number):
            self._wrong(item, "formula", operands[-1].span if operands else item.check.span)
            return None
        found = self._formulas.read(operands[0], named, about_runs=blank.check in ("ctl", "ltl"), printed=item.one)
        return found and blank._replace(subject=found[0], formula=found[1])


def _tail(item: ast.CheckItem) -> str:
    """What stands behind the parentheses, as written."""
    level = f" at {item.level.text}" if item.level is not None else ""
    return level + (f" {item.demand.op} {item.demand.percent.value}%" if item.demand is not None else "")
