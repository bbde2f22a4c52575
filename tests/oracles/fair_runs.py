"""CTL and LTL on fair runs by their definitions, for graphs of a handful of states: sets of states are tried one by one.

A graph is, by state, a list of (transition, state). A run is fair if what it visits and takes infinitely often is: that is written down for
each fairness in `is_fair`. Faults happen finitely often, and a run may end where nothing else can happen.
"""

from __future__ import annotations

from itertools import combinations, product

from placet.logic.temporal import (
    Always,
    Atom,
    Conj,
    Disj,
    Eventually,
    Every,
    Neg,
    Next,
    Release,
    Some,
    Until,
    children,
    parts,
)


def is_fair(fairness, states, taken, enabled):
    """Whether a run that visits these infinitely often, and takes these (state, transition), is fair. `enabled(state)`: without faults."""
    fired = {t for _, t in taken}
    if fairness == "edges":
        return all((s, t) in taken for s in states for t in enabled(s))
    if fairness == "strong":
        return all(t in fired for s in states for t in enabled(s))
    if fairness == "weak":
        return all(t in fired for t in set.intersection(*(set(enabled(s)) for s in states)))
    return True


def connected(states, edges):
    """Whether each leads to each by at least one edge within the set. `edges(state)`: its next states."""
    for s in states:
        seen, queue = set(), [s]
        while queue:
            for to in edges(queue.pop()):
                if to in states and to not in seen:
                    seen.add(to)
                    queue.append(to)
        if seen != set(states):
            return False
    return True


def branching(formula, graph, faults, holds, fairness):
    """By state whether a formula of CTL holds: on all runs with faults under `Every`, on runs without further faults under `Some`."""
    states = range(len(graph))

    def enabled(s):
        return [t for t, _ in graph[s] if t not in faults]

    def safe(s):
        return [to for t, to in graph[s] if t not in faults]

    def every(s):
        return [to for _, to in graph[s]]

    loops = []  # every set in which a fair run can stay
    for count in range(1, len(graph) + 1):
        for chosen in combinations(states, count):
            taken = {(s, t) for s in chosen for t, to in graph[s] if t not in faults and to in chosen}
            if connected(chosen, safe) and is_fair(fairness, chosen, taken, enabled):
                loops.append(set(chosen))

    def stays(held):
        """Where a run can be for ever, or end."""
        return {s for s in held if not enabled(s)}.union(*(one for one in loops if one <= held))

    def reach(goal, through, steps):
        found = set(goal)
        while more := {s for s in states if s in through and s not in found and found & set(steps(s))}:
            found |= more
        return found

    def at(f, negated):
        match f:
            case Atom(predicate):
                return {s for s in states if holds(predicate, s) is not negated}
            case Neg(of):
                return at(of, not negated)
            case Conj(of) | Disj(of):
                rows = [at(g, negated) for g in of]
                both = isinstance(f, Conj) is not negated
                return set(states).intersection(*rows) if both else set().union(*rows)
            case Every(of) | Some(of):
                return on_runs(of, isinstance(f, Every) is not negated, negated)
        raise AssertionError(f)

    def on_runs(of, all_runs, negated):
        whole = set(states)
        match of:
            case Next(inner):
                goal = at(inner, negated)
                steps = every if all_runs else safe
                return {s for s in states if (all if all_runs else any)(to in goal for to in steps(s))}
            case Eventually(inner):
                left, right, until = whole, at(inner, negated), not negated
            case Always(inner):
                left, right, until = set(), at(inner, negated), negated
            case Until(one, other) | Release(one, other):
                left, right, until = at(one, negated), at(other, negated), isinstance(of, Until) is not negated
        if isinstance(of, (Eventually, Always)):
            left = whole if until else set()
        if all_runs and until:
            lacks = whole - right
            return whole - reach((lacks - left) | stays(lacks), lacks, every)
        if all_runs:
            return whole - reach(whole - right, whole - left, every)
        if until:
            return reach(right, left, safe)
        return reach((left & right) | stays(right), right, safe)

    return at(formula, False)


def linear(formula, graph, faults, holds, calm, fairness):
    """Whether every fair run from state 0 satisfies a formula of LTL. `calm(predicate, state)`: where a run has ended.

    A tableau: what holds next of each part is guessed, and a run keeps its guesses (Clarke, Grumberg, Hamaguchi 1997).
    """
    count = len(graph)
    temporal = [f for f in dict.fromkeys(parts(formula)) if isinstance(f, (Next, Eventually, Always, Until, Release))]

    def steps(s):
        if s >= count:
            return [(-1, s)]
        found = list(graph[s])
        if all(t in faults for t, _ in found):
            found.append((-1, s + count))
        return found

    def enabled(s):
        return [] if s >= count else [t for t, _ in graph[s] if t not in faults]

    def truth(f, s, guess):
        match f:
            case Atom(predicate):
                return holds(predicate, s) if s < count else calm(predicate, s - count)
            case Neg(of):
                return not truth(of, s, guess)
            case Conj(of):
                return all(truth(g, s, guess) for g in of)
            case Disj(of):
                return any(truth(g, s, guess) for g in of)
            case Next():
                return guess[f]
            case Eventually(of):
                return truth(of, s, guess) or guess[f]
            case Always(of):
                return truth(of, s, guess) and guess[f]
            case Until(left, right):
                return truth(right, s, guess) or (truth(left, s, guess) and guess[f])
            case Release(left, right):
                return truth(right, s, guess) and (truth(left, s, guess) or guess[f])
        raise AssertionError(f)

    guesses = [dict(zip(temporal, values, strict=True)) for values in product((False, True), repeat=len(temporal))]

    def follows(guess, s, after):
        return all(guess[f] is truth(f.of if isinstance(f, Next) else f, s, after) for f in temporal)

    nodes, queue, edges = {}, [], {}
    for k, guess in enumerate(guesses):
        if not truth(formula, 0, guess):
            nodes[0, k] = None
            queue.append((0, k))
    for s, k in queue:
        edges[s, k] = []
        for t, to in steps(s):
            for m, after in enumerate(guesses):
                if follows(guesses[k], to, after):
                    edges[s, k].append((t, (to, m)))
                    if (to, m) not in nodes:
                        nodes[to, m] = None
                        queue.append((to, m))

    def kept(f, node):
        """Infinitely often a promise is kept, or there is none."""
        s, k = node
        value = truth(f, s, guesses[k])
        if isinstance(f, (Eventually, Until)):
            return not value or truth(children(f)[-1], s, guesses[k])
        return isinstance(f, Next) or value or not truth(children(f)[-1], s, guesses[k])

    def search(inside):
        """Whether some subset is the infinite part of a fair run."""
        left = set(inside)
        while left:
            start = next(iter(left))

            def closure(forward, start=start):
                seen, todo = {start}, [start]
                while todo:
                    one = todo.pop()
                    near = (
                        [to for t, to in edges[one] if t not in faults]
                        if forward
                        else [n for n in inside if any(to == one and t not in faults for t, to in edges[n])]
                    )
                    for to in near:
                        if to in inside and to not in seen:
                            seen.add(to)
                            todo.append(to)
                return seen

            together = closure(True) & closure(False)
            left -= together
            taken = {(n[0], t) for n in together for t, to in edges[n] if to in together and t not in faults}
            if not taken or not all(any(kept(f, n) for n in together) for f in temporal):
                continue
            states = {n[0] for n in together}
            if is_fair(fairness, states, taken, enabled):
                return True
            if fairness == "edges":
                bad = {s for s in states if any((s, t) not in taken for t in enabled(s))}
            elif fairness == "strong":
                fired = {t for _, t in taken}
                bad = {s for s in states if any(t not in fired for t in enabled(s))}
            else:
                continue
            if search({n for n in together if n[0] not in bad}):
                return True
        return False

    return not search(set(nodes))
