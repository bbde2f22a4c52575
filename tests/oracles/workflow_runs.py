"""What a structured workflow does, by rules on the statements themselves: no net, no place, no token.

A term is a statement that has not begun, or a tuple for one that has. `steps(term)` gives (label, term) pairs; silent
steps have the label None. The rules are those of docs/semantics.md in words: errors go to the innermost scope that
catches them; an error that leaves a way of a parallel stops the other ways first, each of which may go on until then.
"""

from __future__ import annotations

from placet.ir import model as ir

DONE = ("done",)  # goes on behind
DEAD = ("dead",)  # reached an end of the process: goes on nowhere, and cannot be stopped
GONE = ("gone",)  # was stopped


def steps(term):
    match term:
        case ir.Task():
            return [(term.id, DONE), *((f"{term.id}#{e}", ("error", e)) for e in term.errors)]
        case ir.Receive() | ir.Timer():
            return [(term.id, DONE)]
        case ir.Raise():
            return [(None, ("error", term.error))]
        case ir.End():
            return [(term.id, DEAD)]
        case ir.Sequence():
            return [(None, ("then", term.parts[0], term.parts[1:]) if term.parts else DONE)]
        case ir.Choice():
            return [(None, way.body) for way in term.ways]
        case ir.Race():
            return [(trigger.id, body) for trigger, body in term.ways]
        case ir.Parallel():
            return [(None, ("ways", tuple(way.body for way in term.ways)))]
        case ir.Loop():
            skip = [(None, DONE)] if term.test == "before" else []
            return [*skip, (None, ("loop", term.body, term, 1))]
        case ir.Scope():
            return [(None, ("scope", term.body, term))]
        case ("then", inner, rest):
            return [(label, _then(after, rest)) for label, after in steps(inner)]
        case ("loop", inner, loop, number):
            if inner == DONE:
                found = [(None, ("loop", loop.body, loop, number if loop.at_most is None else number + 1))]
                if loop.at_most is not None and number >= loop.at_most:
                    found = []
                if loop.test != "never" or (loop.at_most is not None and number == loop.at_most):
                    found.append((None, DONE))
                return found
            return [(label, _wrap(after, lambda a: ("loop", a, loop, number), DONE)) for label, after in steps(inner)]
        case ("scope", inner, scope):
            return [(label, _caught(after, scope)) for label, after in steps(inner)]
        case ("ways", ways):
            return _ways(ways)
        case ("stop", error, ways):
            return _stopping(error, ways)
    return []


def _wrap(after, build, done=None):
    if after == GONE or after[:1] == ("error",):
        return after
    if after == DONE and done is None:
        return DONE
    return build(after)


def _then(after, rest):
    if after == DONE:
        return ("then", rest[0], rest[1:]) if rest else DONE
    return _wrap(after, lambda a: ("then", a, rest))


def _caught(after, scope):
    if after[:1] == ("error",) and not isinstance(after, ir.Raise):
        for handler in scope.handlers:
            if handler.name in (after[1], "*"):
                return handler.body
        return after
    return _wrap(after, lambda a: ("scope", a, scope))


def _ways(ways):
    if all(way == DONE for way in ways):
        return [(None, DONE)]
    found = []
    for i, way in enumerate(ways):
        for label, after in steps(way):
            if after[:1] == ("error",):
                found.append((label, ("stop", after[1], (*ways[:i], GONE, *ways[i + 1 :]))))
            else:
                found.append((label, ("ways", (*ways[:i], after, *ways[i + 1 :]))))
    return found


def _stopping(error, ways):
    if all(way == GONE for way in ways):
        return [(None, GONE if error is None else ("error", error))]
    found = []
    for i, way in enumerate(ways):
        if way == GONE:
            continue
        for label, after in steps(way):
            if after[:1] != ("error",):
                found.append((label, ("stop", error, (*ways[:i], after, *ways[i + 1 :]))))
        stopped = _stopped(way)
        if stopped is not None:
            found.append((None, ("stop", error, (*ways[:i], stopped, *ways[i + 1 :]))))
    return found


def _stopped(term):
    """The term after it was told to stop, or None where that has to wait."""
    match term:
        case ("dead",) | ("stop", _, _):
            return None
        case ("ways", ways):
            return ("stop", None, ways)
        case ("then", inner, rest):
            inner = _stopped(inner)
            return inner if inner in (None, GONE) else ("then", inner, rest)
        case ("loop", inner, loop, number):
            inner = _stopped(inner)
            return inner if inner in (None, GONE) else ("loop", inner, loop, number)
        case ("scope", inner, scope):
            inner = _stopped(inner)
            return inner if inner in (None, GONE) else ("scope", inner, scope)
    return GONE


def runs(process):
    """Labels and successors of the whole process, the fall-through end included."""

    def successors(term):
        if term == DONE:
            return [(f"{process.id}#ends.completed", DEAD)]
        if term[:1] == ("error",):
            return []
        return steps(term)

    return process.body, successors
