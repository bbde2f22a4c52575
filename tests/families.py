"""Structured nets of any size, whose state spaces are known."""

from __future__ import annotations

from placet.net.builder import NetBuilder


def branches(number: int, length: int):
    """A fork into so many branches of so many steps, and the join: length^number + 2 states."""
    builder = NetBuilder("branches")
    start, done = builder.place("start", 1), builder.place("done")
    rows = [[builder.place(f"b{i}_{j}") for j in range(length)] for i in range(number)]
    builder.transition("fork", {start: 1}, {row[0]: 1 for row in rows})
    for row in rows:
        for here, there in zip(row, row[1:], strict=False):
            builder.transition(f"t{here}", {here: 1}, {there: 1})
    builder.transition("join", {row[-1]: 1 for row in rows}, {done: 1})
    return builder.build()


def philosophers(number: int):
    """Each takes one fork after the other, either first, and gives both back."""
    builder = NetBuilder("philosophers")
    forks = [builder.place(f"fork{i}", 1) for i in range(number)]
    for i in range(number):
        one, other = forks[i], forks[(i + 1) % number]
        think, left, right, eat = (builder.place(f"{w}{i}", w == "think") for w in ("think", "left", "right", "eat"))
        builder.transition(f"l{i}", {think: 1, one: 1}, {left: 1})
        builder.transition(f"r{i}", {think: 1, other: 1}, {right: 1})
        builder.transition(f"lr{i}", {left: 1, other: 1}, {eat: 1})
        builder.transition(f"rl{i}", {right: 1, one: 1}, {eat: 1})
        builder.transition(f"done{i}", {eat: 1}, {think: 1, one: 1, other: 1})
    return builder.build()
