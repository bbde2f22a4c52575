"""Seconds from the compiled net: its reduction alone, and all standard checks of a workflow decided.

    python benchmarks/reduction.py [ELEMENTS]

Fork/join, a line, structured nets (sequence, choice, parallel and loop nested at random), a line built backwards, a wide
choice, and a workflow of ELEMENTS tasks from its source. ELEMENTS are places and transitions, 100,000 if nothing is said. The target is
2 s of processor time for the standard checks. The garbage collector is off, as in the pipeline.
"""

from __future__ import annotations

import random
import sys
import time

from placet.analysis.questions import questions
from placet.analysis.reduction import final_places, reduce
from placet.analysis.strategy import decide
from placet.compiled import plain
from placet.evidence import Holds
from placet.net.builder import NetBuilder
from placet.net.final import Final, PlaceClass
from placet.pipeline import Uncollected, compile_source
from placet.source import SourceFile


def fork_join(branches, steps):
    builder = NetBuilder("fork/join")
    start, end = builder.place("i", 1), builder.place("o")
    rows = [[builder.place(f"p{k}.{j}") for j in range(steps + 1)] for k in range(branches)]
    builder.transition("fork", {start: 1}, {row[0]: 1 for row in rows})
    builder.transition("join", {row[-1]: 1 for row in rows}, {end: 1})
    for k, row in enumerate(rows):
        for j in range(steps):
            builder.transition(f"t{k}.{j}", {row[j]: 1}, {row[j + 1]: 1})
    return *builder.build(), end


def structured(size, seed=1):
    """Sequence, choice, parallel and loop nested at random, grown to `size` places and transitions."""
    draw = random.Random(seed)
    arcs, count = [([0], [1])], 2
    while len(arcs) + count < size:
        pre, post = arcs[draw.randrange(len(arcs))]
        kind = draw.choice(["series", "series", "choice", "parallel", "loop"])
        if kind == "choice":
            arcs += [(pre[:], [count]), ([count], post[:])]
            count += 1
        elif kind == "loop":
            arcs += [([count], [count + 1]), ([count + 1], [count]), ([count + 1], post[:])]
            post[:] = [count]
            count += 2
        else:
            new = [count] if kind == "series" else [count, count + 1]
            arcs.append((new, post[:]))
            post[:] = new
            count += len(new)
    builder = NetBuilder("structured")
    for p in range(count):
        builder.place(f"p{p}", int(p == 0))
    for t, (pre, post) in enumerate(arcs):
        builder.transition(f"t{t}", dict.fromkeys(pre, 1), dict.fromkeys(post, 1))
    return *builder.build(), 1


def chain(length, *, backwards):
    builder = NetBuilder("chain backwards" if backwards else "chain")
    for p in range(length):
        builder.place(f"p{p}", int(p == (length - 1 if backwards else 0)))
    for p in range(length - 1):
        builder.transition(f"t{p}", *([{p + 1: 1}, {p: 1}] if backwards else [{p: 1}, {p + 1: 1}]))
    return *builder.build(), 0 if backwards else length - 1


def choice(branches):
    builder = NetBuilder("wide choice")
    start, end = builder.place("i", 1), builder.place("o")
    for k in range(branches):
        p = builder.place(f"p{k}")
        builder.transition(f"a{k}", {start: 1}, {p: 1})
        builder.transition(f"b{k}", {p: 1}, {end: 1})
    return *builder.build(), end


def tasks(count):
    """A workflow of so many tasks, from its source: two elements and a step for each task."""
    text = "workflow w {\n" + "".join(f"  task t{k}\n" for k in range(count)) + "}\n"
    (compiled,) = compile_source(SourceFile("tasks.placet", text)).compiled
    return compiled


def workflow(net, initial, end):
    """The net as a workflow net with its standard checks."""
    compiled = plain(net, initial)._replace(
        kind="workflow", final=Final((end,), (PlaceClass.CONTROL,) * len(net.places))
    )
    return compiled._replace(queries=questions(compiled, ()))


def measure(name, compiled):
    """A line of the table."""
    asked = final_places(compiled.final, compiled.initial)
    begin = time.process_time()
    reduced = reduce(compiled.net, compiled.initial, zero_places=asked.zero, end_places=asked.end)
    reducing = time.process_time() - begin
    before, after = (len(n.places) + len(n.transitions) for n in (compiled.net, reduced.net))
    del reduced
    begin = time.process_time()
    answers = decide(compiled, compiled.queries)
    deciding = time.process_time() - begin
    proved = sum(isinstance(a.verdict, Holds) for a in answers)
    print(
        f"{name:<16}{before:>10}{after:>6}{reducing:>9.3f}{1e6 * reducing / before:>12.2f}{deciding:>9.3f}   {proved} of {len(answers)} proved"
    )


def main(size):
    nets = [fork_join(50, 10), fork_join(size // 40, 20), structured(size), structured(size, 2)]
    nets += [chain(size // 2, backwards=False), chain(size // 2, backwards=True), choice(size // 3)]
    print(f"{'net':<16}{'elements':>10}{'left':>6}{'reduce':>9}{'us/element':>12}{'decide':>9}")
    with Uncollected():
        for net, initial, end in nets:
            measure(net.name, workflow(net, initial, end))
        measure("tasks", tasks(size))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
