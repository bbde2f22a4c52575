"""What the parser does after a token that does not fit: say so once, and go on where the text makes sense again.

First a small repair is tried: a misspelt keyword, one token too few, a few too many. It counts only if the next three
tokens then fit. Otherwise everything up to a boundary is skipped (panic mode): a `;`, the closing brace, or a line that
begins with what may stand there. Each call either moves on in the text or leaves a stack that takes the next token; the
number of calls is bounded by the number of diagnostics, so that the cost stays linear in the length of the text.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from placet.diagnostics import Diagnostic, Label
from placet.source import Span
from placet.syntax import ast
from placet.syntax.error_examples import LATER, LATER_BEFORE
from placet.syntax.lexer import (
    DURATION,
    END,
    LBRACE,
    LPAR,
    NAME,
    NAME_GROUP,
    NUMBER,
    RBRACE,
    RPAR,
    SIGN_GROUP,
    TEXT,
    kind_of,
    tokens,
)
from placet.syntax.machine import ACCESSING, shift
from placet.syntax.messages import by_example, context, did_you_mean, expected_phrases, listed, misplaced, quoted
from placet.syntax.tables import NONTERMINALS, ROWS, SIGNS, STARTS, WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.syntax.parser import Parse

AHEAD = 12
DECLARATIONS = frozenset(STARTS["item"])
INSERTABLE = frozenset(
    {NAME, NUMBER, DURATION, TEXT, WORDS["of"], *SIGNS.values()}
    - {SIGNS[";"], SIGNS["*"], SIGNS["-"], RBRACE}
)
_FIXED = frozenset("{};")


class Token(NamedTuple):
    """A token ahead, not yet classified."""

    group: int
    text: str
    start: int
    end: int


class Repair(NamedTuple):
    """Put `insert` in (END: nothing) and leave out the next `delete` tokens."""

    insert: int
    delete: int
    word: str = ""  # what a misspelt keyword was meant to be


class Trouble(NamedTuple):
    """The token that does not fit, and what surrounds it."""

    parse: Parse
    kind: int
    start: int
    end: int
    ahead: tuple[Token, ...]
    before: str  # the text of the token before
    accepted: tuple[int, ...]
    first_on_line: bool

    @property
    def found(self) -> str:
        """Its text."""
        return self.parse.source.text[self.start : self.end]


def recover(parse: Parse, kind: int, group: int, start: int, end: int) -> int:
    """Reports the token that the machine did not take, repairs the stack, and gives the offset to go on from."""
    text = parse.source.text
    machine = parse.machine
    machine.settle()
    if kind in (LBRACE, LPAR) and parse.depth >= parse.deepest:
        position = _too_deep(parse, kind, start)
    else:
        ahead = tuple(Token(g, text[s:min(e, s + 64)], s, e) for g, s, e in islice(tokens(text, start), AHEAD))
        accepted = tuple(k for k in ROWS[machine.states[-1]] if shift(machine.states.copy(), k))
        before = text[machine.begins[-1] : machine.end] if ACCESSING[machine.states[-1]] >= 0 else _last_word(parse)
        gap = text[machine.end : start]
        trouble = Trouble(parse, kind, start, end, ahead, before, accepted, "\n" in gap or machine.end == 0)
        position = _resume(trouble, quiet=start < parse.lexed and group != NAME_GROUP)
    parse.depth = sum(ACCESSING[state] in (LBRACE, LPAR) for state in machine.states[1:])
    return position


def _last_word(parse: Parse) -> str:
    """The text of the last token, which a reduction has swallowed: found by looking back over one word or sign."""
    text, end = parse.source.text, parse.machine.end
    start = end - 1
    if start >= 0 and (text[start].isalnum() or text[start] == "_"):
        while start > 0 and end - start < 64 and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
            start -= 1
    return '"' if text[start:end] == '"' else text[max(start, 0) : end]


def _resume(trouble: Trouble, *, quiet: bool) -> int:
    """One diagnostic (unless the token was complained about already), and where to go on."""
    parse, kind = trouble.parse, trouble.kind
    say = (lambda _: None) if quiet else parse.report
    later = _later(trouble)
    if later is not None:
        say(later)
        return _panic(trouble)
    open_braces = [i for i, state in enumerate(parse.machine.states) if i and ACCESSING[state] == LBRACE]
    if kind == END or (kind in DECLARATIONS and trouble.first_on_line and open_braces and _outdented(trouble)):
        if open_braces and RBRACE in trouble.accepted:
            if not parse.lost:
                say(_unclosed(trouble))
        elif not parse.lost:
            say(_unexpected(trouble, Repair(END, 0)))
        _close(parse)
        return trouble.start
    if kind == RBRACE and not open_braces and END in trouble.accepted:
        say(_closes_nothing(trouble))
        return trouble.end
    repair = _repair(trouble)
    say(_unexpected(trouble, repair))
    return _panic(trouble) if repair is None else _apply(trouble, repair)


# -- diagnostics


def _later(trouble: Trouble) -> Diagnostic | None:
    """The diagnostic for a construct that the language has no room for yet."""
    word, start = trouble.found, trouble.start
    if trouble.before in LATER_BEFORE:
        word, start = trouble.before, trouble.parse.machine.end - len(trouble.before)
    if word not in LATER or trouble.kind in trouble.accepted:
        return None
    span = Span(trouble.parse.source, start, start + len(word))
    return Diagnostic("P111", "error", f"`{word}` is not in the language yet", span, notes=(f"it is foreseen for {LATER[word]}",))


def _unexpected(trouble: Trouble, repair: Repair | None) -> Diagnostic:
    """What was expected and what was found, in the words of an example where there is one."""
    parse, kind, before = trouble.parse, trouble.kind, trouble.before
    machine = parse.machine
    span = Span(parse.source, trouble.start, trouble.end)
    found = quoted(trouble.found, kind)
    missing = repair is not None and repair.delete == 0 and not repair.word
    if missing or (trouble.first_on_line and repair is None and RBRACE not in trouble.accepted):
        missing = machine.end > 0
        span = Span(parse.source, machine.end, machine.end) if missing else span
    notes = (f"`{before}` was read as a name here",) if before in WORDS and _was_name(trouble) else ()
    if repair is not None and repair.word:
        expected = listed(expected_phrases(trouble.accepted, before))
        return Diagnostic(
            "P102", "error", f"expected {expected}, found {found}", span, notes=notes, help=f"did you mean `{repair.word}`?"
        )
    example = by_example(machine.states, kind)
    if example is not None:
        message = example.message.replace("{found}", found).replace("{before}", before)
        return Diagnostic(example.code, "error", message, span, notes=notes, help=example.help)
    phrases = expected_phrases(trouble.accepted, before)
    boundary = RBRACE in trouble.accepted or END in trouble.accepted
    home = misplaced(trouble.found, kind) if boundary else None
    if home is not None:
        phrases = [p for p in phrases if not p.startswith("`")] or phrases
        message = f"expected {listed(phrases)}, found {found}, which is {home[0]}"
        return Diagnostic("P114", "error", message, Span(parse.source, trouble.start, trouble.end), notes=notes, help=home[1])
    if missing and repair is not None and repair.insert != END and len(phrases) > 3:
        phrases = expected_phrases((repair.insert,), before)
    message = f"expected {listed(phrases)}{context(machine.states, before)}"
    labels: tuple[Label, ...] = ()
    if repair is not None and repair.insert == RPAR:
        opened = max((i for i, state in enumerate(machine.states) if ACCESSING[state] == LPAR), default=0)
        at = machine.begins[opened]
        labels = (Label(Span(parse.source, at, at + 1), "this `(` is not closed"),) if opened else ()
    return Diagnostic(
        "P101", "error", message if missing and kind != END else f"{message}, found {found}", span, labels, notes
    )


def _was_name(trouble: Trouble) -> bool:
    machine = trouble.parse.machine
    value = machine.values[-1]
    return ACCESSING[machine.states[-1]] == NAME or (isinstance(value, list) and RBRACE in trouble.accepted)


def _closes_nothing(trouble: Trouble) -> Diagnostic:
    parse = trouble.parse
    span = Span(parse.source, trouble.start, trouble.end)
    end = parse.machine.end
    closed = parse.source.text[end - 1 : end] == "}"
    labels = (Label(Span(parse.source, end - 1, end), "everything was closed here"),) if closed else ()
    return Diagnostic("P104", "error", "this `}` closes nothing", span, labels)


def _unclosed(trouble: Trouble) -> Diagnostic:
    """A brace is open where a new declaration (or nothing more) comes; points to the one that is probably meant."""
    parse = trouble.parse
    source, end = parse.source, parse.machine.end
    opener = _suspect(trouble)
    where = "the end of the file" if trouble.kind == END else f"`{trouble.found}`"
    return Diagnostic(
        "P103",
        "error",
        f"expected `}}` before {where}",
        Span(source, end, end),
        (Label(Span(source, opener, opener + 1), "this `{` is not closed"),),
    )


def _suspect(trouble: Trouble) -> int:
    """The open brace: the first whose closing brace is less indented than its own line, else the innermost that is open."""
    source = trouble.parse.source
    states, begins = trouble.parse.machine.states, trouble.parse.machine.begins
    first = next(i for i, state in enumerate(states) if i and ACCESSING[state] == LBRACE)
    opened: list[int] = []
    last = begins[first]
    for group, start, end in tokens(source.text, begins[first]):
        if start >= trouble.start:
            break
        if group == SIGN_GROUP and source.text[start] == "{":
            opened.append(start)
        elif group == SIGN_GROUP and source.text[start] == "}" and opened:
            opener = opened.pop()
            if "\n" in source.text[last:start] and source.position(start)[1] <= _indent(trouble, opener):
                return opener
        last = end
    return opened[-1] if opened else begins[first]


def _indent(trouble: Trouble, offset: int) -> int:
    """Number of blanks at the start of the line of an offset."""
    source = trouble.parse.source
    line, _ = source.position(offset)
    start = source.line_starts[line - 1]
    indent = 0
    while start + indent < offset and source.text[start + indent] in " \t":
        indent += 1
    return indent


def _outdented(trouble: Trouble) -> bool:
    """Whether the line of the token begins no further right than that of the declaration that is open."""
    machine = trouble.parse.machine
    size = _base(machine.states, 0)
    return _indent(trouble, trouble.start) <= _indent(trouble, machine.begins[min(size, len(machine.begins) - 1)])


def _too_deep(parse: Parse, kind: int, start: int) -> int:
    """Says so once a file; takes the whole of what is too deep for something empty."""
    text, machine = parse.source.text, parse.machine
    if not parse.too_deep:
        parse.too_deep = True
        span = Span(parse.source, start, start + 1)
        parse.report(
            Diagnostic("P109", "error", f"this is nested deeper than {parse.deepest} levels", span, help="move the inner part into a workflow of its own, and `call` it")
        )
    opening, closing = ("{", "}") if kind == LBRACE else ("(", ")")
    depth = 0
    for group, at, end in tokens(text, start):
        if group == SIGN_GROUP and text[at] in (opening, closing):
            depth += 1 if text[at] == opening else -1
            if depth == 0:
                for inserted in (LBRACE, RBRACE) if kind == LBRACE else (NAME,):
                    _insert(parse, inserted)
                return end
    parse.lost = True
    return len(text)


# -- repairs


def _survives(states: list[int], ahead: Sequence[Token], need: int = 3) -> bool:
    """Whether the next `need` tokens (or all up to the end of the file) fit."""
    for token in ahead[:need]:
        kind = kind_of(token.group, token.text, ROWS[states[-1]])
        if not shift(states, kind):
            return False
        if kind == END:
            return True
    return True


def _repair(trouble: Trouble) -> Repair | None:
    """The smallest change after which the text goes on, or None."""
    states, ahead = trouble.parse.machine.states, trouble.ahead
    if ahead and ahead[0].group == NAME_GROUP:
        words = {word: kind for word, kind in WORDS.items() if kind in trouble.accepted}
        meant = did_you_mean(ahead[0].text, words)
        if meant and meant != ahead[0].text:
            copy = states.copy()
            if shift(copy, words[meant]) and _survives(copy, ahead[1:], 2):
                return Repair(words[meant], 1, meant)
    insertable = [kind for kind in trouble.accepted if kind in INSERTABLE]
    last = trouble.parse.machine.end
    for delete in range(min(9, len(ahead))):
        if delete:
            token = ahead[delete - 1]
            if token.text in _FIXED or kind_of(token.group, token.text, {}) == END:
                break
            if delete > 1 and "\n" in trouble.parse.source.text[last : token.start]:
                break
            last = token.end
        for insert in (insertable if not delete else [END, *insertable]):
            copy = states.copy()
            if (insert == END or shift(copy, insert)) and _survives(copy, ahead[delete:]):
                return Repair(insert, delete)
    return None


def _apply(trouble: Trouble, repair: Repair) -> int:
    if repair.insert != END:
        _insert(trouble.parse, repair.insert, repair.word)
    return trouble.ahead[repair.delete].start


def _insert(parse: Parse, kind: int, word: str = "") -> bool:
    """Feeds a token that is not in the text."""
    machine = parse.machine
    span = Span(parse.source, machine.end, machine.end)
    if not machine.feed(kind, machine.end, machine.end):
        return False
    stand_in: dict[int, object] = {
        NUMBER: ast.Number(0, span), DURATION: ast.Duration(0, "0s", span), TEXT: ast.Text("", span),
    }  # fmt: skip
    if kind in parse.makers:
        machine.values[-1] = stand_in.get(kind, ast.Name(word, span))
    return True


# -- panic mode


def _base(states: Sequence[int], brace: int) -> int:
    """How much of the stack stands when what was begun inside the brace at this index is given up."""
    size = brace + 1
    if size < len(states) and ACCESSING[states[size]] < 0 and NONTERMINALS[~ACCESSING[states[size]]].startswith("__"):
        size += 1
    return size


def _close(parse: Parse) -> None:
    """Closes all open braces, giving up what is incomplete, and drops what is not in braces."""
    machine = parse.machine
    for brace in reversed([i for i, state in enumerate(machine.states) if i and ACCESSING[state] == LBRACE]):
        if brace >= len(machine.states) or ACCESSING[machine.states[brace]] != LBRACE:
            continue
        if shift(machine.states.copy(), RBRACE):
            _insert(parse, RBRACE)
            continue
        machine.truncate(_base(machine.states, brace))
        if not _insert(parse, RBRACE):
            machine.truncate(brace)
    if not shift(machine.states.copy(), END):
        machine.truncate(_base(machine.states, 0))


def _panic(trouble: Trouble) -> int:
    """Skips to a boundary; cuts the stack back to where the construct around the trouble takes its parts."""
    parse, start = trouble.parse, trouble.start
    machine, text = parse.machine, parse.source.text
    braces = [0, *(i for i, state in enumerate(machine.states) if i and ACCESSING[state] == LBRACE)]
    machine.truncate(_base(machine.states, braces[-1]))
    depth = 0
    boundary = trouble.first_on_line
    last = start
    for group, at, end in tokens(text, start):
        word = text[at : min(end, at + 64)]
        boundary = boundary or "\n" in text[last:at]
        last = end
        kind = kind_of(group, word, ROWS[machine.states[-1]])
        if kind == END:
            parse.lost = parse.lost or len(braces) > 1
            return at
        if depth == 0 and boundary and _begins_part(machine.states, kind, word, fresh=at > start):
            return at
        boundary = False
        if kind == LBRACE:
            depth += 1
        elif kind == RBRACE and depth:
            depth -= 1
            boundary = depth == 0
        elif kind == RBRACE and len(braces) > 1:
            if shift(machine.states.copy(), RBRACE):
                return at
            braces.pop()
            machine.truncate(_base(machine.states, braces[-1]))
            boundary = True
        elif depth == 0 and word == ";":
            return end
    return len(text)


def _begins_part(states: list[int], kind: int, word: str, *, fresh: bool) -> bool:
    """Whether parsing may go on with this token, or another complaint is due at it."""
    if kind in (RBRACE, RPAR):
        return False
    return shift(states.copy(), kind) or (fresh and (word in LATER or kind in DECLARATIONS))
