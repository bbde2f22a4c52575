"""The complaints of the parser about a token that does not fit: what was expected, and what stands there instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic, Label
from placet.source import Span
from placet.syntax.error_examples import ELSEWHERE
from placet.syntax.lexer import END, LBRACE, LPAR, NAME, RBRACE, RPAR, SIGN_GROUP, tokens
from placet.syntax.machine import ACCESSING
from placet.syntax.messages import by_example, context, expected_phrases, listed, misplaced, quoted
from placet.syntax.tables import NONTERMINALS, WORDS
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.syntax.run import Run


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

    parse: Run
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


def parts_end(states: Sequence[int], brace: int) -> int:
    """How much of the stack stands when what was begun inside the brace at this index is given up."""
    size = brace + 1
    if size < len(states) and ACCESSING[states[size]] < 0 and NONTERMINALS[~ACCESSING[states[size]]].startswith("__"):
        size += 1
    return size


def elsewhere(trouble: Trouble) -> Diagnostic | None:
    """The diagnostic for a word that others write here, and that is said elsewhere or otherwise."""
    word, start = trouble.found, trouble.start
    if word not in ELSEWHERE or trouble.kind in trouble.accepted:
        return None
    span = Span(trouble.parse.source, start, start + len(word))
    return Diagnostic("P111", "error", f"`{word}` does not stand here", span, help=ELSEWHERE[word])


def unexpected(trouble: Trouble, repair: Repair | None) -> Diagnostic:
    """What was expected and what was found, in the words of an example where there is one."""
    parse, kind, before = trouble.parse, trouble.kind, trouble.before
    machine = parse.machine
    there = span = Span(parse.source, trouble.start, trouble.end)
    found = quoted(trouble.found, kind)
    unfinished = (trouble.first_on_line or kind in (RBRACE, RPAR)) and RBRACE not in trouble.accepted
    missing = machine.end > 0 and (unfinished if repair is None else repair.delete == 0 and not repair.word)
    if missing:
        span = Span(parse.source, machine.end, machine.end)
    notes = (f"`{before}` was read as a name here",) if before in WORDS and _was_name(trouble) else ()
    if repair is not None and repair.word:
        expected = listed(expected_phrases(trouble.accepted, before))
        return Diagnostic(
            "P102",
            "error",
            f"expected {expected}, found {found}",
            span,
            notes=notes,
            help=f"did you mean `{repair.word}`?",
        )
    example = by_example(machine.states, kind)
    if example is not None:
        message = example.message.replace("{found}", found).replace("{before}", before)
        span = there if "{found}" in example.message else span
        return Diagnostic(example.code, "error", message, span, notes=notes, help=example.help)
    phrases = expected_phrases(trouble.accepted, before)
    boundary = RBRACE in trouble.accepted or END in trouble.accepted
    home = misplaced(trouble.found, kind) if boundary else None
    if home is not None:
        phrases = [p for p in phrases if not p.startswith("`")] or phrases
        message = f"expected {listed(phrases)}, found {found}, which is {home[0]}"
        return Diagnostic("P114", "error", message, there, notes=notes, help=home[1])
    if missing and repair is not None and repair.insert != END and len(phrases) > 3:
        phrases = expected_phrases((repair.insert,), before)
    message = f"expected {listed(phrases)}{context(machine.states, before)}"
    labels: tuple[Label, ...] = ()
    at_end = RPAR in trouble.accepted and (kind == END or trouble.first_on_line)
    if at_end or (repair is not None and repair.insert == RPAR):
        opened = max((i for i, state in enumerate(machine.states) if ACCESSING[state] == LPAR), default=0)
        at = machine.begins[opened]
        labels = (Label(Span(parse.source, at, at + 1), "this `(` is not closed"),) if opened else ()
        message = f"expected `)`{context(machine.states, before)}"
    elif not missing or kind == END:
        message = f"{message}, found {found}"
    return Diagnostic("P101", "error", message, span, labels, notes)


def _was_name(trouble: Trouble) -> bool:
    machine = trouble.parse.machine
    value = machine.values[-1]
    return ACCESSING[machine.states[-1]] == NAME or (isinstance(value, list) and RBRACE in trouble.accepted)


def closes_nothing(trouble: Trouble) -> Diagnostic:
    """A closing brace where none is open; points to the one that closed the last declaration."""
    parse = trouble.parse
    span = Span(parse.source, trouble.start, trouble.end)
    end = parse.machine.end
    closed = parse.source.text[end - 1 : end] == "}"
    labels = (Label(Span(parse.source, end - 1, end), "everything was closed here"),) if closed else ()
    return Diagnostic("P104", "error", "this `}` closes nothing", span, labels)


def unclosed(trouble: Trouble) -> Diagnostic:
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
            if "\n" in source.text[last:start] and source.position(start)[1] <= indent(trouble, opener):
                return opener
        last = end
    return opened[-1] if opened else begins[first]


def indent(trouble: Trouble, offset: int) -> int:
    """Number of blanks at the start of the line of an offset."""
    source = trouble.parse.source
    line, _ = source.position(offset)
    start = source.line_starts[line - 1]
    blanks = 0
    while start + blanks < offset and source.text[start + blanks] in " \t":
        blanks += 1
    return blanks


def outdented(trouble: Trouble) -> bool:
    """Whether the line of the token begins no further right than that of the declaration that is open."""
    machine = trouble.parse.machine
    size = parts_end(machine.states, 0)
    return indent(trouble, trouble.start) <= indent(trouble, machine.begins[min(size, len(machine.begins) - 1)])
