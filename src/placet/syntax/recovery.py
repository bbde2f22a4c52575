"""What the parser does after a token that does not fit: say so once, and go on where the text makes sense again.

First a small repair is tried: a misspelt keyword, one token too few, a few too many. It counts only if the next three
tokens then fit. Otherwise everything up to a boundary is skipped (panic mode): a `;`, the closing brace, or a line that
begins with what may stand there. Each call either moves on in the text or leaves a stack that takes the next token; the
number of calls is bounded by the number of diagnostics, so that the cost stays linear in the length of the text.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.source import Span
from placet.syntax import ast
from placet.syntax.complaints import (
    Repair,
    Token,
    Trouble,
    closes_nothing,
    elsewhere,
    indent,
    outdented,
    parts_end,
    unclosed,
    unexpected,
)
from placet.syntax.error_examples import ELSEWHERE
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
from placet.syntax.messages import close_words
from placet.syntax.tables import ROWS, SIGNS, STARTS, WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.syntax.run import Run

AHEAD = 12
DECLARATIONS = frozenset(STARTS["item"])
INSERTABLE = frozenset(
    {NAME, NUMBER, DURATION, TEXT, WORDS["of"], *SIGNS.values()} - {SIGNS[";"], SIGNS["*"], SIGNS["-"], RBRACE}
)
_FIXED = frozenset("{};")


def recover(parse: Run, kind: int, group: int, start: int, end: int) -> int:
    """Reports the token that the machine did not take, repairs the stack, and gives the offset to go on from."""
    text = parse.source.text
    machine = parse.machine
    machine.settle()
    if kind in (LBRACE, LPAR) and parse.depth >= parse.deepest:
        return _too_deep(parse, kind, start)
    ahead = tuple(Token(g, text[s : min(e, s + 64)], s, e) for g, s, e in islice(tokens(text, start), AHEAD))
    accepted = tuple(k for k in ROWS[machine.states[-1]] if shift(machine.states.copy(), k))
    before = text[machine.begins[-1] : machine.end] if ACCESSING[machine.states[-1]] >= 0 else _last_word(parse)
    first_on_line = "\n" in text[machine.end : start] or machine.end == 0
    trouble = Trouble(parse, kind, start, end, ahead, before, accepted, first_on_line)
    position = _resume(trouble, quiet=start < parse.lexed and group != NAME_GROUP)
    parse.depth = sum(ACCESSING[state] in (LBRACE, LPAR) for state in machine.states[1:])
    return position


def _last_word(parse: Run) -> str:
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
    strange = elsewhere(trouble)
    if strange is not None:
        say(strange)
        return _panic(trouble)
    open_braces = [i for i, state in enumerate(parse.machine.states) if i and ACCESSING[state] == LBRACE]
    if kind == END or (kind in DECLARATIONS and trouble.first_on_line and open_braces and outdented(trouble)):
        if open_braces and RBRACE in trouble.accepted:
            if not parse.lost:
                say(unclosed(trouble))
        elif not parse.lost:
            say(unexpected(trouble, Repair(END, 0)))
        _close(parse)
        return trouble.start
    if kind == RBRACE and not open_braces and END in trouble.accepted:
        say(closes_nothing(trouble))
        return trouble.end
    if open_braces and RBRACE in trouble.accepted and _belongs_outside(trouble, open_braces[-1]):
        say(unclosed(trouble))
        _insert(parse, RBRACE)
        return trouble.start
    repair = _repair(trouble)
    say(unexpected(trouble, repair))
    return _panic(trouble) if repair is None else _apply(trouble, repair)


def _belongs_outside(trouble: Trouble, brace: int) -> bool:
    """Whether the line goes on after one closing brace, and is indented as if that had been there."""
    machine = trouble.parse.machine
    states = machine.states.copy()
    return (
        trouble.first_on_line
        and shift(states, RBRACE)
        and _survives(states, trouble.ahead)
        and indent(trouble, trouble.start) <= indent(trouble, machine.begins[brace])
    )


def _too_deep(parse: Run, kind: int, start: int) -> int:
    """Says so once a file; takes the whole of what is too deep for something empty."""
    text = parse.source.text
    if not parse.too_deep:
        parse.too_deep = True
        span = Span(parse.source, start, start + 1)
        parse.report(
            Diagnostic(
                "P109",
                "error",
                f"this is nested deeper than {parse.deepest} levels",
                span,
                help="move the inner part into a workflow of its own, and `call` it",
            )
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
        for meant in close_words(ahead[0].text, words):
            copy = states.copy()
            if meant != ahead[0].text and shift(copy, words[meant]) and _survives(copy, ahead[1:], 1):
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
        for insert in insertable if not delete else [END, *insertable]:
            copy = states.copy()
            if (insert == END or shift(copy, insert)) and _survives(copy, ahead[delete:]):
                return Repair(insert, delete)
    return None


def _apply(trouble: Trouble, repair: Repair) -> int:
    if repair.insert != END:
        _insert(trouble.parse, repair.insert, repair.word)
    on = trouble.ahead[repair.delete]
    if repair.insert == LBRACE and on.text == "}" and not trouble.first_on_line:
        _insert(trouble.parse, RBRACE)  # the one in the text closes what is around: `workflow w { parallel }`
    return on.start


def _insert(parse: Run, kind: int, word: str = "") -> bool:
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


def _close(parse: Run) -> None:
    """Closes all open braces, giving up what is incomplete, and drops what is not in braces."""
    machine = parse.machine
    for brace in reversed([i for i, state in enumerate(machine.states) if i and ACCESSING[state] == LBRACE]):
        if brace >= len(machine.states) or ACCESSING[machine.states[brace]] != LBRACE:
            continue
        if shift(machine.states.copy(), RBRACE):
            _insert(parse, RBRACE)
            continue
        machine.truncate(parts_end(machine.states, brace))
        if not _insert(parse, RBRACE):
            machine.truncate(brace)
    if not shift(machine.states.copy(), END):
        machine.truncate(parts_end(machine.states, 0))


def _panic(trouble: Trouble) -> int:
    """Skips to a boundary; cuts the stack back to where the construct around the trouble takes its parts."""
    parse, start = trouble.parse, trouble.start
    machine, text = parse.machine, parse.source.text
    braces = [0, *(i for i, state in enumerate(machine.states) if i and ACCESSING[state] == LBRACE)]
    machine.truncate(parts_end(machine.states, braces[-1]))
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
            machine.truncate(parts_end(machine.states, braces[-1]))
            boundary = True
        elif depth == 0 and word == ";":
            return end
    return len(text)


def _begins_part(states: list[int], kind: int, word: str, *, fresh: bool) -> bool:
    """Whether parsing may go on with this token, or another complaint is due at it."""
    if kind in (RBRACE, RPAR):
        return False
    return shift(states.copy(), kind) or (fresh and (word in ELSEWHERE or kind in DECLARATIONS))
