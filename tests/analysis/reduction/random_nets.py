"""Seeded random nets on which reduction rules find much to do: blocks, broken blocks, and arbitrary small nets."""

from __future__ import annotations

from analysis.reduction.oracle import Case
from placet.net.builder import NetBuilder


def blocks(draw, size):
    """A structured workflow: (pre, post) lists by transition, number of places; place 0 is the source, 1 the end."""
    arcs, count = [[[0], [1]]], 2
    for _ in range(size):
        t = draw.randrange(len(arcs))
        pre, post = arcs[t]
        kind = draw.choice(["series", "choice", "parallel", "loop", "xor", "late"])
        if kind == "series":
            arcs.append([[count], post[:]])
            arcs[t][1] = [count]
            count += 1
        elif kind == "choice":
            arcs.append([pre[:], post[:]])
        elif kind == "xor":
            arcs[t][1] = [count]
            arcs += [[pre[:], [count]], [[count], post[:]]]
            count += 1
        elif kind == "late":
            arcs[t][1] = [count]
            arcs += [[[count], post[:]], [[count], post[:]]]
            count += 1
        elif kind == "parallel":
            arcs[t][1] = [count, count + 1]
            arcs.append([[count, count + 1], post[:]])
            count += 2
        else:
            arcs[t][1] = [count]
            arcs += [[[count], [count + 1]], [[count + 1], [count]], [[count + 1], post[:]]]
            count += 2
    return arcs, count


def structured(draw, *, breaks=2, odd=False):
    """A workflow grown from blocks, then broken; with the classes of places that soundness asks for, more or less."""
    arcs, count = blocks(draw, draw.randrange(1, 6))
    tokens = [0] * count
    tokens[0] = 1
    ends = {1}
    if draw.random() < 0.3:
        pre = draw.choice(arcs)[0][:]
        arcs.append([pre, [count]])
        ends.add(count)
        tokens.append(0)
        count += 1
    resources = set()
    if draw.random() < 0.3:
        first, last = draw.choice(arcs), draw.choice(arcs)
        first[0].append(count)
        last[1].append(count)
        resources.add(count)
        tokens.append(draw.choice([1, 1, 2]))
        count += 1
    for _ in range(draw.randrange(breaks + 1)):
        side = draw.choice(arcs)[draw.randrange(2)]
        kind = draw.choice(["drop", "add", "move", "token", "copy"])
        if kind in {"drop", "move"} and side:
            side.pop(draw.randrange(len(side)))
        if kind in {"add", "move"}:
            side.append(draw.randrange(count))
        if kind == "copy" and side:
            side.append(draw.choice(side))
        if kind == "token":
            tokens[draw.randrange(count)] += 1
    _meeting(draw, arcs, tokens)
    _twins(draw, arcs, tokens)
    order = list(range(len(tokens)))
    draw.shuffle(order)
    draw.shuffle(arcs)
    return _case(draw, arcs, tokens, order, odd, ends, resources, style=draw.choice(["workflow", "workflow", "mixed"]))


def arbitrary(draw, *, odd=False):
    """Any small net, with any classes."""
    count = draw.randrange(1, 7)
    arcs = []
    for _ in range(draw.randrange(1, 8)):
        arcs.append(
            [
                [draw.randrange(count) for _ in range(draw.choice([0, 1, 1, 1, 2]))],
                [draw.randrange(count) for _ in range(draw.choice([0, 1, 1, 1, 2]))],
            ]
        )
    tokens = [draw.choice([0, 0, 0, 1, 2]) for _ in range(count)]
    _meeting(draw, arcs, tokens)
    _twins(draw, arcs, tokens)
    return _case(draw, arcs, tokens, list(range(len(tokens))), odd, set(), set(), style="mixed")


def _meeting(draw, arcs, tokens):
    """Now and then a place between some producers with inputs of their own and some consumers, the thing to agglomerate."""
    if draw.random() >= 0.3:
        return
    x, count = len(tokens), len(tokens)
    tokens.append(0)
    old = arcs[:]
    for _ in range(draw.choice([1, 1, 2])):
        own = []
        for _ in range(draw.choice([1, 1, 2])):
            own.append(len(tokens))
            tokens.append(draw.choice([0, 0, 1, 2]))
            if draw.random() < 0.7:
                draw.choice(old)[1].append(own[-1])
        arcs.append([own, [x]])
    for _ in range(draw.choice([1, 1, 2, 3])):
        arcs.append([[x], [draw.randrange(count) for _ in range(draw.choice([0, 1, 1, 2]))]])
        if draw.random() < 0.2:
            arcs[-1][0].append(draw.randrange(count))
    if draw.random() < 0.5:
        side = draw.choice(arcs[len(old) :])[draw.randrange(2)]
        side.append(draw.choice([x, draw.randrange(len(tokens))]))


def _twins(draw, arcs, tokens):
    """Now and then copies of a place or a transition, exact or nearly so, idle transitions and shortcuts."""
    if draw.random() < 0.35:
        p, twin = draw.randrange(len(tokens)), len(tokens)
        tokens.append(max(0, tokens[p] + draw.choice([0, 0, 0, 1, -1])))
        for arc in arcs:
            for side in arc:
                side.extend([twin] * side.count(p))
        for _ in range(draw.choice([0, 0, 1, 2])):
            arc, kind = draw.choice(arcs), draw.choice(["loop", "more", "less"])
            if kind == "loop":
                arc[0].append(twin)
                arc[1].append(twin)
            elif kind == "more":
                draw.choice(arc).append(twin)
            elif twin in (side := draw.choice(arc)):
                side.remove(twin)
    if draw.random() < 0.35:
        pre, post = draw.choice(arcs)
        kind = draw.choice(["idle", "same", "short", "short"])
        if kind == "idle":
            arcs.append([pre[:], pre[:]])
        elif kind == "same":
            arcs.append([pre[:], post[:]])
        else:
            for other_pre, other_post in arcs[:]:
                if other_pre and all(other_pre.count(p) <= post.count(p) for p in other_pre):
                    rest = post[:]
                    for p in other_pre:
                        rest.remove(p)
                    arcs.append([pre[:], rest + other_post])
                    break


def _case(draw, arcs, tokens, order, odd, ends, resources, style):
    builder = NetBuilder("random")
    where = {p: i for i, p in enumerate(order)}
    for p in order:
        roomy = tokens[p] + draw.randrange(1, 3) if odd and draw.random() < 0.08 else None
        builder.place(f"p{p}", tokens[p], roomy)
    for t, (pre, post) in enumerate(arcs):
        extra = draw.choice(["none"] * 6 + ["read", "inhibit", "reset"]) if odd else "none"
        at = draw.randrange(len(order))
        builder.transition(
            f"t{t}", _weights(pre, where), _weights(post, where), read={at: 1} if extra == "read" else None,
            inhibit={at: draw.choice([1, 2])} if extra == "inhibit" else None, reset=(at,) if extra == "reset" else (),
        )  # fmt: skip
    net, initial = builder.build()
    fixed = frozenset(t for t in range(len(arcs)) if draw.random() < draw.choice([0, 0, 0.2]))
    classes = [set(), set(), set(), set(), set()]  # exact, zero, resource, end, channel
    usual = draw.choice([[1], [1, 4]])
    for p in range(len(order)):
        if style == "mixed":
            kind = draw.choice([0, 1, 1, 1, 2, 3, 3, 4, 4, 5, 5])
        else:
            kind = 3 if order[p] in ends else 2 if order[p] in resources else draw.choice(usual)
            if draw.random() < 0.06:
                kind = draw.choice([0, 5])
        if kind < 5:
            classes[kind].add(p)
    bounded = draw.choice([None, frozenset(), frozenset(p for p in range(len(order)) if draw.random() < 0.6)])
    exact, zero, resource, end, channel = map(frozenset, classes)
    return Case(net, initial, exact, zero, resource, end, fixed, bounded, channel)


def _weights(side, where):
    found = {}
    for p in side:
        found[where[p]] = found.get(where[p], 0) + 1
    return found
