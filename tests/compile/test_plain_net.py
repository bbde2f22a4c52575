"""Plain nets: every kind of arc arrives, workflow nets get their end, and what means nothing is reported."""

from __future__ import annotations

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.net.firing import enabled, fire
from placet.source import SourceFile
from placet.syntax.parser import parse


def read(text: str):
    file, problems = parse(SourceFile("net.placet", text))
    assert not problems, problems
    return resolve(file)


def compiled(text: str):
    model, problems = read(text)
    assert not problems, problems
    made, problems = compile_model(model)
    assert not problems, problems
    return made


FULL = """
net n {
  place a = 3, b capacity 2, c = 1, d
  transition t: 2 a + read c + without 2 d + reset b -> 2 b + d
  transition u: a + a -> c
}
"""


def test_arcs() -> None:
    (made,) = compiled(FULL)
    net = made.net
    assert net.places == ("n/a", "n/b", "n/c", "n/d")
    assert net.transitions == ("n/t", "n/u")
    assert made.initial == (3, 0, 1, 0)
    assert (net.pre[0], net.read[0], net.inhibit[0], net.reset[0], net.post[0]) == (
        ((0, 2),),
        ((2, 1),),
        ((3, 2),),
        (1,),
        ((1, 2), (3, 1)),
    )
    assert net.pre[1] == ((0, 2),)
    assert net.capacity == ((1, 2),)
    after = fire(net, made.initial, 0)
    assert after == (1, 2, 1, 1)
    assert enabled(net, after) == []


def test_origins_and_steps_are_total() -> None:
    (made,) = compiled(FULL)
    assert [o.id for o in made.origin.places] == list(made.net.places)
    assert [o.id for o in made.origin.transitions] == list(made.net.transitions)
    assert made.steps == (("n/t", (0,)), ("n/u", (1,)))
    assert made.origin.transitions[1].span.text == "transition u: a + a -> c"
    assert made.origin.transitions[1].phrase == "`u` happens"


def test_standard_questions_depend_on_whether_there_are_ends() -> None:
    runs = "net n { place a = 1, b transition t: a -> b transition u: b -> a }"
    ends = "net n { place a = 1, b transition t: a -> b }"
    named = "net n { place a = 1, b transition t: a -> b transition u: b -> a final b }"
    two = "net n { place a = 2, b transition t: a -> b }"
    assert [q.check for q in compiled(runs)[0].queries] == ["bounded", "deadlock_free", "no_dead_step"]
    for text in (ends, named):
        (made,) = compiled(text)
        assert made.final.ends == (1,)
        assert [q.check for q in made.queries] == ["option_to_complete", "proper_completion", "no_dead_step", "safe"]
    assert compiled(two)[0].final.ends == ()


def test_names_that_are_not_there_and_arcs_that_mean_nothing() -> None:
    _, problems = read("""
      net n {
        place a = 1, b = 3 capacity 2, a, c capacity 0
        transition t: 0 a + x -> y
        transition a: b ->
        final a, z
      }""")
    found = [(d.code, d.span.text) for d in problems]
    assert found == [
        ("P222", "b = 3 capacity 2"),
        ("P221", "a"),
        ("P222", "c capacity 0"),
        ("P222", "0 a"),
        ("P220", "x"),
        ("P220", "y"),
        ("P221", "a"),
        ("P223", "z"),
    ]
