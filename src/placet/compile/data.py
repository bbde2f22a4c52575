"""Variables over finite domains: their declarations, conditions over them and assignments, from the tree to the IR."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from placet.compile.cases import MOST, cases, combinations, fan, outcomes, read_by, variables_of
from placet.compile.findings import listed
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from placet.compile.arrays import Arrays
    from placet.compile.findings import Findings
    from placet.source import Span

    Operand: TypeAlias = Union[ir.Variable, tuple[ir.Fact, ...]]

MOST_VALUES = 1_000
ANY = "any"
BOOL = ("false", "true")
_RESERVED = frozenset((*BOOL, ANY))
_MOST_TOGETHER = 10**7  # combinations of all values of a process, beyond which a warning names the product


class Known(NamedTuple):
    """What all processes of a file have in common: variables, the ids of those in use, parameters."""

    variables: Mapping[str, ir.Variable]
    used: set[str]
    params: Mapping[str, int]
    arrays: Arrays | None = None


class _Side(NamedTuple):
    """One side of a comparison: weighted facts and a constant; or one variable that is no number."""

    terms: tuple[tuple[int, ir.Fact], ...]
    constant: int = 0
    variable: ir.Variable | None = None


def declared(
    written: Iterable[ast.Variable],
    prefix: str,
    outer: Mapping[str, ir.Variable],
    findings: Findings,
    params: Mapping[str, int],
) -> dict[str, ir.Variable]:
    """The variables declared in one place, by name; the first declaration of a name counts."""
    found: dict[str, ir.Variable] = {}
    for variable in written:
        name = variable.name.text
        other = found.get(name) or outer.get(name)
        if name in _RESERVED:
            message = f"`{name}` is a value, and no name for a variable"
            findings.add("P260", message, variable.name.span, help="give it another name")
        elif other is not None:
            labels = (Label(other.span, "declared here already"),) if other.span is not None else ()
            message = f"the variable `{name}` is declared twice"
            findings.add("P260", message, variable.name.span, labels=labels, help="give one of them another name")
        elif (made := _variable(variable, f"{prefix}{name}", findings, params)) is not None:
            found[name] = made
    return found


def _variable(
    written: ast.Variable, identifier: str, findings: Findings, params: Mapping[str, int]
) -> ir.Variable | None:
    domain, name = written.domain, written.name
    if domain.low is not None and domain.high is not None:
        low, high = domain.low.value, domain.high.value
        if high < low:
            help_ = f"the smaller number comes first: `{high}..{low}`"
            findings.add("P260", f"`{name.text}` has no value: {low} is more than {high}", domain.span, help=help_)
            return None
        if high - low + 1 > MOST_VALUES:
            message = f"`{name.text}` has {high - low + 1:,} values, more than can be looked at one by one"
            help_ = f"up to {MOST_VALUES:,} are possible; two or three show what many show"
            findings.add("P263", message, domain.span, help=help_)
            return None
        values = tuple([str(n) for n in range(low, high + 1)])
        made = ir.Variable(identifier, name.text, "numbers", values, low, 0, name.span)
    elif domain.kind is not None:
        if domain.kind.text != "bool":
            help_ = findings.meant(domain.kind.text, ("bool",), "write `bool`, `0..2` or `{ red, green }`")
            findings.add("P260", f"`{domain.kind.text}` is no set of values", domain.kind.span, help=help_)
            return None
        made = ir.Variable(identifier, name.text, "bool", BOOL, 0, 0, name.span)
    else:
        names: dict[str, ast.Name] = {}
        for value in domain.names:
            if value.text in names or value.text in _RESERVED:
                what = "stands twice among the values" if value.text in names else "cannot be a value of its own"
                findings.add("P260", f"`{value.text}` {what} of `{name.text}`", value.span, help="leave it out")
            names.setdefault(value.text, value)
        made = ir.Variable(identifier, name.text, "names", tuple(names), 0, 0, name.span)
    return _initial(written, made, findings, params)


def _initial(written: ast.Variable, made: ir.Variable, findings: Findings, params: Mapping[str, int]) -> ir.Variable:
    """With its first value: the one that is given, else false, the lowest, the first."""
    value = written.initial
    if value is None:
        return made
    text = str(value.value) if isinstance(value, ast.Number) else value.text
    if made.kind == "numbers" and text in params:
        text = str(params[text])
    if text == ANY:
        return made._replace(initial=None)
    if text in made.values:
        return made._replace(initial=made.values.index(text))
    help_ = findings.meant(text, (*made.values, ANY), f"its values are {listed(made.values)}; `any` is each of them")
    findings.add("P260", f"`{text}` is no value of `{made.name}`", value.span, help=help_)
    return made


class Data:
    """What names of variables mean in one process (or, without one, in the checks of a model)."""

    def __init__(self, names: Mapping[str, ir.Variable], findings: Findings, params: Mapping[str, int]) -> None:
        self.names = names
        self.patches = {
            name: v for name, v in ((v.name.removeprefix("patch "), v) for v in names.values()) if v.name != name
        }
        self.numbers = dict(params)  # names that stand for numbers: parameters, and the instances of `for each`
        self.by_id = {v.id: v for v in names.values()}
        self._findings = findings
        self.used: set[str] = set()

    def patched(self, name: str) -> ir.Formula:
        """That this run has a version; a variable that nobody sets stands for it."""
        variable = self.patches[name]
        self.used.add(variable.id)
        return ir.Sum(((1, ir.Fact("value", variable.id)),), ">=", 1)

    # -- conditions --------------------------------------------------------------------------------------------------

    def guard(self, written: ast.Text | ast.Formula | None, earlier: Sequence[ir.Guard | None] = ()) -> ir.Guard | None:
        """A guard, perhaps behind others that did not hold; a condition that cannot be read counts as a sentence."""
        if written is None:
            return None
        if isinstance(written, ast.Text):
            return ir.Guard(written.text)
        from placet.syntax.printer import formula as shown

        text = shown(written)
        condition = self.condition(written)
        if condition is None:
            return ir.Guard(text)
        before = [g.condition for g in earlier if g is not None and g.condition is not None]
        names = variables_of((*before, condition))
        if (product := combinations(names, self.by_id)) > MOST:
            self._many(
                f"the condition `{text}`" + (" and those before it" if before else ""), names, product, written.span
            )
            return ir.Guard(text)
        if not cases((condition,), before, self.by_id):
            why = "never holds" if not cases((condition,), (), self.by_id) else "holds only where one before it does"
            help_ = "look at the values that its variables can have"
            self._findings.add("P322", f"`{text}` {why}", written.span, severity="warning", help=help_)
        return ir.Guard(text, condition=condition)

    def exhaustive(self, guards: Sequence[ir.Guard | None]) -> bool:
        """Whether the conditions over variables among these leave no combination of values out."""
        known = [g.condition for g in guards if g is not None and g.condition is not None]
        return bool(known) and not cases((), known, self.by_id)

    def condition(self, formula: ast.Formula) -> ir.Formula | None:
        """A formula over variables; None after a report."""
        text = " ".join(formula.span.text.split())
        if isinstance(formula, ast.Atom):
            found = self._operand(formula)
            if not isinstance(found, ir.Variable):
                return None
            return self.truth(found, formula.span, text)
        if isinstance(formula, ast.Compare):
            return self.compare(formula, self._operand)
        if isinstance(formula, ast.Negation):
            inner = self.condition(formula.of)
            return inner and ir.Connective("not", (inner,), text)
        parts = [self.condition(part) for part in formula.parts]
        good = [part for part in parts if part is not None]
        if len(good) < len(parts):
            return None
        if formula.op == "implies":
            good[0] = ir.Connective("not", (good[0],), f"not ({good[0].text})")
        return ir.Connective("and" if formula.op == "and" else "or", tuple(good), text)

    def truth(self, variable: ir.Variable, span: Span, text: str) -> ir.Sum | None:
        """A variable that stands for itself: only one that is true or false can."""
        if variable.kind != "bool":
            help_ = f"compare it, as in `{variable.name} == {variable.values[-1]}`"
            self._findings.add("P262", f"`{variable.name}` is neither true nor false", span, help=help_)
            return None
        return ir.Sum(((1, ir.Fact("value", variable.id)),), ">=", 1, text)

    def compare(
        self, compare: ast.Compare, operand: Callable[[ast.Atom], Operand | None], text: str = ""
    ) -> ir.Sum | None:
        """A comparison; `operand` says what a name means, or None after it has reported that it means nothing."""
        text = text or " ".join(compare.span.text.split())
        left = self._side(compare.terms, compare.span, operand)
        if left is None:
            return None
        if left.variable is not None:
            return self._same(compare, left.variable, operand, text)
        right = _Side((), compare.bound.value) if isinstance(compare.bound, ast.Number) else None
        if right is None and isinstance(compare.bound, ast.Expression):
            terms = [(w, n if n is None else ast.Atom(n, n.span)) for w, n in compare.bound.terms]
            right = self._side(terms, compare.bound.span, operand)
        if right is None:
            return None
        if right.variable is not None:
            self._no_number(right.variable, compare.bound.span)
            return None
        terms_ = (*left.terms, *((-weight, fact) for weight, fact in right.terms))
        return ir.Sum(terms_, compare.op, right.constant - left.constant, text)

    def _side(
        self, terms: Sequence[tuple[int, ast.Atom | None]], span: Span, operand: Callable[[ast.Atom], Operand | None]
    ) -> _Side | None:
        found: list[tuple[int, ir.Fact]] = []
        constant, broken = 0, False
        for weight, atom in terms:
            if atom is None:
                constant += weight
                continue
            if (number := self._number(atom.name)) is not None:
                constant += weight * number
                continue
            meaning = operand(atom)
            if meaning is None:
                broken = True
            elif not isinstance(meaning, ir.Variable):
                found += [(weight, fact) for fact in meaning]
            elif meaning.kind == "numbers":
                found.append((weight, ir.Fact("value", meaning.id)))
            elif len(terms) == 1 and weight == 1:
                return _Side((), 0, meaning)
            else:
                self._no_number(meaning, atom.span)
                broken = True
        return None if broken else _Side(tuple(found), constant)

    def _same(
        self, compare: ast.Compare, variable: ir.Variable, operand: Callable[[ast.Atom], Operand | None], text: str
    ) -> ir.Sum | None:
        """A variable that is no number is compared with one of its values, or with another one of the same values."""
        if compare.op not in ("==", "!="):
            message = f"the values of `{variable.name}` have no order"
            self._findings.add("P262", message, compare.span, help="compare it with `==` or `!=`")
            return None
        fact = (1, ir.Fact("value", variable.id))
        match compare.bound:
            case ast.Expression(((1, ast.Name(name)),)) if name in variable.values:
                return ir.Sum((fact,), compare.op, variable.values.index(name), text)
            case ast.Expression(((1, ast.Name(name, span)),)) if name in self.names:
                other = operand(ast.Atom(ast.Name(name, span), span))
                if isinstance(other, ir.Variable) and other.values == variable.values:
                    return ir.Sum((fact, (-1, ir.Fact("value", other.id))), compare.op, 0, text)
        shown = compare.bound.span.text
        help_ = self._findings.meant(shown, variable.values, f"its values are {listed(variable.values)}")
        self._findings.add("P262", f"`{shown}` is no value of `{variable.name}`", compare.bound.span, help=help_)
        return None

    def _operand(self, atom: ast.Atom) -> ir.Variable | None:
        return self.find(atom.name)

    def _number(self, name: ast.Name) -> int | None:
        """The number that a name stands for, unless it is a variable."""
        return None if name.text in self.names else self.numbers.get(name.text)

    def find(self, name: ast.Name) -> ir.Variable | None:
        """The variable of that name; a name that means none is reported."""
        found = self.names.get(name.text)
        if found is not None:
            self.used.add(found.id)
            return found
        if not name.text:  # the parser has said that a name is missing
            return None
        help_ = self._findings.meant(
            name.text, (*self.names, *self.numbers), f"declare it: `var {name.text} : bool = false`"
        )
        if "-" in name.text and name.text.partition("-")[0] in self.names:
            help_ = f"a `-` between letters is part of a name: write `{name.text.replace('-', ' - ')}`"
        self._findings.add("P261", f"no variable is called `{name.text}`", name.span, help=help_)
        return None

    def _no_number(self, variable: ir.Variable, span: Span) -> None:
        message = f"`{variable.name}` is no number"
        self._findings.add("P262", message, span, help=f"its values are {listed(variable.values)}")

    def _many(self, what: str, ids: Sequence[str], product: int, span: Span) -> None:
        sizes = [f"{len(self.by_id[i].values):,}" for i in ids]
        message = f"{what} can turn out in {product:,} ways"
        if len(sizes) > 1:
            message += f": {' x '.join(sizes)}" if len(sizes) <= 6 else f", of {len(sizes)} variables"
        names = [self.by_id[i].name for i in ids]
        help_ = f"at most {MOST:,} can be told apart: give {listed(names)} fewer values"
        self._findings.add("P263", message, span, help=help_)

    # -- assignments -------------------------------------------------------------------------------------------------

    def assignments(self, written: Sequence[ast.Assignment]) -> tuple[tuple[ir.Assignment, ...], bool]:
        """What a task sets, and whether a value may be outside the domain of its variable."""
        found: dict[str, ir.Assignment] = {}
        for each in written:
            variable = self.find(each.variable)
            if variable is None:
                continue
            if variable.id in found:
                message = f"`{variable.name}` is set twice"
                self._findings.add("P262", message, each.span, help="all is set at once: keep one of them")
                continue
            value = self._value(variable, each)
            if value is not None:
                found[variable.id] = value
        made = tuple(found.values())
        if not made:
            return (), False
        if (count := fan(made, self.by_id)) > MOST:
            self._many("what is set here", read_by(made), count, written[0].span)
            return (), False
        return made, any(outcome.sets is None for outcome in outcomes(made, self.by_id))

    def _value(self, variable: ir.Variable, each: ast.Assignment) -> ir.Assignment | None:
        match each.value.terms:
            case ((1, ast.Name("any")),) if not each.negated:
                return ir.Assignment(variable.id, None)
            case ((1, ast.Name(name)),) if variable.kind != "numbers" and name in variable.values and not each.negated:
                return ir.Assignment(variable.id, (), variable.values.index(name))
        if variable.kind != "numbers":
            return self._copied(variable, each)
        terms: list[tuple[int, str]] = []
        constant = 0
        for weight, named in each.value.terms:
            number = 1 if named is None else self._number(named)
            if number is not None:
                constant += weight * number
                continue
            if named is None:
                continue
            other = self.find(named)
            if other is None:
                return None
            if other.kind != "numbers":
                self._no_number(other, named.span)
                return None
            terms.append((weight, other.id))
        if each.negated:
            self._findings.add("P262", f"`{variable.name}` is a number: `not` says nothing of it", each.span)
            return None
        return ir.Assignment(variable.id, tuple(terms), constant)

    def _copied(self, variable: ir.Variable, each: ast.Assignment) -> ir.Assignment | None:
        """A value of another variable with the same values, or (true and false only) its opposite."""
        match each.value.terms:
            case ((1, ast.Name(text) as name),) if text in self.names:
                other = self.find(name)
                if other is not None and other.values == variable.values and (not each.negated or other.kind == "bool"):
                    return ir.Assignment(variable.id, ((-1 if each.negated else 1, other.id),), int(each.negated))
        shown = each.value.span.text
        help_ = self._findings.meant(shown, (*variable.values, ANY), f"its values are {listed(variable.values)}")
        self._findings.add("P262", f"`{shown}` is no value of `{variable.name}`", each.value.span, help=help_)
        return None


def together(variables: Sequence[ir.Variable], process: str, span: Span | None, findings: Findings) -> None:
    """Warn where the values of all variables that a process uses multiply to more than any search can visit."""
    product = combinations([v.id for v in variables], {v.id: v for v in variables})
    if product > _MOST_TOGETHER:
        sizes = " x ".join(f"{len(v.values):,}" for v in variables[:6]) + (" x ..." if variables[6:] else "")
        shown = f"{product:,}" if product < 10**15 else f"more than 10^{len(str(product)) - 1}"
        message = f"the variables of `{process}` have {shown} combinations of values ({sizes})"
        help_ = "a search that meets many of them ends inconclusive: give them fewer values"
        findings.add("P323", message, span, severity="warning", help=help_)
