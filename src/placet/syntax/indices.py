"""Names with indices: `fork[i % N + 1]`, `take[i in 1..N]`, `worker[2].pack.done`, and the arithmetic in their brackets.

To the grammar such a name is one token; what stands in its brackets is read here, by those who need it. Everything is
linear in the length of the name, and parentheses nest at most `DEEPEST` deep.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union

from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

DEEPEST = 8  # parentheses
MOST_OPERATIONS = 20
MOST_INDICES = 8
LARGEST = 10**9
# The name of what is an array where there is a range in it.
HEADS: dict[type, str] = {
    **dict.fromkeys(
        (
            *(
                ast.Service,
                ast.Pool,
                ast.Variable,
                ast.Process,
                ast.Choreography,
                ast.Member,
                ast.NetDecl,
                ast.MachineDecl,
            ),
            *(ast.PlaceDecl, ast.TransitionDecl, ast.Task, ast.Step, ast.Handler),
        ),
        "name",
    ),
    **dict.fromkeys((ast.Receive, ast.Publish, ast.Reaction), "event"),
    **dict.fromkeys((ast.Acquire, ast.Release), "pool"),
    ast.Call: "target",
    ast.Arc: "place",
    ast.Move: "source",
}
_TOKEN = re.compile(r"\s*(?:([0-9]+)|([^\W\d]\w*)|(\.\.)|([-+*%()])|(\S))")
_PIECE = re.compile(r"\[([^\[\]]*)\]|[^\[\]]+")


class IndexProblem(Exception):  # noqa: N818 - what is wrong with an index, and where in the text of its name
    """`start` and `end` are offsets in the name."""

    def __init__(self, message: str, start: int, end: int, help_: str = "", unknown: str = "") -> None:
        super().__init__(message)
        self.message, self.start, self.end, self.help, self.unknown = message, start, end, help_, unknown


class Leaf(NamedTuple):
    """A number, or a name that stands for one."""

    value: Union[int, str]
    start: int
    end: int


class Operation(NamedTuple):
    """`left op right`, op one of `+ - * %`; `shown` with parentheses where it was written with some."""

    op: str
    left: Term
    right: Term
    start: int
    end: int


class Inside(NamedTuple):
    """`(term)`."""

    term: Term
    start: int
    end: int


Term: TypeAlias = "Union[Leaf, Operation, Inside]"


class Index(NamedTuple):
    """What stands in one pair of brackets: `low`, or `low..high`, perhaps with a `variable` in front: `i in 1..N`."""

    variable: str
    low: Term
    high: Term | None
    start: int
    end: int


class Piece(NamedTuple):
    """A part of a name outside of brackets (`fork`, `.done`), at an offset, and the indices right behind it."""

    text: str
    start: int
    indices: tuple[Index, ...]


def plain(name: str) -> str:
    """A name without its brackets: `worker.pack` of `worker[2].pack`."""
    return re.sub(r"\[[^\[\]]*\]", "", name) if "[" in name else name


def several(node: object) -> bool:
    """Whether a value of the tree is an array by the name that it has."""
    field = HEADS.get(type(node))
    return field is not None and "[" in getattr(node, field).text


def pieces(name: str) -> tuple[Piece, ...]:
    """The parts of a name with their indices. Raises IndexProblem."""
    found: list[Piece] = []
    for match in _PIECE.finditer(name):
        if len(found) > MOST_INDICES or (found and len(found[-1].indices) > MOST_INDICES):
            help_ = f"a name has at most {MOST_INDICES} indices"
            raise IndexProblem("nobody can follow so many indices", match.start(), match.end(), help_)
        if match[1] is None:
            found.append(Piece(match[0], match.start(), ()))
        else:
            index = _Reader(match[1], match.start() + 1).index()
            found[-1] = found[-1]._replace(indices=(*found[-1].indices, index))
    return tuple(found)


def canonical(name: str) -> str:
    """The name as the formatter writes it; as it is where its brackets cannot be read."""
    if "[" not in name:
        return name
    try:
        return written(pieces(name), shown)
    except IndexProblem:
        return " ".join(name.split())


def written(parts: tuple[Piece, ...], term: Callable[[Term], str]) -> str:
    """The text of a name, its terms written by `term`."""
    text = ""
    for part in parts:
        text += part.text
        for index in part.indices:
            variable = f"{index.variable} in " if index.variable else ""
            high = f"..{term(index.high)}" if index.high is not None else ""
            text += f"[{variable}{term(index.low)}{high}]"
    return text


def evaluated(text: str, values: Mapping[str, int]) -> str:
    """A text with numbers in those of its brackets that come to one."""

    def number(match: re.Match[str]) -> str:
        try:
            index = _Reader(match[1], 0).index()
            return match[0] if index.high is not None or index.variable else f"[{value(index.low, values)}]"
        except IndexProblem:
            return match[0]

    return re.sub(r"\[([^\[\]]*)\]", number, text) if "[" in text else text


def shown(term: Term, values: Mapping[str, int] | None = None) -> str:
    """A term as text, names that have a value replaced by it."""
    if isinstance(term, Leaf):
        return str(values.get(term.value, term.value) if values and isinstance(term.value, str) else term.value)
    if isinstance(term, Inside):
        return f"({shown(term.term, values)})"
    return f"{shown(term.left, values)} {term.op} {shown(term.right, values)}"


def names(term: Term | None) -> list[Leaf]:
    """The names in a term, in the order of the text."""
    if term is None:
        return []
    if isinstance(term, Leaf):
        return [term] if isinstance(term.value, str) else []
    return names(term.term) if isinstance(term, Inside) else [*names(term.left), *names(term.right)]


def value(term: Term, values: Mapping[str, int]) -> int:
    """What a term comes to. `%` is the remainder that is not negative. Raises IndexProblem."""
    if isinstance(term, Inside):
        return value(term.term, values)
    if isinstance(term, Leaf):
        if isinstance(term.value, int):
            return term.value
        if term.value not in values:
            raise IndexProblem(f"`{term.value}` is no number here", term.start, term.end, unknown=term.value)
        return values[term.value]
    left, right = value(term.left, values), value(term.right, values)
    if term.op == "%" and right < 1:
        raise IndexProblem(f"the remainder of a division by {right} is nothing", term.start, term.end)
    result = {"+": left + right, "-": left - right, "*": left * right, "%": left % right if right > 0 else 0}[term.op]
    if abs(result) > LARGEST:
        raise IndexProblem("this comes to more than 10^9", term.start, term.end, "numbers go up to 1000000000 (10^9)")
    return result


class _Reader:
    """Reads what stands in one pair of brackets."""

    def __init__(self, text: str, offset: int) -> None:
        self._end = offset + len(text)
        self._tokens = [
            (m.lastindex or 0, m[m.lastindex or 0], offset + m.start(m.lastindex or 0), offset + m.end())
            for m in _TOKEN.finditer(text.rstrip())
        ]
        self._at = 0
        self._depth = 0
        self._start = offset

    def index(self) -> Index:
        variable = ""
        if [t[1] for t in self._tokens[1:2]] == ["in"] and self._tokens[0][0] == 2:
            variable = self._tokens[0][1]
            self._at = 2
        low = self._sum()
        high = None
        if self._sign() == "..":
            self._at += 1
            high = self._sum()
        elif variable:
            raise self._wrong("`..` and the last number", f"write `{variable} in 1..{shown(low)}`")
        if self._at < len(self._tokens):
            raise self._wrong("`]`")
        return Index(variable, low, high, self._start, self._end)

    def _sign(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _wrong(self, expected: str, help_: str = "") -> IndexProblem:
        if self._at < len(self._tokens):
            _, found, start, end = self._tokens[self._at]
            return IndexProblem(f"expected {expected}, found `{found}`", start, end, help_)
        return IndexProblem(f"expected {expected}, found `]`", self._end, self._end + 1, help_)

    def _sum(self) -> Term:
        return self._chain("+-", lambda: self._chain("*%", self._factor))

    def _chain(self, operators: str, part: Callable[[], Term]) -> Term:
        left = part()
        count = 0
        while (op := self._sign()) and op in operators:
            self._at += 1
            count += 1
            if count > MOST_OPERATIONS:
                raise self._wrong("fewer operations")
            right = part()
            left = Operation(op, left, right, left.start, right.end)
        return left

    def _factor(self) -> Term:
        if self._at >= len(self._tokens):
            raise self._wrong("a number or a name")
        kind, text, start, end = self._tokens[self._at]
        if kind == 1:
            self._at += 1
            if len(text.lstrip("0")) > 10 or int(text) > LARGEST:
                raise IndexProblem("this number is too large", start, end, f"numbers go up to {LARGEST} (10^9)")
            return Leaf(int(text), start, end)
        if kind == 2:
            self._at += 1
            return Leaf(text, start, end)
        if text != "(" or self._depth >= DEEPEST:
            raise self._wrong("a number or a name")
        self._at += 1
        self._depth += 1
        inner = self._sum()
        self._depth -= 1
        if self._sign() != ")":
            raise self._wrong("`)`")
        self._at += 1
        return Inside(inner, start, self._tokens[self._at - 1][3])
