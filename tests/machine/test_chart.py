"""State charts of coordinators: the same behaviour as the open net, told in events, actions and clocks."""

from __future__ import annotations

import random

import pytest
from machines import MODELS, Runner, compiled, edges, of, subjects

from placet.analysis.open_net import SILENT, behaviour
from placet.evidence import Budget


def traces(lts, depth, silent=SILENT):
    """All sequences of visible labels up to a length, by sets of states."""
    out = [[] for _ in range(lts.states)]
    for source, label, target in lts.edges:
        out[source].append((label, target))

    def settle(states):
        seen, todo = set(states), list(states)
        while todo:
            for label, target in out[todo.pop()]:
                if label == silent and target not in seen:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)

    level, found = {(): settle({lts.initial})}, set()
    for _ in range(depth):
        after = {}
        for word, states in level.items():
            for s in states:
                for label, target in out[s]:
                    if label != silent:
                        after.setdefault((*word, lts.labels[label]), set()).add(target)
        level = {word: settle(states) for word, states in after.items()}
        found |= set(level)
        if len(found) > 20_000:
            break
    return found


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.parent.name)
def test_models(path) -> None:
    """The small system has the traces of the whole open net, and each chart does what its system allows, and no less."""
    for subject in subjects(path):
        found, made = of(subject)
        whole = behaviour(subject, Budget(200_000), decisions=True)
        assert traces(whole.lts, 5) == traces(found.lts, 5)
        assert made is not None or found.hidden
        if made is not None:
            follows(found, made)


def follows(found, made) -> None:
    """Every move of the chart is a run of the system, and every input that the system takes when all is sent is a move."""
    out = edges(found)

    def run(state, words):
        for word in words:
            while word not in out[state]:
                ends = [t for text, t in out[state].items() if text.startswith("end ")]
                assert len(ends) == 1, (word, out[state])
                state = ends[0]
            state = out[state][word]
        return state

    def settled(state):
        """The system's states after ends that are reached at once."""
        while len(out[state]) == 1 and next(iter(out[state])).startswith("end "):
            state = next(iter(out[state].values()))
        return state

    def sends(actions):
        return [f"!{a.name}" for a in actions if a.kind == "send"]

    begin = settled(run(found.lts.initial, sends(made.first)))
    pairs, todo = {(made.initial, begin)}, [(made.initial, begin)]
    for at, state in todo:
        moves = made.of(at)
        inputs = {text for text in out[state] if not text.startswith(("!", "end "))}
        assert {m.on.text for m in moves if m.on is not None} == inputs
        if at in made.finals:
            assert state in found.lts.final
        for move in moves:
            words = ([move.on.text] if move.on is not None else []) + sends(move.actions)
            pair = (move.target, settled(run(state, words)))
            if pair not in pairs:
                pairs.add(pair)
                todo.append(pair)
    assert {at for at, _ in pairs} == set(range(len(made.states)))


def drawn(rng):
    """A deterministic machine: text, and its moves."""
    states = [f"s{i}" for i in range(rng.randint(1, 5))]
    finals = {s for s in states[1:] if rng.random() < 0.3}
    moves, lines = {}, []
    for state in states:
        if state in finals:
            continue
        for event in "XYZ":
            if rng.random() < 0.5:
                target = rng.choice(states)
                sends = tuple(rng.choice("ABC") for _ in range(rng.randint(0, 2)))
                moves[state, event] = (sends, target)
                lines.append(f"  {state} --{event}{' / send ' + ', '.join(sends) if sends else ''}--> {target}")
    named = {"s0"} | {t for (s, _), (_, t) in moves.items()} | {s for s, _ in moves}
    finals &= named
    tail = f"  final {', '.join(sorted(finals))}\n" if finals else ""
    return "machine m {\n  initial s0\n" + "\n".join(lines) + "\n" + tail + "}\n", moves


def test_machines_do_what_they_say() -> None:
    """Against an interpreter of the text of ten lines."""
    rng = random.Random(3)
    steps = smaller = 0
    for _ in range(300):
        text, moves = drawn(rng)
        found, made = of(compiled(text))
        assert made is not None, text
        smaller += found.lts.states < found.situations
        for _ in range(3):
            runner, state, sent = Runner(made), "s0", []
            for _ in range(8):
                able = {event for s, event in moves if s == state}
                assert {t.removeprefix("?") for t in runner.offers()} == able
                if not able:
                    break
                event = rng.choice(sorted(able))
                runner.take(runner.offers()[f"?{event}"])
                some, state = moves[state, event]
                sent += some
                assert runner.sent == sent
                steps += 1
    assert steps > 1000
    assert smaller > 20


SAGA = """
saga trip {
  step flight { undo cancel_flight; timeout 10s }
  parallel { step hotel { undo cancel_hotel }; step car { undo cancel_car } }
}
"""


def test_a_saga_sends_hears_and_compensates() -> None:
    _, made = of(compiled(SAGA), decisions=False)
    runner = Runner(made)
    assert runner.sent == ["flight"]
    runner.take(runner.offers()["?flight.done"])
    assert sorted(runner.sent[1:]) == ["car", "hotel"]
    runner.take(runner.offers()["?hotel.rejected"])
    runner.take(runner.offers()["?car.done"])
    assert set(runner.sent[3:]) <= {"cancel_hotel", "cancel_car"}
    for _ in range(4):
        undo = [text for text in runner.offers() if text.startswith("?cancel") and text.endswith(".done")]
        if undo:
            runner.take(runner.offers()[undo[0]])
    assert runner.sent[-1] == "cancel_flight"
    assert made.states[runner.state] == "compensated"
    assert runner.state in made.finals


def test_clocks_run_while_they_are_waited_for() -> None:
    text = "workflow w { parallel { { receive a; receive b } { first of { receive c; timer 2h -> task late } } } }"
    _, made = of(compiled(text), decisions=False)
    runner = Runner(made)
    assert [a.text for a in runner.done] == ["set after 2h to 2h"]
    runner.take(runner.offers()["?a"])
    assert len(runner.done) == 1  # it runs on
    runner.take(runner.offers()["?c"])
    assert [a.text for a in runner.done[1:]] == ["stop after 2h"]
    runner = Runner(made)
    runner.take(runner.offers()["after 2h"])
    assert [a.text for a in runner.done[1:]] == ["start late"]


def test_a_clock_is_set_again_with_the_state_of_a_machine() -> None:
    text = "machine m { initial a; a --X--> a; a --after 1h--> b; a --Y--> c; c --after 1h--> b; final b }"
    _, made = of(compiled(text))
    runner = Runner(made)
    assert [a.text for a in runner.done] == ["set after 1h (a) to 1h"]
    runner.take(runner.offers()["?X"])
    assert [a.text for a in runner.done[1:]] == ["set after 1h (a) to 1h"]
    runner.take(runner.offers()["?Y"])
    assert [a.text for a in runner.done[2:]] == ["stop after 1h (a)", "set after 1h (c) to 1h"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("workflow w { either { receive a } or { receive b } }", ""),
        ("workflow w { parallel { { receive a; receive b } { receive a; receive c } } }", "?a"),
        ("machine m { initial s; s --X--> a; s --X--> b; a --A--> c; b --B--> c; final c }", "?X"),
    ],
)
def test_what_nobody_can_see(text, label) -> None:
    found, made = of(compiled(text), decisions=False)
    assert made is None
    assert label in {found.lts.labels[h.label] for h in found.hidden}


def test_what_makes_no_difference_is_no_choice() -> None:
    found, made = of(compiled("workflow w { either { receive a } or { receive a } }"), decisions=False)
    assert not found.hidden
    assert len(made.states) == 2


def test_without_end() -> None:
    from placet.analysis.coordinator import coordinator

    text = "net n { place p = 1, q; transition t: p -> p + q; transition u: q -> }"
    found = coordinator(compiled(text), Budget(1000))
    assert found.stop is not None
    assert found.stop.budget == "unbounded"


def test_what_is_published_is_sent() -> None:
    text = "topic parcels on kafka { capacity 2 }\nworkflow w { receive order; publish parcels.Sent; receive parcels.Back }"
    _, made = of(compiled(text), decisions=False)
    runner = Runner(made)
    runner.take(runner.offers()["?order"])
    assert runner.sent == ["parcels.Sent"]
    assert list(runner.offers()) == ["?parcels.Back"]


def test_a_value_that_comes_with_a_result_is_seen_with_it() -> None:
    text = """
    var rated : bool = false
    workflow w { task ask sets rated = any; choice { when rated { receive a } otherwise { receive b } } }
    """
    found, made = of(compiled(text), decisions=False)
    assert not found.hidden
    runner = Runner(made)
    assert set(runner.offers()) == {"?ask.done(rated=true)", "?ask.done(rated=false)"}
    runner.take(runner.offers()["?ask.done(rated=false)"])
    assert list(runner.offers()) == ["?b"]


def test_a_value_that_is_computed_is_nobody_elses() -> None:
    text = """
    var tries : 0..2 = 0
    workflow w { loop { receive answer; task count sets tries = tries + 1 } until tries == 2 }
    """
    found, made = of(compiled(text), decisions=False)
    assert not found.hidden
    runner = Runner(made)
    for _ in range(2):
        for word in ("?answer", "?count.done"):
            assert list(runner.offers()) == [word]
            runner.take(runner.offers()[word])
    assert runner.state in made.finals
