"""The one layout of a text: its own tokens in their own order, with other white space between them.

Nothing is added to a text and nothing left out of it but semicolons and white space, so that it means what it meant; that
is parsed again and compared all the same. Comments stay between the tokens between which they stand: one that follows
something on its line follows it, one on a line of its own is on a line of its own. An empty line between two things stays,
several become one. Where lines break depends on tokens and comments alone, hence a formatted text stays as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from placet.source import SourceFile, Span
from placet.syntax import ast
from placet.syntax.indices import canonical
from placet.syntax.landmarks import landmarks
from placet.syntax.lexer import TOKEN
from placet.syntax.parser import parse
from placet.syntax.printer import WIDTH
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic

_COMMENT = re.compile(r"#[^\n]*")
_EMPTY_LINE = re.compile(r"\n[^\S\n]*\n")
_NO_BLANK_BEFORE = frozenset((",", ";", ":", ")", "%", "-->", ".."))
_OPERATORS = frozenset(
    (
        *("and", "or", "not", "implies", "ctl", "ltl"),
        *("A", "E", "X", "F", "G", "U", "W", "R", "AX", "AF", "AG", "EX", "EF", "EG"),
    )
)
_ONE_LINE = (ast.Import, ast.System, ast.Service, ast.Topic, ast.Parameter, ast.Variable, ast.Check)
_HANGING = 3  # indents by which a line that goes on is set off


class Token(NamedTuple):
    """A token, and the white space, comments and semicolons before it."""

    text: str
    start: int
    before: str


class Comment(NamedTuple):
    """A comment before a token."""

    text: str
    own: bool  # has a line of its own
    after_empty: bool  # an empty line stands before it


def format_source(source: SourceFile) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The formatted text, or None where the text has errors; and the diagnostics. Linear in the length of the text.

    Line ends become those of the first line. Raises AssertionError where the result would mean anything else.
    """
    file, diagnostics = parse(source)
    if any(d.severity == "error" for d in diagnostics):
        return None, diagnostics
    text = "\n".join(_Layout(file).lines())
    text += "\n" if text else ""
    again, problems = parse(SourceFile(source.path, text))
    if any(d.severity == "error" for d in problems) or not _same(again.items, file.items):
        raise AssertionError(f"the formatter would change what `{source.path}` means")
    if source.text.partition("\n")[0].endswith("\r"):
        text = text.replace("\n", "\r\n")
    return text, diagnostics


def _same(one: object, other: object) -> bool:
    """Whether two trees are equal but for their spans."""
    todo = [(one, other)]
    while todo:
        left, right = todo.pop()
        if isinstance(left, Span) and isinstance(right, Span):
            continue
        if isinstance(left, tuple) and isinstance(right, tuple):
            if type(left) is not type(right) or len(left) != len(right):
                return False
            todo += zip(left, right, strict=True)
        elif left != right and not (
            isinstance(left, str) and isinstance(right, str) and canonical(left) == canonical(right)
        ):
            return False
    return True


def _tokens(text: str) -> tuple[list[Token], str]:
    """The tokens but for semicolons that only separate, and what comes after the last one."""
    found: list[Token] = []
    before, end = "", 0
    spans = [m.span(m.lastindex or 0) for m in TOKEN.finditer(text)]
    for number, (start, stop) in enumerate(spans):
        before += text[end:start]
        end = stop
        shown = text[start:stop]
        if not shown:
            continue
        following = next((text[a:b] for a, b in spans[number + 1 : number + 2]), "")
        # before a brace that begins a branch it separates: `step a ; { ... }`
        if shown == ";" and following != "{":
            before += ";"
            continue
        found.append(Token(shown if shown[0] == '"' else canonical(" ".join(shown.split())), start, before))
        before = ""
    return found, before + text[end:]


def _comments(before: str, *, first: bool) -> tuple[list[Comment], bool]:
    """The comments before a token, and whether an empty line stands between the last of them and the token."""
    found: list[Comment] = []
    end = 0
    for match in _COMMENT.finditer(before):
        space = before[end : match.start()]
        empty = bool(_EMPTY_LINE.search(space))
        found.append(Comment(match[0].rstrip(), first or bool(found) or "\n" in space, empty))
        end = match.end()
    return found, bool(_EMPTY_LINE.search(before[end:]))


class _Layout:
    """One text being laid out."""

    def __init__(self, file: ast.File) -> None:
        self._tokens, self._rest = _tokens(file.source.text)
        marks = landmarks(file)
        self._items = marks.items
        # by token: absent where no line begins; else whether the line may be shared
        self._begins: dict[int, bool] = {}
        numbers = {token.start: n for n, token in enumerate(self._tokens)}
        for offset, shared in marks.lines.items():
            self._begins[numbers[offset]] = shared
        for offset, nested in marks.introduced.items():
            n = numbers[offset] - 1
            n -= nested  # the brace between `errors` and its first rule
            if self._tokens[n].text != "," and not (nested and self._tokens[n + 1].text != "{"):
                self._begins[n] = False
        offsets = [token.start for token in self._tokens]
        self._hung = [0] * (len(self._tokens) + 1)
        for start, end in marks.hung:
            self._hung[numbers[start]] += 1
            self._hung[bisect_left(offsets, end)] -= 1
        self._groups()
        self._out: list[str] = []
        self._line: list[str] = []
        self._indent = 0
        self._latest: type | None = None  # the kind of the declaration that was begun last

    def _groups(self) -> None:
        """For each opening brace its closing one, and whether its members stand on lines of their own in any case."""
        self._close: dict[int, int] = {}
        self._parts: dict[int, bool] = {}  # opening brace -> whether lines begin within
        self._broken: dict[int, bool] = {}
        stack: list[int] = []
        for n, token in enumerate(self._tokens):
            if stack and _COMMENT.search(token.before):
                self._broken[stack[-1]] = True
            if stack and n in self._begins:
                self._parts[stack[-1]] = True
                self._broken[stack[-1]] = self._broken.get(stack[-1], False) or not self._begins[n]
            if token.text == "{":
                stack.append(n)
            elif token.text == "}":
                self._close[stack.pop()] = n
        for n in self._close:
            self._broken[n] = self._broken.get(n, False) and self._parts.get(n, False)

    # -- lines -------------------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """All lines."""
        depth, hung = 0, 0
        open_: list[bool] = []  # for each brace that is open, whether it is broken
        fresh = True  # nothing stands between the line and the brace before it
        previous = ""
        for n, token in enumerate(self._tokens):
            hung += self._hung[n]
            closing = token.text == "}" and open_[-1]
            within = not open_ or open_[-1]
            natural = closing or (within and (n in self._begins or n == 0)) or (fresh and bool(open_) and open_[-1])
            shared = n in self._begins and not within and previous != "{"
            inner = depth + hung
            if token.text == "}" and open_.pop():
                depth -= 1
            comments, empty = _comments(token.before, first=n == 0)
            if comments or natural:
                at = inner if natural else inner + _HANGING
                empty = self._told(comments, at, natural=natural, fresh=fresh, empty=empty)
                if natural and not closing:
                    self._between(n, comments, fresh=fresh and not any(c.own for c in comments), empty=empty)
                self._indent = depth + hung if natural else at
            elif shared and previous != ";":
                self._line[-1] += ";"
                previous = ";"
            self._put(previous, token.text)
            fresh = False
            if token.text == "{":
                broken = self._broken[n] or not self._fits(n)
                open_.append(broken)
                if broken:
                    depth, fresh = depth + 1, True
            previous = token.text
        comments, _ = _comments(self._rest, first=not self._tokens)
        self._told(comments, 0, natural=True, fresh=not self._tokens, empty=False)
        self._flush()
        return self._out

    def _told(self, comments: list[Comment], indent: int, *, natural: bool, fresh: bool, empty: bool) -> bool:
        """Writes the comments before a token and ends the line; gives whether an empty line follows them."""
        for comment in comments:
            if not comment.own:
                self._flush(comment.text)
                continue
            self._flush()
            if comment.after_empty and natural and not fresh:
                self._gap()
            self._out.append("  " * indent + comment.text)
            fresh = False
        self._flush()
        return empty and natural

    def _between(self, n: int, comments: list[Comment], *, fresh: bool, empty: bool) -> None:
        """An empty line where one stood, and between declarations that are not of a line each."""
        if empty and not fresh:
            self._gap()
        kind = self._items.get(self._tokens[n].start)
        if kind is None:
            return
        before, self._latest = self._latest, kind
        if (
            before is None
            or (kind is before and issubclass(kind, _ONE_LINE))
            or empty
            or any(c.after_empty for c in comments if c.own)
        ):
            return
        own = sum(1 for comment in comments if comment.own)
        at = len(self._out) - own
        if at > 0 and self._out[at - 1]:
            self._out.insert(at, "")

    def _gap(self) -> None:
        if self._out and self._out[-1]:
            self._out.append("")

    # -- one line ----------------------------------------------------------------------------------------------------

    def _put(self, previous: str, text: str) -> None:
        """The token, with the blank before it that belongs there."""
        if self._line and _blank(previous, text):
            text = " " + text
        self._line.append(text)

    def _fits(self, opening: int) -> bool:
        """Whether the group that a brace opens ends within the width of the line."""
        width = 2 * self._indent + sum(map(len, self._line))
        previous = "{"
        for n in range(opening + 1, self._close[opening] + 1):
            text = self._tokens[n].text
            width += len(text) + _blank(previous, text)
            if n in self._begins and previous not in {"{", ";"}:
                width += 1
            if width > WIDTH:
                return not self._parts.get(opening, False)
            previous = text
        return True

    def _flush(self, comment: str = "") -> None:
        """Writes the line, in several where it is too long and has commas."""
        if not self._line:
            if comment:  # it follows a line that is written already: only at the beginning of the text
                self._out.append(comment)
            return
        lines = self._wrapped()
        indent = "  " * self._indent
        self._out.append(indent + lines[0])
        self._out += [indent + "  " * _HANGING + line for line in lines[1:]]
        if comment:
            self._out[-1] += "  " + comment
        self._line = []

    def _wrapped(self) -> list[str]:
        line = "".join(self._line)
        if 2 * self._indent + len(line) <= WIDTH:
            return [line]
        parts: list[str] = [""]
        depth = 0
        for text in self._line:
            depth += (text.strip() in ("(", "{")) - (text.strip() in (")", "}"))
            parts[-1] += text
            if text == "," and depth == 0:
                parts.append("")
        parts = [part.strip() for part in parts if part.strip()]
        if self._line[0] == "check":  # one check a line
            return parts
        filled = parts[:1]
        for part in parts[1:]:
            room = WIDTH - 2 * self._indent - (2 * _HANGING if len(filled) > 1 else 0)
            if len(filled[-1]) + 1 + len(part) <= room:
                filled[-1] += " " + part
            else:
                filled.append(part)
        return filled


def _blank(previous: str, text: str) -> bool:
    """Whether a blank stands between two tokens of a line."""
    if text in _NO_BLANK_BEFORE or previous in {"(", "--", ".."}:
        return False
    if text == "(":
        return not (previous[:1].isalpha() or previous[:1] == "_") or previous in _OPERATORS
    return True
