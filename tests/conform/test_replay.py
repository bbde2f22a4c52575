"""Token replay against its definition: all words of a net, by full enumeration of its silent steps."""

from __future__ import annotations

import random

import pytest

from placet.conform.observed import Label, Observed, Observer
from placet.conform.replay import Replay, Tables
from placet.net.builder import NetBuilder
from placet.net.firing import fire
from strategies import compiled_of

LETTERS = "abc"


def random_net(seed: int):
    """Up to 6 places and 8 transitions, with tests, inhibitors, resets and capacities now and then; half are silent."""
    draw = random.Random(seed)
    builder = NetBuilder("n")
    count = draw.randint(2, 6)
    for p in range(count):
        builder.place(f"p{p}", draw.choice((0, 0, 1, 1, 2)), 3 if draw.random() < 0.15 else None)
    side = lambda most: {p: draw.choice((1, 1, 1, 2)) for p in draw.sample(range(count), draw.randint(0, most))}  # noqa: E731
    labels = []
    for t in range(draw.randint(1, 8)):
        pre = side(2)
        post = side(2)
        if sum(post.values()) > sum(pre.values()) and draw.random() < 0.8:
            post = dict(list(post.items())[:1])
        builder.transition(
            f"t{t}", pre, post,
            read=side(1) if draw.random() < 0.2 else None,
            inhibit=side(1) if draw.random() < 0.2 else None,
            reset=tuple(side(1)) if draw.random() < 0.1 else (),
        )  # fmt: skip
        labels.append(Label(draw.choice(LETTERS)) if draw.random() < 0.5 else None)
    net, initial = builder.build()
    observer = Observer(compiled_of(net, initial))
    observer.labels = labels
    return observer.observed()


LIMIT = 400


def closure(observed: Observed, markings: set) -> set | None:
    """All markings that silent firings lead to; None where there are too many."""
    seen, queue = set(markings), list(markings)
    while queue:
        marking = queue.pop()
        for t, label in enumerate(observed.labels):
            after = fire(observed.net, marking, t) if label is None else None
            if after is not None and after not in seen:
                if len(seen) > LIMIT or max(after, default=0) > 12:
                    return None
                seen.add(after)
                queue.append(after)
    return seen


def words(observed: Observed, most: int) -> dict[str, bool] | None:
    """For each word of up to `most` letters whether the net shows it; None where it has too many markings."""
    found = {"": closure(observed, {observed.initial})}
    answer = {}
    for length in range(most):
        for word in [w for w in found if len(w) == length]:
            if found[word] is None:
                return None
            for letter in LETTERS:
                after = {
                    m
                    for marking in found[word]
                    for t, label in enumerate(observed.labels)
                    if label == Label(letter) and (m := fire(observed.net, marking, t)) is not None
                }
                found[word + letter] = closure(observed, after)
                answer[word + letter] = bool(after)
    return answer


def replayed(observed: Observed, word: str) -> tuple[bool, Replay]:
    replay = Replay(Tables(observed))
    return all(replay.step([Label(letter)]) for letter in word), replay


@pytest.mark.parametrize("block", range(20))
def test_it_finds_exactly_the_words_of_the_net(block):
    asked = shown = 0
    for seed in range(block * 100, block * 100 + 100):
        observed = random_net(seed)
        answer = words(observed, 4)
        if answer is None:
            continue
        for word, right in answer.items():
            if word[:-1] and not answer[word[:-1]]:
                continue
            found, replay = replayed(observed, word)
            assert not replay.exhausted
            assert found == right, (seed, word)
            asked += 1
            if right:
                shown += 1
                assert shows(observed, replay.sequence()) == word
    assert asked > 300
    assert asked - 100 > shown > 100


def shows(observed: Observed, sequence) -> str:
    """The visible part of a firing sequence, which must be one."""
    marking, word = observed.initial, ""
    for t in sequence:
        marking = fire(observed.net, marking, t)
        assert marking is not None
        word += observed.labels[t].what if observed.labels[t] else ""
    return word


@pytest.mark.parametrize("block", range(4))
def test_what_could_come_next_is_what_can(block):
    for seed in range(block * 100, block * 100 + 100):
        observed = random_net(seed)
        answer = words(observed, 3)
        if answer is None:
            continue
        for word in ["", *(w for w, right in answer.items() if right and len(w) < 3)]:
            _, replay = replayed(observed, word)
            allowed, whole = replay.allowed()
            assert whole
            assert {label.what for label in allowed} == {x for x in LETTERS if answer.get(word + x)}, (seed, word)


def test_silent_steps_of_concurrent_parts_are_not_interleaved():
    """Two hundred parts of five silent steps each have 6 ** 200 markings; one event needs the steps of its own part."""
    builder = NetBuilder("wide")
    labels = []
    for part in range(200):
        places = [builder.place(f"{part}.{i}", int(i == 0)) for i in range(7)]
        for a, b in zip(places, places[1:], strict=False):
            builder.transition(f"{part}.{a}", {a: 1}, {b: 1})
            labels.append(None)
        labels[-1] = Label("done", "", (part,))
    observer = Observer(compiled_of(*builder.build()))
    observer.labels = labels
    replay = Replay(Tables(observer.observed()))
    order = list(range(200))
    random.Random(1).shuffle(order)
    assert all(replay.step([Label("done", "", (part,))]) for part in order)
    assert not replay.step([Label("done", "", (7,))])
    assert replay.spent < 2_000


def test_a_budget_that_ran_out_is_said():
    builder = NetBuilder("growing")
    p = builder.place("p", 1)
    q = builder.place("q")
    builder.transition("more", {p: 1}, {p: 2})
    builder.transition("see", {q: 1}, {})
    builder.transition("go", {p: 500}, {q: 1})
    observer = Observer(compiled_of(*builder.build()))
    observer.labels[1] = Label("see")
    replay = Replay(Tables(observer.observed()), 100)
    assert not replay.step([Label("see")])
    assert replay.exhausted == "100 markings were looked at"
