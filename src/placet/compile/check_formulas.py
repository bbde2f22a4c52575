"""The formulas of checks: what their names mean, and the smallest workflow or saga that they can be about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.cases import variables_in
from placet.compile.findings import listed
from placet.compile.names import as_written
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.data import Data
    from placet.compile.findings import Findings
    from placet.compile.vocabulary import Calls, Meaning, Named, Vocabulary
    from placet.source import Span


class _Read(NamedTuple):
    formula: ir.Formula
    owners: frozenset[str]


class FormulaReader:
    """Resolves the formulas of the checks of one file."""

    def __init__(self, vocabulary: Vocabulary, calls: Calls, findings: Findings, named: Named) -> None:
        self._words = vocabulary
        self._calls = calls
        self._findings = findings
        self._variables = named
        self._spoken: dict[str, Span] = {}  # variables of the formula that is read
        self._within: frozenset[str] | None = None  # the processes that the formula may speak of
        self._printed = False
        self._about_runs = False  # in the formula that is read a name alone says that it was done, or is reached

    def read(
        self, formula: ast.Formula, named: str, *, about_runs: bool, printed: bool = False
    ) -> tuple[str, ir.Formula] | None:
        """What the formula is about, which is what is `named` before it if anything is, and the formula resolved.

        `printed`: the text stands for several formulas, so it is shown as it is printed.
        """
        self._printed = printed
        self._within = self._calls.reach(named) if named else None
        self._about_runs = about_runs
        self._spoken = {}
        read = self._read(formula)
        if read is None:
            return None
        subject = named or self._smallest(read.owners, formula.span)
        return (subject, read.formula) if subject and self._known_there(subject) else None

    def _known_there(self, subject: str) -> bool:
        """Whether the subject reads or sets every variable that the formula speaks of."""
        if not self._spoken:
            return True
        reach = [self._words.processes[p] for p in self._calls.reach(subject) if p in self._words.processes]
        there = {i for process in reach for s in statements(process.body) for i in variables_in(s)}
        missing = [(name, span) for name, span in self._spoken.items() if name not in there]
        for name, span in missing:
            message = f"nothing in `{subject}` reads or sets `{name}`"
            self._findings.add("P261", message, span, help="ask about a variable that it uses")
        return not missing

    def _smallest(self, owners: frozenset[str], span: Span) -> str:
        """The smallest process that holds all the names, counting what it calls."""
        if not owners:  # variables of the model only
            users = [p for p in self._calls.uncalled() if self._uses(p)]
            owners = frozenset(users if len(users) == 1 else ())
        if len(owners) == 1:
            return next(iter(owners))
        above = [self._calls.reaching(owner) for owner in owners]
        holding = (
            frozenset.intersection(*above) & self._words.processes.keys() if above else self._words.processes.keys()
        )
        least = [p for p in self._words.processes if p in holding and self._calls.reach(p) & holding == {p}]
        if len(least) == 1:
            return least[0]
        if least:
            message = f"the formula could be about {listed(least)}"
            help_ = f"name the one first: `never({least[0]}, ...)`"
        else:
            message = f"no workflow or saga holds all these names: they are of {listed(sorted(owners))}"
            help_ = "a formula speaks of one workflow or saga and what it calls, or of one net"
        self._findings.add("P235", message, span, help=help_)
        return ""

    def _uses(self, subject: str) -> bool:
        reach = [self._words.processes[p] for p in self._calls.reach(subject) if p in self._words.processes]
        there = {i for process in reach for s in statements(process.body) for i in variables_in(s)}
        return there >= set(self._spoken)

    def _variable(self, atom: ast.Atom) -> tuple[str, ir.Variable] | None:
        """The variable that a name means, and its process, where it means nothing else."""
        if self._words.meanings(atom.name.text):
            return None
        found = self._variables.find(atom.name.text)
        if self._within is not None:
            found = [each for each in found if not each[0] or each[0] in self._within]
        if len(found) != 1:
            return None
        self._spoken.setdefault(found[0][1].id, atom.span)
        self._variables.used.add(found[0][1].id)
        return found[0]

    @property
    def _data(self) -> Data:
        from placet.compile.data import Data

        own = {name: v for those in self._variables.own.values() for name, v in those.items()}
        return Data({**own, **self._variables.common}, self._findings, self._variables.params)

    def _read(self, formula: ast.Formula) -> _Read | None:
        text = as_written(formula, printed=self._printed)
        match formula:
            case ast.Atom():
                if (variable := self._variable(formula)) is not None:
                    truth = self._data.truth(variable[1], formula.span, text)
                    return truth and _Read(truth, frozenset((variable[0],) if variable[0] else ()))
                meaning = self._atom(formula)
                if meaning is None:
                    return None
                terms = tuple((1, fact) for fact in meaning.facts)
                return _Read(_each_effect(ir.Sum(terms, ">=", 1, text)), frozenset((meaning.owner,)))
            case ast.Compare():
                return self._compare(formula, text)
            case ast.Negation(of):
                inner = self._read(of)
                return inner and _Read(ir.Connective("not", (inner.formula,), text), inner.owners)
            case ast.Modal(op, parts):
                inside = [self._read(part) for part in parts]
                known = [r for r in inside if r is not None]
                if len(known) < len(inside):
                    return None
                modal = ir.Modal(op, tuple(r.formula for r in known), text)
                return _Read(modal, frozenset().union(*(r.owners for r in known)))
            case ast.Junction(op, parts):
                read = [self._read(part) for part in parts]
                good = [r for r in read if r is not None]
                if len(good) < len(read):
                    return None
                formulas: list[ir.Formula] = [r.formula for r in good]
                if op == "implies":
                    formulas[0] = ir.Connective(
                        "not", (formulas[0],), f"not ({as_written(parts[0], printed=self._printed)})"
                    )
                junction = ir.Connective("and" if op == "and" else "or", tuple(formulas), text)
                return _Read(junction, frozenset().union(*(r.owners for r in good)))

    def _compare(self, compare: ast.Compare, text: str) -> _Read | None:
        owners: set[str] = set()

        def operand(atom: ast.Atom) -> ir.Variable | tuple[ir.Fact, ...] | None:
            if (variable := self._variable(atom)) is not None:
                owners.update((variable[0],) if variable[0] else ())
                return variable[1]
            meaning = self._atom(atom)
            if meaning is None:
                return None
            owners.add(meaning.owner)
            if meaning.facts[0].kind == "enabled":
                message = f"`{atom.name.text}` is true or false, and no number"
                self._findings.add("P231", message, atom.span, help="write it without a comparison")
                return None
            return meaning.facts

        found = self._data.compare(compare, operand, text)
        return found and _Read(_each_effect(found) if len(compare.terms) == 1 else found, frozenset(owners))

    def _atom(self, atom: ast.Atom) -> Meaning | None:
        text = atom.name.text
        found = self._words.meanings(text)
        if not found and self._about_runs:
            found = self._words.plainly(text)
        if self._within is not None:
            found = [m for m in found if m.owner in self._within]
        if len(found) > 1 and text.endswith(".done"):
            # of a process that is called, the call is done when the process is
            found = [m for m in found if m.facts[0].kind != "end"] or found
        if len(found) == 1 or (found and self._within is not None and found[0].facts[0].kind == "service"):
            return found[0]  # a service is one and the same, whoever asks it
        if found:
            ambiguous(self._findings, atom, [f"{m.owner}.{text}" for m in found])
            return None
        self._unknown(atom)
        return None

    def _unknown(self, atom: ast.Atom) -> None:
        text = atom.name.text
        if not text:  # the parser has said that a name is missing
            return
        bare = self._words.bare(text)
        if bare:
            message = f"`{text}` alone says nothing that could be true or false"
            self._findings.add("P233", message, atom.span, help=f"did you mean `{bare[0]}`?")
            return
        name, _, asked = text.rpartition(".")
        last = name.rpartition(".")[2]
        known = [e.rpartition(".")[2] for e in self._words.bare(name)]
        if any(isinstance(s, ir.Step) for those in self._words.elements.get(last, {}).values() for s in those):
            known.append("effect")
        if known:
            help_ = self._findings.meant(asked, known, f"of `{name}` one can ask {listed(dict.fromkeys(known))}")
            help_ = help_.replace("did you mean `", f"did you mean `{name}.") if help_.startswith("did you") else help_
            self._findings.add("P234", f"of `{name}` nothing is called `{asked}`", atom.span, help=help_)
        else:
            help_ = self._findings.meant(
                text,
                (*self._words.written(), *self._variables.common),
                "formulas say `step.done`, `process.end`, a place",
            )
            self._findings.add("P232", f"nothing is called `{text}`", atom.span, help=help_)


def _each_effect(found: ir.Sum) -> ir.Formula:
    """One name asked for its effect: a step in several instances has one in each, and one of them is meant."""
    if len(found.terms) < 2 or any(fact.kind != "effect" for _, fact in found.terms):
        return found
    return ir.Connective("or", tuple(found._replace(terms=(term,)) for term in found.terms), found.text)


def ambiguous(findings: Findings, atom: ast.Atom, written: list[str]) -> None:
    """A name of a formula means several things; `written` says how each would be told apart."""
    message = f"`{atom.name.text}` could be {listed(written)}"
    findings.add("P235", message, atom.span, help=f"write which one: `{written[0]}`")
