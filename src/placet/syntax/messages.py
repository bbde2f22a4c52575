"""What the parser says, in the words of those who write models. Imported only when there is something to say."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from placet.source import SourceFile
from placet.syntax.error_examples import EXAMPLES, Example
from placet.syntax.lexer import DURATION, END, KIND, NAME, NUMBER, TEXT
from placet.syntax.machine import ACCESSING
from placet.syntax.tables import ROWS, SIGNS, STARTS, WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

LITERALS = {kind: text for words in (WORDS, SIGNS) for text, kind in words.items()}
PHRASES = {
    END: "the end of the file",
    NAME: "a name",
    NUMBER: "a number",
    DURATION: "a time such as `10s`",
    TEXT: "a sentence in quotes",
    KIND["DATE"]: "a day such as `2027-01-31`",
    KIND["COMPARISON"]: "a comparison such as `>=`",
    KIND["_SLASH"]: "`/ send MESSAGE`",
    KIND["ON_UNKNOWN"]: "`on unknown`",
    KIND["ON_UNDO_FAILURE"]: "`on undo_failure`",
}
# The parts of the language that are many words long, largest first; and where they stand.
PARTS = {
    "item": ("a declaration", "outside of all braces"),
    "statement": ("a statement", "in the braces of a workflow or saga"),
    "option": ("an option", "in the braces of a step: `step charge on payments { retry 3 }`"),
    "policy": ("a policy", "directly in the braces of a saga"),
    "guarantee": ("a guarantee", "in the braces of a service or a step"),
    "topic_option": ("an option", "in the braces of a topic: `topic orders on kafka { capacity 2 }`"),
    "place": ("a place", "in the braces of a net"),
    "transition": ("a transition", "in the braces of a net"),
    "final": ("the final places", "in the braces of a net"),
}
# Words that stand in one construct only.
HOMES = {
    "when": "choice", "otherwise": "choice", "until": "loop", "or": "either", "errors": "step", "on": "try` or `call",
    "place": "net", "transition": "net", "final": "net` or `machine", "initial": "machine", "under": "check", "uses": "saga", "fails": "task", "sets": "task",
}  # fmt: skip
# What the name after a word is; also what `after the name of the saga` is made of.
NAMED = {
    "system": "the name of the system", "service": "the name of the service", "workflow": "the name of the workflow",
    "saga": "the name of the saga", "net": "the name of the net", "machine": "the name of the machine", "waive": "a check or the code of a finding", "initial": "the name of a state", "task": "the name of the task",
    "topic": "the name of the topic", "choreography": "the name of the choreography", "publish": "the name of a topic and an event",
    "step": "the name of the step", "pool": "the name of the pool", "with": "the name of a pool", "acquire": "the name of a pool", "release": "the name of a pool", "on": "a name", "uses": "the name of a profile", "undo": "the name of what undoes the step",
    "call": "the name of a workflow or saga", "receive": "the name of an event", "signal": "the name of a signal", "on_close": "`wait`, `cancel` or `abandon`", "overlap": "`skip`, `queue`, `cancel` or `allow`", "others": "`cancel` or `go_on`", "raise": "the name of an error",
    "fails": "the name of an error", "var": "the name of the variable", "param": "the name of the parameter", "sets": "the name of a variable", "end": "the name of the end", "after": "the name of a step", "place": "the name of the place",
    "transition": "the name of the transition", "check": "the name of a check", "final": "the name of a place",
}  # fmt: skip
_FORMULA = set(STARTS["formula"])
_HIDDEN = {SIGNS[";"], SIGNS["*"]}


def expected_phrases(kinds: Collection[int], before: str) -> list[str]:
    """What may stand there, parts of the language by their names; at least one phrase."""
    left = set(kinds) - _HIDDEN
    phrases = []
    for part, (phrase, _) in PARTS.items():
        words = set(STARTS[part])
        if part not in ("place", "guarantee") and words <= left:
            left -= words
            if part == "statement":
                left -= {WORDS["var"], WORDS["signal"]}
            phrases.append(phrase)
    if left >= _FORMULA - {SIGNS["*"]}:
        left -= _FORMULA
        phrases.append("a formula")
    named = NAMED.get(before)
    for kind in sorted(left, key=lambda k: (k in (SIGNS["}"], END), LITERALS.get(k, ""))):
        phrase = PHRASES.get(kind) or f"`{LITERALS[kind]}`"
        phrases.append(named if kind == NAME and named else phrase)
    if len(phrases) > 1 and PHRASES[END] in phrases:
        phrases.remove(PHRASES[END])
    return phrases


def listed(phrases: Sequence[str], most: int = 5) -> str:
    """`a`, `b` or `c`."""
    if len(phrases) > most:
        phrases = [*phrases[: most - 1], "something else"] if most > 1 else phrases[:1]
    return " or ".join(filter(None, (", ".join(phrases[:-1]), phrases[-1])))


def quoted(text: str, kind: int) -> str:
    """A token that was found."""
    if kind == END:
        return "the end of the file"
    if len(text) > 40:
        return "a sentence" if text.startswith('"') else f"`{text[:30]}...`"
    return f"`{text}`"


def context(states: Sequence[int], before: str) -> str:
    """` after the name of the saga`, or after whatever stands before; nothing at the start of the file."""
    if not before:
        return ""
    if len(states) > 2 and ACCESSING[states[-1]] == NAME:
        named = NAMED.get(LITERALS.get(ACCESSING[states[-2]], ""))
        if named and named != "a name":
            return f" after {named}"
    return " after the sentence" if before.startswith('"') else f" after {quoted(before, NAME)}"


def _situation(states: Sequence[int], kind: int) -> tuple[int, frozenset[int], int]:
    """What an example has in common with other texts: the symbol before, what the grammar takes, what comes instead.

    The state itself would be too narrow a key: the rule of an optional part has states of its own for each of its forms.
    """
    return ACCESSING[states[-1]], frozenset(ROWS[states[-1]]), kind


@cache
def _examples() -> dict[tuple[int, frozenset[int], int], Example]:
    """The situation in which the parser fails on an example -> the example."""
    from placet.syntax.run import Run

    found: dict[tuple[int, frozenset[int], int], Example] = {}
    for example in EXAMPLES:
        for text in example.texts:
            run = Run(SourceFile("", text))
            trouble = run.advance(0)
            if trouble is not None:
                run.machine.settle()
                found.setdefault(_situation(run.machine.states, trouble[0]), example)
    return found


def by_example(states: Sequence[int], kind: int) -> Example | None:
    """The words for this place, where there is an example of it."""
    return _examples().get(_situation(states, kind))


def close_words(word: str, choices: Iterable[str]) -> list[str]:
    """The words that were perhaps meant, best first. Cost: of the order of len(word) for each choice."""
    from difflib import get_close_matches

    return get_close_matches(word.lower(), sorted(choices), n=3, cutoff=0.65) if len(word) <= 40 else []


def misplaced(word: str, kind: int) -> tuple[str, str] | None:
    """What a keyword is, and where it stands; None for a word that is in no list."""
    for part, (phrase, place) in PARTS.items():
        if kind in STARTS[part] and kind != NAME:
            return phrase, f"it stands {place}"
    home = HOMES.get(word)
    return (f"a part of `{home}`", "") if home else None
