"""Arrays: `service shard[3]`, `step reserve[i in 1..N]`, `place fork[N]`, each put in the place of its members before anything is resolved.

A pass over the tree, so that nothing behind it knows of arrays: of `fork[N]` it leaves places called `fork[1]`, `fork[2]` and so on,
with the span of the text that stands for all of them. What a name means by its brackets follows from where it stands. What has a name of
its own (a step, a place, a check) and a range in it is made for each number, its variable standing for the number everywhere in it. In a
list of names, of arcs, a range stands for all its members. Everywhere else an index is one member.
"""

# ruff: noqa: ANN401 - any value of the tree, by its fields
from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from placet.compile.array_numbers import compared, in_numbers, spoken
from placet.compile.array_problems import ArrayProblems
from placet.source import Span
from placet.syntax import ast
from placet.syntax.indices import HEADS, IndexProblem, Piece, names, pieces, plain, shown, value, written

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from placet.compile.findings import Findings
    from placet.syntax.indices import Index

MOST_VALUES = 200_000  # of the tree that comes out: some two megabytes of text
# Here a number alone in brackets says how many there are: `place fork[3]`. Elsewhere it says which: `call worker[3]`.
DECLARING = (
    ast.Service, ast.Pool, ast.Variable, ast.Process, ast.Choreography, ast.Member, ast.NetDecl, ast.MachineDecl, ast.PlaceDecl,
    ast.TransitionDecl, ast.Task, ast.Step,
)  # fmt: skip
_OWNERS = (ast.Process, ast.Choreography, ast.NetDecl, ast.MachineDecl)


class _TooManyError(Exception):
    """More than can be looked at comes out."""


class Arrays(ArrayProblems):
    """The arrays of one file. `params` are the numbers that its parameters stand for."""

    def __init__(self, params: Mapping[str, int], findings: Findings) -> None:
        super().__init__(params, findings)
        self._owner = ""
        self._later: tuple[str, ...] = ()  # variables of `for each` around, whose numbers come later
        self._which: frozenset[str] = frozenset()  # variables around by which nothing inside is told apart yet
        self._left = MOST_VALUES
        self._at: Span | None = None
        self._read: dict[str, tuple[Piece, ...]] = {}
        self._speak: set[object] = set()  # the variables of those `for each` of which some index speaks
        self._again = False  # what comes out is gone through again, for an instance: sizes are resolved

    def expanded(self, file: ast.File) -> ast.File:
        """The file with the members of its arrays. Cost: linear in what comes out, which is bounded."""
        items: list[ast.Item] = []
        try:
            for item in file.items:
                items += [self._annotated(item)] if isinstance(item, ast.Annotate) else self._nodes(item, {})
        except _TooManyError:
            message = "what the arrays of this file come to is more than can be looked at"
            self._findings.add("P266", message, self._at, help="two or three members show what many show")
        else:
            self._check_uses()
        return file._replace(items=tuple(items))

    def instance(self, block: ast.Block, variable: str, number: int, owner: str) -> ast.Block:
        """The body of a `for each` for one of its numbers, where indices in it speak of it; `owner` is its process."""
        if variable not in self._speak:
            return block
        self._uses = {}
        if not self._again:
            self._again, self._left = True, 3 * MOST_VALUES  # calls are looked for in the instances, twice
        self._owner = plain(owner)
        try:
            inner: ast.Block = self._one(block, {variable: number})
        except _TooManyError:
            message = "what the arrays in this block come to is more than can be looked at"
            self._findings.add("P266", message, block.span, help="two or three members show what many show")
            return block
        self._check_uses()
        return inner

    def _annotated(self, item: ast.Annotate) -> ast.Annotate:
        """A sidecar: services are arrays and members as elsewhere, all other names are those of a definition and may have brackets."""
        parts: list[Any] = []
        for part in item.parts:
            if isinstance(part, ast.Role) and part.service is not None:
                parts.append(part._replace(service=self._one(part.service, {})))
            elif isinstance(part, ast.Check):
                asked = [one for item_ in part.items for one in (self._asked(item_, {}) if item_.each else [item_])]
                parts.append(part._replace(items=tuple(asked)))
            else:
                parts += self._nodes(part, {}) if isinstance(part, ast.Service) else [part]
        return item._replace(parts=tuple(parts))

    # -- the tree ------------------------------------------------------------------------------------------------------

    def _nodes(self, node: Any, numbers: Mapping[str, int]) -> list[Any]:
        """What stands in the place of a value in a list: itself, or the members of the array that it is."""
        if isinstance(node, ast.Name):
            return [node._replace(text=text) for _, text in self._called(node, numbers, declares=False, ranges=True)]
        if not isinstance(node, tuple) or not hasattr(node, "_fields"):
            return [self._one(node, numbers)]
        if isinstance(node, ast.CheckItem) and node.each:
            return self._asked(node, numbers)
        if isinstance(node, ast.Branch) and node.guard is None:
            return self._branches(node, numbers)
        field = HEADS.get(type(node))
        if field is None:
            return [self._one(node, numbers)]
        head: ast.Name = getattr(node, field)
        declares = isinstance(node, DECLARING) and not self._again
        if "[" not in head.text:
            if declares:
                self._plain.setdefault(head.text, {}).setdefault(self._owner, head.span)
            return [self._one(node, numbers)]
        made = []
        for own, text in self._called(head, numbers, declares=declares, ranges=True):
            values: Any = node
            member = values._replace(**{field: head._replace(text=text)})
            made.append(self._one(member, {**numbers, **own}) if declares else self._inside(member, numbers, own))
        return made

    def _inside(self, node: Any, numbers: Mapping[str, int], own: Mapping[str, int]) -> Any:
        """What is done for one event or call of several: `task count[i]` in it is the one with this number, since no name around has it."""
        outer, self._which = self._which, self._which | own.keys()
        made = self._one(node, {**numbers, **own})
        self._which = outer
        return made

    def _branches(self, branch: ast.Branch, numbers: Mapping[str, int]) -> list[ast.Branch]:
        """An array that is a branch by itself is as many branches; so is one of events to wait for."""
        if branch.trigger is not None:
            if not isinstance(branch.trigger, ast.Receive) or "[" not in branch.trigger.event.text:
                return [self._one(branch, numbers)]
            event = branch.trigger.event
            made = []
            for own, text in self._called(event, numbers, declares=False, ranges=True):
                trigger = branch.trigger._replace(event=event._replace(text=text))
                made.append(self._inside(branch._replace(trigger=trigger), numbers, own))
            return made
        body = branch.body
        if len(body.statements) == 1 and body.span == body.statements[0].span:
            parts = self._nodes(body.statements[0], numbers)
            return [branch._replace(body=body._replace(statements=(part,))) for part in parts]
        return [self._one(branch, numbers)]

    def _asked(self, item: ast.CheckItem, numbers: Mapping[str, int]) -> list[ast.CheckItem]:
        """A check for each of its numbers."""
        ranges = []
        for each in item.each:
            low, high = self._bound(each.low), self._bound(each.high)
            if low is None or high is None:
                return []
            if not self._sensible(low, high, each.span):
                return []
            ranges.append(range(low, high + 1))
        if not self._few([len(r) for r in ranges], item.each[0].span._replace(end=item.each[-1].span.end)):
            return []
        once = item._replace(each=(), one=True)
        variables = [each.name.text for each in item.each]
        for n, each in enumerate(item.each):
            if each.name.text in variables[:n]:
                message = f"two ranges of one check call their number `{each.name.text}`"
                self._say("P266", message, each.name.span, "give each a name of its own")
                return []
        made = []
        for own in product(*ranges):
            known = dict(zip(variables, own, strict=True))
            said = item.sentence and item.sentence._replace(text=spoken(item.sentence.text, known, self._params))
            made.append(self._one(once._replace(sentence=said), {**numbers, **known}))
        return made

    def _one(self, node: Any, numbers: Mapping[str, int]) -> Any:
        """A value with the names in it resolved, and arrays within put in their places."""
        if not isinstance(node, tuple) or isinstance(node, (Span, ast.Text, ast.Duration)):
            return node
        self._left -= 1
        if self._left < 0:
            raise _TooManyError
        if isinstance(node, ast.Name):
            if "[" not in node.text:
                return node
            found = self._called(node, numbers, declares=False, ranges=False)
            return node._replace(text=found[0][1]) if found else node
        if isinstance(node, ast.Number):
            return node._replace(value=numbers[node.name], name="") if node.name in numbers else node
        if not hasattr(node, "_fields"):  # a list
            if all(isinstance(each, ast.Name) for each in node) or not any(isinstance(each, ast.Name) for each in node):
                return tuple([part for each in node for part in self._nodes(each, numbers)])
            return tuple([self._one(each, numbers) for each in node])
        if isinstance(node, ast.Option) and node.key.text not in ("after", "undo_after"):
            return node._replace(operands=tuple([self._one(each, numbers) for each in node.operands]))
        if isinstance(node, (ast.Topic, ast.Signal)):
            called = [(n, self._called(n, numbers, declares=True, ranges=True)) for n in node.names]
            each_name = tuple([n._replace(text=text) for n, found in called for _, text in found])
            return self._fields(node._replace(names=()), numbers)._replace(names=each_name)
        if isinstance(node, _OWNERS):
            self._at = node.name.span
            outer, self._owner = self._owner, plain(node.name.text)
            made = self._fields(node, numbers)
            self._owner = outer
            return made
        if isinstance(node, ast.ForEach):
            return self._instances(node, numbers)
        if isinstance(node, ast.Expression):
            return in_numbers(node, numbers, self._fields(node, numbers))
        if isinstance(node, ast.Compare):
            return compared(self._fields(node, numbers), numbers)
        if isinstance(node, ast.CheckItem):
            operands = [
                ast.Number(numbers[o.name.text], o.span) if isinstance(o, ast.Atom) and o.name.text in numbers else o
                for o in node.operands
            ]
            return self._fields(node._replace(operands=tuple(operands)), numbers)
        return self._fields(node, numbers)

    def _fields(self, node: Any, numbers: Mapping[str, int]) -> Any:
        return type(node)(*[self._one(part, numbers) for part in node])

    def _instances(self, each: ast.ForEach, numbers: Mapping[str, int]) -> ast.ForEach:
        """A `for each`: its numbers come later, so indices that speak of them stay as they are."""
        outer, self._later = self._later, (*self._later, each.name.text)
        made: ast.ForEach = self._fields(each, {n: v for n, v in numbers.items() if n != each.name.text})
        self._later = outer
        return made

    # -- names ---------------------------------------------------------------------------------------------------------

    def _called(
        self, name: ast.Name, numbers: Mapping[str, int], *, declares: bool, ranges: bool
    ) -> list[tuple[dict[str, int], str]]:
        """What a name with indices stands for: the numbers of its variables, and the name of the member."""
        if "[" not in name.text:
            return [({}, name.text)]
        try:
            parts = self._pieces(name.text)
            later = {n.value for p in parts for i in p.indices for n in (*names(i.low), *names(i.high))}.intersection(
                self._later
            )
            if later:
                self._speak |= later
                if declares:
                    self._how_many(name, parts, self._later)
                for index in (i for p in parts for i in p.indices if i.high is not None):
                    message = "how many there are cannot differ between the instances of a `for each`"
                    help_ = "give it the same range in each of them"
                    raise IndexProblem(message, index.start, index.end, help_)  # noqa: TRY301 - told as all others are
                return [({}, written(parts, lambda term: shown(term, {**self._params, **numbers})))]
            indices = [i for p in parts for i in p.indices]
            variables = [i.variable for i in indices]
            for n, index in enumerate(indices):
                if index.variable and index.variable in variables[:n]:
                    message = f"two ranges of one name call their number `{index.variable}`"
                    raise IndexProblem(message, index.start, index.end, "give each a name of its own")  # noqa: TRY301
            dimensions = [self._dimension(i, numbers, declares, name) for p in parts for i in p.indices]
        except IndexProblem as problem:
            self._problem(name, problem, numbers)
            return []
        if any(len(d) != 1 for d in dimensions) and not ranges:
            self._say(
                "P266",
                f"`{' '.join(name.text.split())}` is several, and one is meant here",
                name.span,
                "write the number of one of them",
            )
            return []
        if not self._few([len(d) for d in dimensions], name.span):
            return []
        self._left -= len(variables)
        found = []
        for own in product(*dimensions):
            found.append(
                ({v: n for v, n in zip(variables, own, strict=True) if v}, self._text(parts, own, name.span, declares))
            )
        return found

    def _pieces(self, text: str) -> tuple[Piece, ...]:
        """The parts of a name, read once for however many members."""
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = pieces(text)
        return found

    def _text(self, parts: tuple[Piece, ...], own: tuple[int, ...], span: Span, declares: bool) -> str:  # noqa: FBT001
        """`fork[2].done`; the member is noted as declared, or as used."""
        text, at = "", 0
        for part in parts:
            count = len(part.indices)
            text += part.text + "".join(f"[{n}]" for n in own[at : at + count])
            base = part.text.rpartition(".")[2]
            if declares:
                self._members.setdefault(base, {}).setdefault(self._owner, set()).add(own[at : at + count])
            elif count:
                self._uses.setdefault((self._owner, base, own[at : at + count]), span)
            at += count
        return text

    def _dimension(self, index: Index, numbers: Mapping[str, int], declares: bool, name: ast.Name) -> range:  # noqa: FBT001
        """The numbers that an index stands for."""
        known = {**self._params, **numbers}
        if index.high is not None:
            low, high = value(index.low, known), value(index.high, known)
            span = self._within(name, index.start, index.end)
            return range(low, high + 1) if self._sensible(low, high, span) else range(0)
        if not declares or any(n.value in self._which for n in names(index.low)):
            number = value(index.low, known)
            if number < 0:
                self._say(
                    "P266",
                    f"no member has the number {number}",
                    self._within(name, index.start, index.end),
                    "members are counted from 0 or 1",
                )
                return range(0)
            return range(number, number + 1)
        self._how_many(name, (Piece("", 0, (index,)),), numbers)
        high = value(index.low, known)
        return range(1, high + 1) if self._sensible(1, high, self._within(name, index.start, index.end)) else range(0)

    def _how_many(self, name: ast.Name, parts: tuple[Piece, ...], numbers: Container[object]) -> None:
        """Refuse a number of members that speaks of the number of something around: an index was meant, where there can be none."""
        for index in (i for p in parts for i in p.indices if i.high is None):
            inner = next((n for n in names(index.low) if n.value in numbers), None)
            if inner is not None:
                message = f"the brackets of `{plain(name.text)}` say here how many there are, not which one"
                help_ = f"leave them out: what is in here is told apart by `{inner.value}` already; or write `[1..{shown(index.low)}]`"
                raise IndexProblem(message, index.start, index.end, help_)
