"""CTL and LTL by their definitions: on runs written out one after the other, for graphs of a handful of states."""

from __future__ import annotations

from functools import cache

from placet.logic.temporal import Always, Atom, Conj, Disj, Eventually, Every, Neg, Next, Release, Some, Until


def on_lasso(formula, stem, loop, holds):
    """Whether the infinite word stem loop loop ... satisfies the formula. `holds(predicate, letter)`."""
    word = [*stem, *loop]

    def after(i):
        return i + 1 if i + 1 < len(word) else len(stem)

    def walk(i):
        """The positions from i on, each once: all that the word still has to show."""
        seen = []
        while i not in seen:
            seen.append(i)
            i = after(i)
        return seen

    @cache
    def at(f, i):
        match f:
            case Atom(predicate):
                return holds(predicate, word[i])
            case Neg(of):
                return not at(of, i)
            case Conj(of):
                return all(at(g, i) for g in of)
            case Disj(of):
                return any(at(g, i) for g in of)
            case Next(of):
                return at(of, after(i))
            case Eventually(of):
                return any(at(of, j) for j in walk(i))
            case Always(of):
                return all(at(of, j) for j in walk(i))
            case Until(left, right):
                for j in walk(i):
                    if at(right, j):
                        return True
                    if not at(left, j):
                        return False
                return False
            case Release(left, right):
                for j in walk(i):
                    if not at(right, j):
                        return False
                    if at(left, j):
                        return True
                return True
        raise AssertionError(f)

    return at(formula, 0)


def lassos(edges, longest):
    """(stem, loop) of every infinite run whose stem and loop together have at most so many states; dead ends repeat."""
    pending = [(0,)]
    while pending:
        path = pending.pop()
        for after in edges[path[-1]] or [path[-1]]:
            for i, state in enumerate(path):
                if state == after:
                    yield path[:i], path[i:]
            if len(path) < longest:
                pending.append((*path, after))


def holds_in(formula, state, edges, holds):
    """CTL over maximal runs: paths written out until they end, close a circle, or settle the question."""

    def paths(start):
        """Maximal simple paths and lassos from a state: (states, whether it ends in a dead end rather than a circle)."""
        pending = [(start,)]
        while pending:
            path = pending.pop()
            if not edges[path[-1]]:
                yield path, True
            for after in set(edges[path[-1]]):
                if after in path:
                    yield path, False
                else:
                    pending.append((*path, after))

    @cache
    def at(f, s):
        match f:
            case Atom(predicate):
                return holds(predicate, s)
            case Neg(of):
                return not at(of, s)
            case Conj(of):
                return all(at(g, s) for g in of)
            case Disj(of):
                return any(at(g, s) for g in of)
            case Some(Next(of)):
                return any(at(of, t) for t in edges[s])
            case Every(Next(of)):
                return all(at(of, t) for t in edges[s])
            case Some(of):
                return any(on_path(of, path) for path, _ in paths(s))
            case Every(of):
                return all(on_path(of, path) for path, _ in paths(s))
        raise AssertionError(f)

    def on_path(of, path):
        """Whether the run along the path, then round a circle of its own states for ever or ending, satisfies it.

        Right for each operator: a simple path or lasso is enough of a witness for any of them, and for its negation.
        """
        match of:
            case Eventually(f):
                return any(at(f, s) for s in path)
            case Always(f):
                return all(at(f, s) for s in path)
            case Until(left, right):
                for s in path:
                    if at(right, s):
                        return True
                    if not at(left, s):
                        return False
                return False
            case Release(left, right):
                for s in path:
                    if not at(right, s):
                        return False
                    if at(left, s):
                        return True
                return True
        raise AssertionError(of)

    return at(formula, state)
