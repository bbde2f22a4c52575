"""Ids are the paths of the user's names, and an unrelated edit changes none of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.compile.vocabulary import statements
from placet.ir import model as ir
from placet.source import SourceFile
from placet.syntax.parser import parse

NEW = "zz_new"


def read(text: str) -> ir.Model:
    file, problems = parse(SourceFile("ids.placet", text))
    assert not problems, [str(p) for p in problems]
    return resolve(file)[0]


def own_ids(process: ir.Process) -> list[str]:
    """Every id of a process, its own first."""
    found = [process.id]
    for statement in statements(process.body):
        found.append(statement.id)
        if isinstance(statement, ir.Choice | ir.Parallel):
            found += [way.id for way in statement.ways]
        if isinstance(statement, ir.Scope):
            found += [handler.id for handler in statement.handlers]
    return found


def ids(text: str) -> list[str]:
    return [i for process in read(text).processes for i in own_ids(process)]


def leaves(text: str) -> set[str]:
    """Ids of what has a name of its own."""
    kinds = (ir.Task, ir.Step, ir.Receive, ir.Timer, ir.Raise, ir.End, ir.Call, ir.Abandon)
    return {s.id for p in read(text).processes for s in statements(p.body) if isinstance(s, kinds)}


# -- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("task a", {"p/a"}),
        ('choice stock { when "there" { task a } otherwise { task b } }', {"p/choice[stock]/a", "p/choice[stock]/b"}),
        ('choice { when "there" { task a } otherwise { task b } }', {"p/a", "p/b"}),
        ('choice { when "there" { task a } otherwise { task a } }', {"p/[there]/a", "p/[otherwise]/a"}),
        ('task a choice { when "there" { task a } otherwise { task b } }', {"p/a", "p/[there]/a", "p/b"}),
        ('choice { when "x" { either { choice { when "y" { task a } otherwise { } } } or { task b } } otherwise { task a } }',
         {"p/[y]/a", "p/b", "p/[otherwise]/a"}),
        ("parallel { task a { task b task c } }", {"p/a", "p/b", "p/c"}),
        ("parallel left { task a } parallel right { task a }", {"p/parallel[left]/a", "p/parallel[right]/a"}),
        ("loop rounds at_most 2 { task a }", {"p/loop[rounds]/a"}),
        ("either { task a } or { task a }", {"p/a", "p/a~2"}),
        ("timer 2h timer 2h", {"p/timer(2h)", "p/timer(2h)~2"}),
        ("first of { receive x -> { end a } timer 2h -> { end a } }",
         {"p/receive(x)", "p/timer(2h)", "p/[x]/end(a)", "p/[2h]/end(a)"}),
        ("try { task a fails E } on E { end a } on timeout 5s { end a }",
         {"p/a", "p/[on E]/end(a)", "p/[on timeout 5s]/end(a)"}),
        ('choice { when "a/b #1" { task t } otherwise { task t } }', {"p/[a b 1]/t", "p/[otherwise]/t"}),
    ],
)  # fmt: skip
def test_leaves(body, expected) -> None:
    assert leaves(f"workflow p {{ {body} }}") == expected


@pytest.mark.parametrize(
    ("body", "construct"),
    [
        ("parallel { task a task b }", "p/parallel(a)"),
        ("parallel { parallel { task a task b } task c }", "p/parallel(parallel(a))"),
        ('choice { when "in stock" { task a } otherwise { } }', "p/choice(in stock)"),
        ("either { task a } or { task b }", "p/either(a)"),
        ("either way { task a } or { task b }", "p/either[way]"),
        ("loop { task a }", "p/loop(a)"),
        ('loop { choice stock { when "x" { task a } } }', "p/loop(choice[stock])"),
        ("first of { receive x timer 2h }", "p/first_of(receive(x))"),
        ("try { task a } on any { end b }", "p/try(a)"),
    ],
)
def test_constructs(body, construct) -> None:
    assert construct in ids(f"workflow p {{ {body} }}")


def test_a_call_is_called_by_its_target() -> None:
    text = "saga book { step flight { undo cancel } } workflow p { call book on compensated { task a } on failed { end a } }"
    assert {"p/book", "p/a", "p/end(a)", "book/flight"} <= set(ids(text))
    (compiled,), _ = compile_model(read(text))
    assert any(t.startswith("p/book/flight#") for t in compiled.net.transitions)
    assert "p/book#end.compensated" in compiled.net.places


def test_long_conditions_are_cut_and_still_told_apart_by_order() -> None:
    sentence = "the customer has paid for everything that was delivered up to "
    text = f'workflow p {{ choice {{ when "{sentence}monday" {{ task a }} when "{sentence}friday" {{ task a }} }} }}'
    assert len(set(ids(text))) == len(ids(text))
    assert max(map(len, ids(text))) < 150


# -- the law ---------------------------------------------------------------------------------------------------------

guards = st.sampled_from(["in stock", "paid", "large"])
events = st.sampled_from(["order", "answer"])
labels = st.sampled_from(["", "", "", "one", "two"])


def blocks(depth: int) -> st.SearchStrategy[list]:
    return st.lists(trees(depth), min_size=1, max_size=3)


def trees(depth: int) -> st.SearchStrategy[tuple]:
    """A statement as its text with a hole for each block, and its blocks."""
    task = st.sampled_from("abcdefgh").map(lambda n: (f"task {n}", []))
    leaf = st.one_of(
        task,
        task,
        events.map(lambda e: (f"receive {e}", [])),
        st.sampled_from(["1h", "2h"]).map(lambda d: (f"timer {d}", [])),
        st.sampled_from(["x", "y"]).map(lambda e: (f"raise {e}", [])),
        st.sampled_from(["x", "y"]).map(lambda e: (f"end {e}", [])),
    )
    if not depth:
        return leaf
    inner = blocks(depth - 1)
    return st.one_of(
        leaf,
        st.builds(lambda n, g, a, b: (f'choice {n} {{ when "{g}" % otherwise % }}', [a, b]), labels, guards, inner, inner),
        st.builds(lambda n, a, b: (f"either {n} % or %", [a, b]), labels, inner, inner),
        st.builds(lambda n, a, b: (f"parallel {n} {{ % % }}", [a, b]), labels, inner, inner),
        st.builds(lambda n, a: (f'loop {n} % until "done"', [a]), labels, inner),
        st.builds(lambda n, e, a, b: (f"first of {n} {{ receive {e} -> % timer 5m -> % }}", [a, b]), labels, events, inner, inner),
        st.builds(lambda n, a, b: (f"try {n} % on x %", [a, b]), labels, inner, inner),
    )  # fmt: skip


def render(block: list) -> str:
    parts = []
    for text, inner in block:
        pieces = text.split("%")
        parts.append(pieces[0] + "".join("{ " + render(b) + " }" + p for b, p in zip(inner, pieces[1:], strict=True)))
    return "\n".join(parts)


def places(block: list, path: tuple = ()) -> list[tuple]:
    """Every position at which a statement can be inserted."""
    found = [(*path, i) for i in range(len(block) + 1)]
    for i, (_, inner) in enumerate(block):
        for j, b in enumerate(inner):
            found += places(b, (*path, i, j))
    return found


def insert(block: list, at: tuple, new: tuple) -> list:
    if len(at) == 1:
        return [*block[: at[0]], new, *block[at[0] :]]
    i, j, *rest = at
    text, inner = block[i]
    inner = [insert(b, tuple(rest), new) if k == j else b for k, b in enumerate(inner)]
    return [*block[:i], (text, inner), *block[i + 1 :]]


FRESH = [
    (f"task {NEW}", []),
    (f"receive {NEW}", []),
    (f"end {NEW}", []),
    (f"parallel {NEW} {{ % % }}", [[(f"task {NEW}", [])], [(f"timer {9}h", [])]]),
]
DECLARATIONS = [
    f"service {NEW}",
    f"workflow {NEW} {{ task a end x }}",
    f"net {NEW} {{ place a = 1 transition b: a -> }}",
]


def program(block: list) -> str:
    return f"workflow p {{ {render(block)} }}"


@given(blocks(3))
def test_ids_are_unique(block) -> None:
    count = Counter(ids(program(block)))
    assert max(count.values()) == 1, count.most_common(3)


@given(blocks(3), st.data())
def test_an_unrelated_statement_changes_no_other_id(block, data) -> None:
    at = data.draw(st.sampled_from(places(block)))
    new = data.draw(st.sampled_from(FRESH))
    before, after = program(block), program(insert(block, at, new))
    old, now = set(ids(before)), set(ids(after))
    assert leaves(before) <= leaves(after)
    assert all(NEW in i or "timer(9h)" in i for i in now - old)
    if at[-1] > 0:  # it becomes the first name of nothing
        assert old <= now
    else:
        # constructs without label are called by the first name in them, and so is what stands for their ways
        assert all("(" in i or "[" in i for i in old - now)


@given(blocks(2), st.data())
def test_an_unrelated_statement_changes_no_other_id_of_the_net(block, data) -> None:
    at = data.draw(st.sampled_from([p for p in places(block) if p[-1] > 0]))
    new = (f"task {NEW}", [])
    (old,), _ = compile_model(read(program(block)))
    (now,), _ = compile_model(read(program(insert(block, at, new))))
    assert set(old.net.transitions) <= set(now.net.transitions)
    assert set(old.net.places) <= set(now.net.places)
    assert all(NEW in i for i in {*now.net.places, *now.net.transitions} - {*old.net.places, *old.net.transitions})


@given(blocks(2), st.sampled_from(DECLARATIONS), st.booleans())
def test_an_unrelated_declaration_changes_no_other_id(block, declaration, first) -> None:
    text = program(block)
    both = f"{declaration}\n{text}" if first else f"{text}\n{declaration}"
    assert [i for i in ids(both) if not i.startswith(NEW)] == ids(text)
    old = {c.subject: c.net for c in compile_model(read(text))[0]}
    now = {c.subject: c.net for c in compile_model(read(both))[0]}
    assert now["p"] == old["p"]
