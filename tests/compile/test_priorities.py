"""Priorities: the compiled net against the plain definition (enabled, and nothing with a higher priority is), then every check on it."""

from __future__ import annotations

import os
import random
from collections import deque
from typing import TYPE_CHECKING

import pytest

from oracles import properties
from oracles.reachability import Graph
from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.evidence import Holds, Inconclusive
from placet.formats import pnml
from placet.logic.state import Linear
from placet.net.firing import enabled, fire
from placet.pipeline import picture, run, verify
from placet.source import SourceFile
from placet.syntax.formatter import format_source
from placet.syntax.parser import parse

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.net.core import Marking, Net

LIMIT = 300


def random_net(choose: random.Random, *, grows: float = 0.1) -> tuple[str, list[int]]:
    """A net as text, and the priorities of its transitions."""
    places = [f"p{i}" for i in range(choose.randint(1, 4))]
    shown = []
    for p in places:
        tokens = choose.randint(0, 2)
        limit = choose.randint(max(tokens, 1), 3)
        shown.append(f"{p} = {tokens}" + (f" capacity {limit}" if choose.random() < 0.4 else ""))
    ranks, lines = [], []
    for t in range(choose.randint(2, 5)):
        inputs = []
        for _ in range(choose.choice((0, 1, 1, 1, 2, 2, 3))):
            kind = choose.choice(("", "", "", "read ", "without ", "reset "))
            weight = "" if kind == "reset " else choose.choice(("", "", "2 "))
            inputs.append(f"{kind}{weight}{choose.choice(places)}")
        outputs = [
            f"{choose.choice(('', '', '2 '))}{choose.choice(places)}" for _ in range(choose.choice((0, 1, 1, 2)))
        ]
        if not inputs and choose.random() > grows:
            inputs = [places[0]]
        ranks.append(choose.choice((0, 0, 1, 2, 2, 7)))
        head = f"transition t{t}" + (f" priority {ranks[-1]}" if ranks[-1] or choose.random() < 0.2 else "")
        lines.append(f"{head}: {' + '.join(inputs)} -> {' + '.join(outputs)}")
    end = f"\n  final {choose.choice(places)}" if choose.random() < 0.4 else ""
    return f"net n {{\n  place {', '.join(shown)}\n  " + "\n  ".join(lines) + end + "\n}\n", ranks


def compiled_of(text: str) -> Compiled:
    file, problems = parse(SourceFile("n.placet", text))
    model, unresolved = resolve(file)
    assert not [d for d in (*problems, *unresolved) if d.severity == "error"], (text, problems, unresolved)
    made, _ = compile_model(model)
    return made[0]


def unranked(text: str, ranks: list[int]) -> Compiled:
    for rank in sorted(set(ranks), reverse=True):
        text = text.replace(f" priority {rank}:", ":")
    return compiled_of(text)


def allowed(net: Net, ranks: list[int], marking: Marking) -> list[int]:
    """The definition."""
    able = enabled(net, marking)
    first = max((ranks[t] for t in able), default=0)
    return [t for t in able if ranks[t] == first]


def definition(base: Compiled, ranks: list[int]) -> Graph:
    depth, edges, queue = {base.initial: 0}, {}, deque([base.initial])
    while queue:
        if len(edges) >= LIMIT:
            return Graph(base.net, depth, edges, whole=False)
        marking = queue.popleft()
        edges[marking] = [(t, fire(base.net, marking, t)) for t in allowed(base.net, ranks, marking)]
        for _, after in edges[marking]:
            if after not in depth:
                depth[after] = depth[marking] + 1
                queue.append(after)
    return Graph(base.net, depth, edges, whole=True)


def test_moves_are_those_of_the_definition() -> None:
    choose = random.Random(20)
    split = never = 0
    cases = int(os.environ.get("PLACET_EXAMPLES", "1500"))
    for _ in range(cases):
        text, ranks = random_net(choose)
        base, made = unranked(text, ranks), compiled_of(text)
        width = len(base.net.places)
        step = {t: n for n, (_, some) in enumerate(made.steps) for t in some}
        assert [name for name, _ in made.steps] == list(base.net.transitions)
        graph = definition(base, ranks)
        padding = made.initial[width:]
        for marking, out in graph.edges.items():
            full = (*marking, *padding)
            moves = sorted((step[t], fire(made.net, full, t)) for t in enabled(made.net, full))
            assert moves == sorted((t, (*after, *padding)) for t, after in out), text
        split += bool(made.split)
        never += bool(padding)
        assert made.final.ends == base.final.ends
        assert all(len(made.same(t)) == len(some) for _, some in made.steps for t in some)
    assert split > cases // 8
    assert never > cases // 40


def asked(base: Compiled) -> str:
    lines = [f"live({t.partition('/')[2]})" for t in base.net.transitions]
    lines += [f"quasi_live({t.partition('/')[2]})" for t in base.net.transitions]
    lines += ["live(n)", "quasi_live(n)", "no_dead_step(n)", "deadlock_free(n)", "reversible(n)"]
    lines += [f"bounded({p.partition('/')[2]}, 2)" for p in base.net.places]
    lines += [
        "never(p0 >= 2)",
        "possible(p0 == 0 and not t0.enabled)",
        "never(t0.enabled and t1.enabled)",
        "ctl AG EF p0 >= 2",
        "ctl EF t1.fires",
    ]
    if base.final.ends:
        lines += ["option_to_complete(n)", "proper_completion(n)", "relaxed_sound(n)"]
    return "".join(f"check {line}\n" for line in lines)


def expected(graph: Graph, base: Compiled, ranks: list[int]) -> list[bool]:
    count = len(base.net.transitions)
    lives = [properties.live(graph, t) for t in range(count)]
    fires = properties.steps_alive(graph, [(t,) for t in range(count)])
    final = base.final.predicate(base.initial)
    found = [*lives, *fires, all(lives), all(fires), all(fires)]
    found.append(properties.deadlock_free(graph, final if base.final.ends else None))
    found.append(all(base.initial in graph.reach(m) for m in graph.edges))
    found += [all(m[p] <= 2 for m in graph.edges) for p in range(len(base.net.places))]
    found.append(all(m[0] < 2 for m in graph.edges))
    able = {m: {t for t, _ in out} for m, out in graph.edges.items()}
    found.append(any(m[0] == 0 and 0 not in able[m] for m in graph.edges))
    found.append(all(not {0, 1} <= able[m] for m in graph.edges))
    heavy = graph.where(Linear(((0, 1),), ">=", 2))
    found.append(all(graph.reach(m) & heavy for m in graph.edges))
    found.append(fires[1])
    if base.final.ends:
        found.append(properties.option_to_complete(graph, final))
        found.append(not graph.where(base.final.early(base.initial)))
        found.append(properties.relaxed_sound(graph, final, [(t,) for t in range(count)]))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_check_against_the_definition(seed: int) -> None:
    choose = random.Random(seed)
    decided = refuted = 0
    for _ in range(60):
        text, ranks = random_net(choose, grows=0)
        base = unranked(text, ranks)
        graph = definition(base, ranks)
        if not graph.whole:
            continue
        answers = [c.verdict for c in verify(text + asked(base)).models[0].checks]
        wanted = expected(graph, base, ranks)
        assert len(answers) == len(wanted)
        for label, verdict, want in zip(asked(base).splitlines(), answers, wanted, strict=True):
            assert not isinstance(verdict, Inconclusive), (text, label, verdict)
            assert isinstance(verdict, Holds) == want, (text, label, verdict)
            decided += 1
            refuted += not want
    assert decided > 500
    assert decided / 5 < refuted < decided


DESK = """
param URGENT = 2
net desk {
  place urgent = 2, normal = 2, clerk = 1, busy, done
  transition serve_urgent priority URGENT: urgent + clerk -> busy
  transition serve_normal priority 1: normal + clerk -> busy + done
  transition go_home: clerk ->
  transition leave: busy -> clerk
}
"""


def test_what_comes_first_in_the_words_of_a_user() -> None:
    report = verify(
        DESK + "check never(done >= 1 and urgent >= 1), never(clerk + busy == 0), ltl F done == 2, bounded(done, 2)"
    )
    kinds = [type(c.verdict).__name__ for c in report.models[0].checks]
    assert kinds == ["Holds", "Violated", "Holds", "Holds"]
    story = report.models[0].checks[1].story
    assert [step.phrase for step in story.steps][-1] == "`go_home` happens"
    assert [step.phrase for step in story.steps][:2] == ["`serve_urgent` happens", "`leave` happens"]
    weak = verify(DESK + "check ltl F done == 2 assuming strong").models[0].checks[0].verdict
    assert isinstance(weak, Inconclusive)
    assert weak.budget == "theory"


def test_a_run_of_the_simulation_keeps_to_them() -> None:
    served = [
        ["`serve_urgent` happens"] * n + ["`serve_normal` happens"] * m
        for n, m in ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2))
    ]
    for seed in range(20):
        names = [event.phrase for event in run(DESK, seed=seed).events]
        assert [n for n in names if "serve" in n] in served


def test_pictures_name_them() -> None:
    for kind in ("svg", "mermaid", "dot"):
        shown = picture(DESK, to=kind)
        assert "priority 2" in shown
        assert "priority 0" not in shown


def test_pnml_has_them_as_arcs() -> None:
    choose = random.Random(5)
    for _ in range(50):
        made = compiled_of(random_net(choose)[0])
        assert {d.message for d in pnml.losses(made)} <= {"PNML does not hold the checks of `n`"}
        again, problems = pnml.read(SourceFile("n.pnml", pnml.write(made)))
        assert not [d for d in problems if d.severity == "error"]
        assert (again.net.pre, again.net.read, again.net.inhibit) == (made.net.pre, made.net.read, made.net.inhibit)


def test_layout() -> None:
    text = "net n { place a=1 transition t   priority 3 : a->a transition priority priority 0 : -> transition u:a->}"
    shown, problems = format_source(SourceFile("n.placet", text))
    assert not problems
    assert "  transition t priority 3: a -> a\n" in shown
    assert "  transition priority priority 0: ->\n" in shown
    assert "  transition u: a ->\n" in shown


def problems_of(text: str) -> list[tuple[str, str, str]]:
    file, problems = parse(SourceFile("n.placet", text))
    _, unresolved = resolve(file)
    return [(d.code, d.span.text, d.message) for d in (*problems, *unresolved)]


def test_what_cannot_be_used_is_said_where_it_stands() -> None:
    never = "net n { place a = 1, b transition late: a -> b transition always priority 1: -> b }"
    assert problems_of(never) == [
        ("P324", "late", "`late` never happens: whenever it could, something else comes first")
    ]
    below = "param LOW = -1 net n { place a = 1 transition t priority LOW: a -> a }"
    assert [(code, span) for code, span, _ in problems_of(below)] == [("P264", "LOW")]
    unknown = "net n { place a = 1 transition t priority HIGH: a -> a }"
    assert [(code, span) for code, span, _ in problems_of(unknown)] == [("P264", "HIGH")]
    assert [code for code, *_ in problems_of("net n { place a = 1 transition t priority: a -> a }")] == ["P101"]


def exploding(count: int) -> str:
    places = ", ".join(f"a{i} = 1, b{i}" for i in range(count))
    first = "\n".join(f"  transition u{i} priority 1: a{i} + b{i} -> a{i}" for i in range(count))
    return f"net n {{\n  place {places}\n{first}\n  transition late: a0 -> a0\n}}"


def test_a_product_that_explodes_is_refused_and_named() -> None:
    assert not problems_of(exploding(8))
    (code, span, message) = problems_of(exploding(40))[0]
    assert (code, span) == ("P224", "late")
    assert (
        message
        == "it can be the turn of `late` in 2 x 2 x 2 x 2 x 2 x 2 x ... ways: `u1`, `u2`, `u3`, `u4` and 6 more come before it"
    )
    many = "\n".join(f"  transition t{i} priority {i}: a{i} ->" for i in range(1500))
    wide = "net n {\n  place " + ", ".join(f"a{i} = 1" for i in range(1500)) + f"\n{many}\n}}"
    assert ("P224", "n") in [(code, span) for code, span, _ in problems_of(wide)]


def test_levels_of_liveness_are_of_what_was_written() -> None:
    from placet.cli.structure import _levels
    from placet.evidence import Budget

    made = compiled_of(DESK.replace("clerk ->\n", "done + clerk -> done + clerk\n"))
    found = _levels(made, Budget())
    assert found is not None
    by_step = {name: {found[t] for t in some} for name, some in made.steps}
    assert by_step == {
        "desk/serve_urgent": {1},
        "desk/serve_normal": {1},
        "desk/go_home": {4},
        "desk/leave": {1},
    }
    assert [len(some) for some in made.split] == [3]
