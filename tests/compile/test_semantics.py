"""docs/semantics.md: every table of transitions is what is compiled from the example before it.

A comment `<!-- net -->` stands before a table; `without a b` leaves out transitions whose ids begin so, `only a` keeps
only those, `twice ...` adds a second run first, `faults x, y` weaves these faults in (once, transient) and keeps what they add.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from conftest import CHECKOUT
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.faults.hypothesis import Hypothesis
from placet.faults.instances import twice
from placet.faults.weave import weave
from placet.source import SourceFile
from placet.syntax.parser import parse

PAGE = (CHECKOUT / "docs" / "semantics.md").read_text(encoding="utf-8")
PATTERN = re.compile(
    r"```placet\n(?P<source>.*?)```|<!-- net(?P<how>[^>]*) -->\n\n(?P<table>(?:\|[^\n]*\n)+)", re.DOTALL
)


class Table(NamedTuple):
    heading: str
    source: str
    how: str
    rows: tuple[str, ...]


def tables() -> list[Table]:
    found, source = [], ""
    for match in PATTERN.finditer(PAGE):
        if match["source"] is not None:
            source = match["source"]
            continue
        heading = re.findall(r"^#+ (.*)$", PAGE[: match.start()], re.MULTILINE)[-1]
        found.append(Table(heading, source, match["how"].strip(), tuple(match["table"].splitlines()[2:])))
    return found


def rows(source: str, how: str) -> tuple[str, ...]:
    """The rows of a table, as the page has to show them."""
    file, problems = parse(SourceFile("semantics.placet", source))
    model, unresolved = resolve(file)
    nets, uncompiled = compile_model(model)
    assert not [d for d in (*problems, *unresolved, *uncompiled) if d.severity == "error"]
    net = nets[0]
    word, _, rest = how.partition(" ")
    if word == "twice":
        net = twice(net)
        word, _, rest = rest.partition(" ")
    first = 0
    if word == "faults":
        woven = weave(net, Hypothesis(tuple(f.strip() for f in rest.split(",")), 1, "transient"))
        net, first = woven.compiled, woven.transitions
    found = []
    for t in range(first, len(net.net.transitions)):
        name = net.net.transitions[t]
        if word == "without" and name.startswith(tuple(rest.split())):
            continue
        if word == "only" and not name.startswith(tuple(rest.split())):
            continue
        pre, post = (_side(net.net, side[t]) for side in (net.net.pre, net.net.post))
        if net.net.inhibit[t]:
            pre += " + no " + _side(net.net, net.net.inhibit[t])
        if net.net.read[t]:
            pre, post = (" + ".join(filter(None, (side, _side(net.net, net.net.read[t])))) for side in (pre, post))
        if net.net.reset[t]:
            pre += " + all of " + _side(net.net, [(place, 1) for place in net.net.reset[t]])
        found.append(f"| `{name}` | {pre} | {post} |")
    return tuple(found)


def _side(net, arcs) -> str:
    return " + ".join((f"{w} " if w > 1 else "") + f"`{net.places[p]}`" for p, w in arcs)


@pytest.mark.parametrize("table", tables(), ids=lambda table: f"{table.heading} {table.how}".strip())
def test_the_page_shows_what_is_compiled(table: Table) -> None:
    assert table.rows == rows(table.source, table.how)


def test_every_construct_has_a_table() -> None:
    headings = {table.heading for table in tables()}
    assert headings >= {
        "The call", "Faults", "Task", "Sequence", "Choice", "Parallel", "Scopes and signals", "Runs", "Some of several ways", "Interrupting steps", "Loop", "First of", "Try", "Errors that leave a parallel",
        "Call of a process", "Sequence of steps", "Choice around steps", "Parallel around steps", "Try around steps",
        "Loop around steps", "Data", "Several instances", "Messages that come twice",
        "Cancelling a saga", "A crash of the coordinator", "Two runs at once",
        "A deadline of the whole saga", "A circuit breaker", "A bulkhead, and a limit of the rate", "Keys", "Kinds of calls", "Pools", "Messages of a process on its own", "A handler", "A handler that fails", "Room in a queue",
        "Pivots, steps that are tried until they work, steps that only read", "Errors by name", "Replies that are mistaken",
        "Undos that are noted after the reply", "Either, times and events", "While", "Giving up", "Plain nets",
        "One queue for all readers", "De-duplication", "Messages in order", "Copies", "Outbox", "Faults of messages", "Systems",
    }  # fmt: skip
