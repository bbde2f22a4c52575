"""Arrays: what they compile to is what their members, written out by hand, compile to; and what cannot be meant is said."""

from __future__ import annotations

import random
import re
import time

import pytest

from placet.pipeline import Options, check, compile_source, load
from placet.source import SourceFile
from placet.syntax.formatter import format_source


def compiled(text: str):
    loaded = compile_source(SourceFile("arrays.placet", text))
    assert not [d for d in loaded.diagnostics if d.severity == "error"], loaded.diagnostics
    return loaded.compiled


def errors(text: str) -> list[tuple[str, str, str]]:
    """Code, message and the text that is pointed at."""
    found = compile_source(SourceFile("arrays.placet", text)).diagnostics
    return [(d.code, d.message, d.span.text) for d in found if d.severity == "error"]


def verdicts(text: str) -> dict[str, str]:
    loaded = compile_source(SourceFile("arrays.placet", text))
    assert not loaded.broken, loaded.diagnostics
    found = check(loaded, Options())
    return {c.label: c.outcome for m in found.models for c in m.checks}


# -- against members that are written out ------------------------------------------------------------------------------


class Writer:
    """A random file twice: with arrays, and with each member written out, its name with `_` for the brackets.

    Numbers are worked out by Python, in this class.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.n, self.m = rng.randint(1, 3), rng.randint(1, 2)
        self.arrays = [f"param N = {self.n}", f"param M = {self.m}"]
        self.plain: list[str] = []

    def index(self, variable: str) -> tuple[str, str]:
        """An index that is a member of 1..N, for the language and for Python."""
        a = self.rng.randint(0, 3)
        text = self.rng.choice(
            (f"{variable}", f"({variable} + {a}) % N + 1", f"N - {variable} + 1", f"{variable}*{a}%N + 1")
        )
        return text, text.replace("N", str(self.n))

    def each(self):
        return range(1, self.n + 1)

    def net(self) -> None:
        first, second = self.index("i"), self.index("i")
        weight = self.rng.choice(("", "2 "))
        kind = self.rng.choice(("read", "without", "reset"))
        self.arrays.append(
            f"net ring {{ place a[N] = 1, b[i in 1..N] = i, c[1..N][M] ; transition t[i in 1..N]: a[{first[0]}] + {kind} b[{second[0]}] -> "
            f"{weight}a[i] + c[i][1..M] ; transition back[i in 1..N][j in 1..M]: c[i][j] -> b[i] ; final a[1..N] }}"
        )
        lines = [f"place a_{i} = 1, b_{i} = {i}" for i in self.each()]
        lines += [f"place c_{i}_{j}" for i in self.each() for j in range(1, self.m + 1)]
        for i in self.each():
            given = " + ".join([f"{weight}a_{i}", *(f"c_{i}_{j}" for j in range(1, self.m + 1))])
            x, y = (eval(text, {"i": i}) for _, text in (first, second))  # noqa: S307 - what was written above
            lines.append(f"transition t_{i}: a_{x} + {kind} b_{y} -> {given}")
        lines += [f"transition back_{i}_{j}: c_{i}_{j} -> b_{i}" for i in self.each() for j in range(1, self.m + 1)]
        self.plain.append(
            "net ring { " + " ; ".join(lines) + " ; final " + ", ".join(f"a_{i}" for i in self.each()) + " }"
        )

    def process(self) -> None:
        where = self.index("i")
        retry, options = self.rng.randint(0, 2), self.rng.choice(("", "; retriable", "; timeout 5s"))
        self.arrays.append(
            f"service shard[N] {{ idempotent }} workflow w[k in 1..M] {{ task do[i in 1..N] fails E ; receive vote[k] ; either {{ end odd }} or {{ }} }} "
            f"saga s {{ parallel {{ step ask[i in 1..N] on shard[{where[0]}] {{ undo un[i]; retry {retry}{options} }} }} step last {{ undo z; after ask[1..N] }} }} "
            "workflow all { parallel { call w[1..M] on odd { } on failed { } task rest } for each q in 1..M { call w[q] on odd { } on failed { } } "
            "first of { receive go[i in 1..N] -> task note[j in 1..i] ; timer 1h } }"
        )
        self.plain += [f"service shard_{i} {{ idempotent }}" for i in self.each()]
        for k in range(1, self.m + 1):
            tasks = " ".join(f"task do_{i} fails E" for i in self.each())
            self.plain.append(f"workflow w_{k} {{ {tasks} ; receive vote_{k} ; either {{ end odd }} or {{ }} }}")
        steps = []
        for i in self.each():
            x = eval(where[1], {"i": i})  # noqa: S307
            steps.append(f"step ask_{i} on shard_{x} {{ undo un_{i}; retry {retry}{options} }}")
        after = ", ".join(f"ask_{i}" for i in self.each())
        self.plain.append(f"saga s {{ parallel {{ {' '.join(steps)} }} step last {{ undo z; after {after} }} }}")
        calls = " ".join(f"call w_{k} on odd {{ }} on failed {{ }}" for k in range(1, self.m + 1))
        ways = [
            f"receive go_{i} -> {{ {' '.join(f'task note_{j}' for j in range(1, i + 1))} }}"
            if i > 1
            else "receive go_1 -> task note_1"
            for i in self.each()
        ]
        self.plain.append(
            f"workflow all {{ parallel {{ {calls} task rest }} {calls} first of {{ {' ; '.join(ways)} ; timer 1h }} }}"
        )


def shape(one) -> list[tuple]:
    """What a net is, whatever its places and transitions are called: sorted by how they look, refined by their neighbours."""
    net = one.net
    place = [hash((one.initial[p], one.classes[p] if hasattr(one, "classes") else 0)) for p in range(len(net.places))]
    moves = [0] * len(net.transitions)
    sides = (net.pre, net.post, net.read, net.inhibit)
    for _ in range(12):
        moves = [
            hash(
                (
                    *(tuple(sorted((place[p], w) for p, w in side[t])) for side in sides),
                    tuple(sorted(place[p] for p in net.reset[t])),
                )
            )
            for t in range(len(net.transitions))
        ]
        around: list[list[tuple]] = [[] for _ in net.places]
        for number, side in enumerate(sides):
            for t in range(len(net.transitions)):
                for p, w in side[t]:
                    around[p].append((number, w, moves[t]))
        place = [hash((own, tuple(sorted(near)))) for own, near in zip(place, around, strict=True)]
    return [tuple(sorted(place)), tuple(sorted(moves))]


@pytest.mark.parametrize("seed", range(20))
def test_arrays_are_their_members(seed):
    writer = Writer(random.Random(seed))
    writer.net()
    writer.process()
    arrays, plain = compiled("\n".join(writer.arrays)), compiled("\n".join(writer.plain))
    name = lambda text: re.sub(r"\[(\d+)\]", r"_\1", text)  # noqa: E731
    assert [name(c.subject) for c in arrays] == [c.subject for c in plain]
    for with_, without in zip(arrays, plain, strict=True):
        assert shape(with_) == shape(without), with_.subject
        if with_.subject in ("ring", "s") or with_.subject.startswith("w["):
            assert sorted(map(name, with_.net.places)) == sorted(map(name, without.net.places))
            assert sorted(map(name, with_.net.transitions)) == sorted(map(name, without.net.transitions))


def test_a_check_for_each_number():
    text = """param N = 3
    net ring { place seat[N] = 1, cup[i in 1..N] = i; transition drink[i in 1..N]: cup[i] -> ; transition pass[i in 2..N]: cup[i] -> cup[i - 1] }
    check never(cup[i] > i) for each i in 1..N "nobody has more than they began with", quasi_live(drink[i]) for each i in 2..N
    check ctl AG (cup[i] == 0 -> AG cup[i] == 0) for each i in N..N, bounded(cup[i], i + 3)"""
    text = text.replace(", bounded(cup[i], i + 3)", ", bounded(cup[j], j) for each j in 3..3")
    assert verdicts(text) == {
        "never(cup[1] > 1)": "violated",
        "never(cup[2] > 2)": "violated",
        "never(cup[3] > 3)": "proved",
        "quasi_live(drink[2])": "proved",
        "quasi_live(drink[3])": "proved",
        "ctl AG (cup[3] == 0 implies AG cup[3] == 0)": "proved",
        "bounded(cup[3], 3)": "proved",
    }


def test_an_array_in_a_formula_is_all_of_it():
    """Tokens and effects add up where a sum is written; a name alone is any of the members."""
    text = """service safe { idempotent; null_safe; rejects_after_cancel }
    saga s { parallel { step ask[i in 1..2] on safe { undo un[i] } } }
    workflow w { for each i in 1..2 { task t } task u[1..2] }
    net n { place a[i in 1..2] = i; transition take: a[1] + a[2] -> }
    check possible(s, ask[1].effect + ask[2].effect == 2), never(s, ask.effect >= 2), possible(s, ask[2].done and not ask[1].done)
    check possible(s, ask.done and not ask[2].done), possible(s, un.done and not un[1].done)
    check never(w, t[2].done and not t[1].done), possible(w, t.done and not t[2].done), never(w, u[2].done and not u[1].done)
    check possible(n, a == 3), never(n, a > 3), possible(n, a == 1)"""
    assert set(verdicts(text).values()) == {"proved"}


def test_for_each_gives_its_number_to_indices():
    text = """param N = 2
    service shard[N]
    workflow w { for each i in 1..N { task ask on shard[i] ; receive vote[3 - i] } }
    """
    (one,) = compiled(text)
    assert [t for t in one.net.transitions if "receive" in t] == ["w/receive(vote[2])[1]", "w/receive(vote[1])[2]"]


# -- what cannot be meant ----------------------------------------------------------------------------------------------

WRONG = (
    ("net n { place a[1000000000] }", "1,000,000,000 members are more than can be looked at", "1000000000"),
    ("net n { place a[200][200] }", "200 x 200 members are more than can be looked at", "a[200][200]"),
    ("net n { place a[3..1] }", "there is no member: 3 is more than 1", "3..1"),
    ("net n { place a[0] }", "there is no member: 1 is more than 0", "0"),
    ("net n { place a[N] }", "`N` is no number here", "N"),
    ("net n { place a[2 +] }", "expected a number or a name, found `]`", "]"),
    ("net n { place a[i in 2] }", "expected `..` and the last number, found `]`", "]"),
    ("net n { place a[(2] }", "expected `)`, found `]`", "]"),
    ("net n { place a[2 3] }", "expected `]`, found `3`", "3"),
    ("net n { place a[2]; transition t: a[3] -> }", "there is no `a[3]`: `a` is an array of `a[1..2]`", "a[3]"),
    (
        "net n { place a[2]; transition t[i in 1..2]: a[i + 1] -> }",
        "there is no `a[3]`: `a` is an array of `a[1..2]`",
        "a[i + 1]",
    ),
    ("net n { place a[2]; transition t[i in 1..2]: a[i - 3] -> }", "no member has the number -2", "i - 3"),
    ("net n { place a[2]; transition t: a[1 % 0] -> }", "the remainder of a division by 0 is nothing", "1 % 0"),
    (
        "net n { place a[2], b; transition t: a[1][1] -> }",
        "there is no `a[1][1]`: `a` is an array of `a[1..2]`",
        "a[1][1]",
    ),
    ("net n { place a[2], a }", "`a` is an array, and something else is called so too", "a"),
    ("service b[2] saga s { step x on b[1..2] { undo y } }", "`b[1..2]` is several, and one is meant here", "b[1..2]"),
    ("workflow w[i in 1..2] { task t[i] }", "the brackets of `t` say here how many there are, not which one", "i"),
    (
        "workflow w { for each i in 1..2 { task t[i] } }",
        "the brackets of `t` say here how many there are, not which one",
        "i",
    ),
    (
        "workflow w { for each i in 1..2 { task t[1..i] } }",
        "how many there are cannot differ between the instances of a `for each`",
        "1..i",
    ),
    (
        "net n { place a = 1 } check never(a >= i) for each i in 1..99999",
        "99,999 members are more than can be looked at",
        "for each i in 1..99999",
    ),
    ("net n { place a[i in 1..2][i in 1..3] }", "two ranges of one name call their number `i`", "i in 1..3"),
    (
        "net n { place a = 1 } check never(a >= i) for each i in 1..2 for each i in 1..3",
        "two ranges of one check call their number `i`",
        "i",
    ),
    ("net n { place a[2000000000] }", "this number is too large", "2000000000"),
    ("net n { place a[1000000000 * 1000000000] }", "this comes to more than 10^9", "1000000000 * 1000000000"),
)


@pytest.mark.parametrize(("text", "message", "at"), WRONG, ids=[w[0] for w in WRONG])
def test_what_cannot_be_meant_is_said_where_it_stands(text, message, at):
    assert errors(text) == [("P266", message, at)]


def test_a_mistake_in_an_array_is_said_once():
    found = errors("saga s { step a[i in 1..50] on nowhere { undo u[i] } }")
    assert found == [("P201", "no service is called `nowhere`", "nowhere")]


def test_an_array_without_its_index():
    loaded = compile_source(
        SourceFile("a.placet", "service b[2] saga s { step x on b { undo y } step z on b[1] { undo u } }")
    )
    assert [(d.code, d.help) for d in loaded.diagnostics if d.severity == "error"] == [("P201", "did you mean `b[1]`?")]
    loaded = compile_source(
        SourceFile("a.placet", "net n { place a[0..2] = 1; transition t[i in 0..2]: a[i] -> } check live(t)")
    )
    assert [d.help for d in loaded.diagnostics if d.code == "P232"] == [
        "ask it of one of the array, as in `t[0]`, or of each: `(t[i]) for each i in 0..2`"
    ]


def test_what_follows_one_of_several_events_has_its_number():
    text = """workflow w {
  signal vote[i in 1..2]
  first of { receive vote[i in 1..2] -> { task count[i] task other[3 - i] } timer 1h -> { end nobody } }
  try { call sub[k in 1..2] on bad { task sorry[k] } } on signal stop[j in 1..2] { task halt[j] end halted }
}
workflow sub[2] { either { end bad } or { } }
check possible(w, count[2].done and other[1].done and sorry[1].done and sorry[2].done)
check never(count[1].done and count[2].done), never(count[1].done and other[1].done)
check possible(halt[2].done and not halt[1].done)
"""
    assert set(verdicts(text).values()) == {"proved"}


def test_a_condition_about_a_member_keeps_its_number_in_ids():
    text = "var seat[2] : 0..2 = any workflow w { choice { when seat[2] >= 1 { task a } otherwise { task b } } }"
    ids = [name for name, _ in compiled(text)[0].steps]
    assert {"w/choice(seat_2 >= 1)[seat_2 >= 1]", "w/choice(seat_2 >= 1)[otherwise]"} <= set(ids)


@pytest.mark.parametrize(
    "text",
    [
        "workflow w[i in 1..9000] { task t[j in 1..9000] }",
        "net n { place a; transition t[9000]: a[1..9000] -> }",
        "service s[" + "(" * 50_000 + "1",
        "service s[" + "1+" * 50_000 + "1]",
        "service s" + "[1]" * 50_000,
        "service s[i in 1..2]" + "[i in 1..2]" * 40,
    ],
)
def test_what_is_too_much_is_said_soon(text):
    started = time.process_time()
    assert errors(text)
    assert time.process_time() - started < 10


# -- layout ------------------------------------------------------------------------------------------------------------


def test_the_formatter_lays_indices_out():
    text = """net n { place a[ 3 ] = 1 # seats
    transition t[i   in 1..3-1]: a[i] # one
    + a[(i+1)%3+1]-> a[i*2%3 + 1] }
    check live( t[i] )for each i in 1..2 "x",never(a[i]>=3) for each i in 1..3   for each j in 1..2
    """
    laid_out, _ = format_source(SourceFile("a.placet", text))
    assert (
        laid_out
        == """net n {
  place a[3] = 1  # seats
  transition t[i in 1..3 - 1]: a[i]  # one
        + a[(i + 1) % 3 + 1] -> a[i * 2 % 3 + 1]
}

check live(t[i]) for each i in 1..2 "x", never(a[i] >= 3) for each i in 1..3 for each j in 1..2
"""
    )
    assert format_source(SourceFile("a.placet", laid_out))[0] == laid_out


def test_braces_make_an_array_one_branch():
    flat = compiled("workflow w { parallel { task a[2] task b } }")[0]
    inside = compiled("workflow w { parallel { { task a[2] } task b } }")[0]
    first = lambda one: [pre for t, pre in zip(one.net.transitions, one.net.pre, strict=True) if t == "w/a[2]"]  # noqa: E731
    assert len(flat.net.places) != len(inside.net.places)
    assert len(first(flat)) == len(first(inside)) == 1


def test_a_sentence_speaks_of_the_number() -> None:
    """In braces stands what may stand in an index; what is none of that are words of the sentence."""
    text = """param N = 3
net ring { place p[N] = 1, q[N]  transition t[i in 1..N]: p[i] -> q[i % N + 1] }
check never(q[i] + q[j] >= 3) for each i in 1..2 for each j in 3..3 "{i} and {i % N + 1}, {j - i} of {N}: {} {k} {i..j} {i +} {i} %"
check never(q[1] >= 4) "the {i} of no range"
"""
    found = check(compile_source(SourceFile("arrays.placet", text)), Options())
    said = [q.sentence for m in found.models for q in m.compiled.queries]
    assert said == [
        "1 and 2, 2 of {N}: {} {k} {i..j} {i +} 1 %",
        "2 and 3, 1 of {N}: {} {k} {i..j} {i +} 2 %",
        "the {i} of no range",
    ]


def test_checks_of_a_sidecar_for_each_number(tmp_path) -> None:
    """They are those that are written out one by one; a state that is called as the word stands in quotes behind one."""
    (tmp_path / "d.asl.json").write_text(
        '{"StartAt": "for", "States": {"for": {"Type": "Task", "Resource": "r", "Next": "b"}, "b": {"Type": "Task", "Resource": "r", "End": true}}}'
    )
    head = 'service shard[2] {{ idempotent }}\nannotate "d.asl.json" {{\n  {} \n  state "for" on shard[1]\n  b on shard[2]\n}}\n'
    short = 'check never(shard[i].failing >= 3 - i) for each i in 1..2 "shard {i}", ctl(AG not shard[i].failing >= 9) for each i in 1..2'
    long = 'check never(shard[1].failing >= 2) "shard 1", never(shard[2].failing >= 1) "shard 2", ctl(AG not shard[1].failing >= 9), ctl(AG not shard[2].failing >= 9)'  # fmt: skip
    asked = []
    for text in (short, long):
        path = tmp_path / "s.placet"
        path.write_text(head.format(text))
        found = check(load(str(path)), Options())
        asked.append(
            [
                (c.label, c.outcome, q.sentence)
                for m in found.models
                for c, q in zip(m.checks, m.compiled.queries, strict=True)
            ]
        )
        assert format_source(SourceFile("s.placet", path.read_text()))[0].count("for each") == text.count("for each")
    assert asked[0] == asked[1]
    assert [outcome for _, outcome, _ in asked[0]] == ["proved"] * 4
