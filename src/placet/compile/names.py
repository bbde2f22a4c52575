"""Stable ids: the path of the names that the author gave.

The id of a statement is the process, the labels of the constructs around it, and its own name:
`purchase/choice[stock]/book_trip`. A construct without a label adds nothing to the ids of what it contains. There are
no line numbers and no counts over the file, so an unrelated edit changes no id; gate, cache and waivers stand on that.

Two statements of one name under one label are told apart by the innermost *way* (`when`, `otherwise`, `on`, a trigger of
`first of`) that only one of them is in: `purchase/[in stock]/pack`. Where no way does that, the second in the text gets
`~2`, the only ordinal there is: it counts statements that nothing else can tell apart.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.source import Span

LONGEST = 48  # characters of a sentence that enter an id

DIVIDERS = str.maketrans(dict.fromkeys("/#[]()~`", " "))

DUE = "[due]"  # how the id of the way ends by which a run of `every` begins that was due before
CANCELLED = "[cancelled]"  # and that of the handler by which one takes the place of another
NEXT = "next run"  # the error by which a run that is displaced leaves: no name that anybody could write

_INDEX = re.compile(r"(?<=[\w\]])\[(\d+)\]")  # `stock[2]` in a condition

LABELLED = {
    ast.Choice: "choice",
    ast.Either: "either",
    ast.Parallel: "parallel",
    ast.Patch: "patch",
    ast.Every: "every",
    ast.Loop: "loop",
    ast.ForEach: "for_each",
    ast.FirstOf: "first_of",
    ast.Try: "try",
}


class Member(NamedTuple):
    """Something with a name of its own under one label: a leaf, or a construct with a label."""

    segment: str
    ways: tuple[str, ...]  # the ways it is in since the label, outermost first
    what: str  # task, step, label, or "" for what may be written twice without remark
    span: Span


def slug(sentence: str) -> str:
    """A sentence as part of an id: one line, none of the characters that divide an id, shortened."""
    words = " ".join(_INDEX.sub(r"_\1", sentence).translate(DIVIDERS).split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def sentence(guard: ast.Text | ast.Formula) -> str:
    """A condition in words; one over variables as it is printed, however it was laid out."""
    if isinstance(guard, ast.Text):
        return guard.text
    from placet.syntax.printer import formula

    return formula(guard)


def base_name(name: str) -> str:
    """A name without the numbers of its instance: `ticket` of `ticket[1]`."""
    while name.endswith("]") and name[name.rfind("[") + 1 : -1].isdigit():
        name = name[: name.rfind("[")]
    return name


def as_written(formula: ast.Formula | ast.Number, *, printed: bool) -> str:
    """A formula as it stands in the text, or where that stands for several, as it is printed."""
    if not printed:
        return " ".join(formula.span.text.split())
    from placet.syntax import printer

    return printer.formula(formula)


def forms(name: str) -> list[str]:
    """The names by which a thing is called: its own, and those of the arrays and instances that it is one of, `a` of `a[2]`."""
    found = [name]
    while name.endswith("]") and name[name.rfind("[") + 1 : -1].isdigit():
        name = name[: name.rfind("[")]
        found.append(name)
    return found


def leaf(statement: ast.Statement) -> tuple[str, str]:
    """The own name of a statement that contains no others, and what it is called in diagnostics."""
    match statement:
        case ast.Task(name):
            return name.text, "task"
        case ast.Step(name):
            return name.text, "step"
        case ast.Call(target):
            return target.text, ""
        case ast.Receive(event):
            return f"receive({event.text})", ""
        case ast.Publish(event):
            return f"publish({event.text})", ""
        case ast.Timer(duration):
            return f"timer({slug(duration.text)})", ""
        case ast.Raise(error):
            return f"raise({error.text})", ""
        case ast.End(name):
            return f"end({name.text})", ""
        case ast.Acquire(pool):
            return f"acquire({pool.text})", ""
        case ast.Release(pool):
            return f"release({pool.text})", ""
        case ast.Again():
            return "continue_as_new", ""
        case ast.Abandon(reason):
            return f"abandon({slug(reason.text) if reason else ''})", ""
    raise TypeError(f"{type(statement).__name__} is no leaf")


def handler_way(handler: ast.Handler, target: str = "") -> str:
    """The way into a handler: `[on NoStock]`, or of a call `[book_trip failed]`."""
    if target:
        return f"[{target} {handler.name.text}]"
    if handler.signal:
        return f"[on signal {handler.name.text}]"
    return f"[on timeout {slug(handler.timeout.text)}]" if handler.timeout is not None else f"[on {handler.name.text}]"


def branch_way(branch: ast.Branch) -> str:
    """The way into a branch, or nothing where only its content could tell it from its siblings."""
    if branch.guard is not None:
        return f"[{slug(sentence(branch.guard))}]"
    match branch.trigger:
        case ast.Receive(event):
            return f"[{event.text}]"
        case ast.Timer(duration):
            return f"[{slug(duration.text)}]"
    return ""


def members(statements: Iterable[ast.Statement]) -> list[Member]:
    """All members under one label, in the order of the text: the order in which `Body` asks for their names."""
    found: list[Member] = []
    _collect(statements, (), found)
    return found


def _collect(statements: Iterable[ast.Statement], ways: tuple[str, ...], found: list[Member]) -> None:
    for statement in statements:
        kind = LABELLED.get(type(statement))
        if kind is None and not isinstance(statement, (ast.Block, ast.With)):
            segment, what = leaf(statement)
            found.append(Member(segment, ways, what, statement.span))
            if isinstance(statement, ast.Call):
                for handler in statement.handlers:
                    _collect(handler.body.statements, (*ways, handler_way(handler, segment)), found)
        elif label := getattr(statement, "label", None):
            found.append(Member(f"{kind}[{label.text}]", ways, "label", label.span))
        else:
            for way, first, body in bodies(statement):
                if first is not None:
                    found.append(Member(leaf(first)[0], ways, "", first.span))
                _collect(body.statements, (*ways, way) if way else ways, found)


def bodies(statement: ast.Statement) -> list[tuple[str, ast.Receive | ast.Timer | None, ast.Block]]:
    """The blocks of a construct in the order of the text, each with its way and the trigger before it."""
    match statement:
        case ast.Choice(_, branches, otherwise):
            found = [(branch_way(b), None, b.body) for b in branches]
            return [*found, ("[otherwise]", None, otherwise)] if otherwise is not None else [*found]
        case ast.FirstOf(_, branches):
            return [(branch_way(b), b.trigger, b.body) for b in branches]
        case ast.Patch(_, body, otherwise):
            return [("[new]", None, body), *([("[old]", None, otherwise)] if otherwise is not None else [])]
        case ast.Try(_, body, handlers):
            return [("", None, body), *((handler_way(h), None, h.body) for h in handlers)]
    return [("", None, block) for block in blocks(statement)]


def blocks(statement: ast.Statement) -> list[ast.Block]:
    """The blocks directly inside a statement, in the order of the text."""
    match statement:
        case ast.Task() | ast.Step():
            return []
        case ast.Block():
            return [statement]
        case ast.Choice(_, branches, otherwise):
            return [*(b.body for b in branches), *((otherwise,) if otherwise is not None else ())]
        case ast.Patch(_, body, otherwise):
            return [body, *((otherwise,) if otherwise is not None else ())]
        case ast.Either(_, branches) | ast.Parallel(_, branches) | ast.FirstOf(_, branches):
            return [b.body for b in branches]
        case ast.Loop() | ast.ForEach() | ast.With() | ast.Every():
            return [statement.body]
        case ast.Try(_, body, handlers):
            return [body, *(h.body for h in handlers)]
        case ast.Call(_, handlers):
            return [h.body for h in handlers]
    return []


class Distinct(NamedTuple):
    """Names that differ, one for each member, and the groups of members that nothing but an ordinal tells apart."""

    names: tuple[str, ...]
    alike: tuple[tuple[int, ...], ...]


def distinct(found: Sequence[Member]) -> Distinct:
    """Tell members of one name apart. Linear, but for the ways around those that share a name."""
    first: dict[str, int] = {}
    groups: dict[str, list[int]] = {}
    for index, member in enumerate(found):
        at = first.setdefault(member.segment, index)
        if at != index:
            groups.setdefault(member.segment, [at]).append(index)
    names = [m.segment for m in found]
    alike: list[tuple[int, ...]] = []
    for segment, group in groups.items():
        shared = Counter(way for i in group for way in set(found[i].ways))
        plain: list[int] = []
        for i in group:
            way = next((w for w in reversed(found[i].ways) if shared[w] == 1), "")
            if way:
                names[i] = f"{way}/{segment}"
            else:
                plain.append(i)
        for number, i in enumerate(plain[1:], start=2):
            names[i] = f"{segment}~{number}"
        if len(plain) > 1:
            alike.append(tuple(plain))
    return Distinct(tuple(names), tuple(alike))
