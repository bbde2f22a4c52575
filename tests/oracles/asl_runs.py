"""What a state machine of AWS does, by rules on its definition as plain dictionaries: no net, no place, no class of errors.

`runs(definition)` is a system of (initial, successors) as oracles.traces compares them. A label is a tuple of the kind of
event, the state, the scope and what tells it from others; errors go by their own names. Two items of a Map at most.
"""

from __future__ import annotations

DONE, GONE = ("done",), ("gone",)
NAMES = ("A", "B", "States.TaskFailed", "States.DataLimitExceeded", "Unheard")
BAD = ("States.Runtime", "States.ParameterPathFailure", "States.IntrinsicFailure")


def takes(listed, error):
    """The table of the documentation (and, for DataLimitExceeded, of recorded executions), row by row."""
    if error == "States.Runtime":
        return False
    if error in listed or "States.ALL" in listed:
        return True
    if "States.TaskFailed" in listed:
        return error not in ("States.Timeout", "States.DataLimitExceeded")
    return False


def runs(definition):
    def successors(term):
        found = []
        for label, after in steps(term):
            last = "execution_succeeded" if after == DONE else "execution_failed" if after[0] == "error" else ""
            found.append((label, ("end", last) if last else after))
        return found

    machines = {}
    around = {}  # names of errors that are told apart outside

    def of(machine, names=frozenset()):
        machines[id(machine)] = machine
        around.setdefault(id(machine), names)
        return id(machine)

    def named(m, state):
        entries = (*state.get("Retry", ()), *state.get("Catch", ()))
        return around[m].union(*(entry["ErrorEquals"] for entry in entries))

    def begin(machine, scope):
        return ("at", of(machine), scope, machine["StartAt"])

    def onward(m, scope, state):
        return DONE if "Next" not in state else ("at", m, scope, state["Next"])

    def failing(m, scope, name, used, error):
        """What follows an error: an attempt more, a catcher, or further out. The first is seen, the last only at once."""
        state = machines[m]["States"][name]
        for i, retrier in enumerate(state.get("Retry", ())):
            if takes(retrier["ErrorEquals"], error):
                if used[i] < retrier.get("MaxAttempts", 3):
                    more = (*used[:i], used[i] + 1, *used[i + 1 :])
                    return ("then", ("retried", name, scope), ("in", m, scope, name, more))
                break
        else:
            i = -1
        for j, catcher in enumerate(state.get("Catch", ())):
            if takes(catcher["ErrorEquals"], error):
                return ("then", ("caught", name, scope, f"Catch[{j}]"), ("at", m, scope, catcher["Next"]))
        return ("then", None, ("error", error)) if i >= 0 else ("error", error)

    def steps(term):
        kind = term[0]
        if kind == "end":
            return [((term[1],), GONE)]
        if kind == "then":
            return [(term[1], term[2])]
        if kind == "at":
            _, m, scope, name = term
            used = (0,) * len(machines[m]["States"][name].get("Retry", ()))
            return [(("entered", name, scope), ("in", m, scope, name, used))]
        if kind == "leaving":
            _, m, scope, name = term
            return [(("exited", name, scope), onward(m, scope, machines[m]["States"][name]))]
        if kind == "in":
            return inside(*term[1:])
        if kind == "working":
            return working(*term[1:])
        if kind == "ways":
            return together(*term[1:])
        if kind == "stopping":
            return stopping(*term[1:])
        if kind == "item":
            _, machine, scope, name, outer = term
            label = ("iteration_started", name, scope)
            return [(label, ("within", begin(machines[machine], scope), name, scope))]
        if kind == "within":
            _, inner, name, scope = term
            if inner == DONE:
                return [(("iteration_succeeded", name, scope), DONE)]
            return [
                (label, after if after[0] == "error" else ("within", after, name, scope))
                for label, after in steps(inner)
            ]
        return []

    def bad(m, scope, name, used):
        return [(("bad_data", name, scope, e), failing(m, scope, name, used, e)) for e in BAD]

    def inside(m, scope, name, used):
        state = machines[m]["States"][name]
        match state["Type"]:
            case "Pass" | "Succeed" | "Wait":
                return [(("exited", name, scope), onward(m, scope, state) if state["Type"] != "Succeed" else DONE)]
            case "Fail":
                return [(("raised", name, scope, state["Error"]), ("error", state["Error"]))]
            case "Choice":
                ways = [(f"Choices[{i}]", rule["Next"]) for i, rule in enumerate(state["Choices"])]
                ways += [("Default", state["Default"])] if "Default" in state else []
                found = [(("exited", name, scope, via), ("at", m, scope, to)) for via, to in ways]
                none = [] if "Default" in state else [(("no_choice", name, scope), ("error", "States.NoChoiceMatched"))]
                return found + none + bad(m, scope, name, used)
            case "Task":
                return [(("scheduled", name, scope), ("working", m, scope, name, used))]
            case "Parallel":
                for branch in state["Branches"]:
                    of(branch, named(m, state))
                ways = tuple(begin(b, (*scope, f"{name}/branch:{i}")) for i, b in enumerate(state["Branches"]))
                return [(("started", name, scope, -1), ("ways", m, scope, name, used, ways))]
        found = bad(m, scope, name, used)
        for count in (0, 1, 2):
            scopes = [(*scope, f"{name}/iter:{i}") for i in range(count)]
            items = tuple(("item", of(state["ItemProcessor"], named(m, state)), s, name, scope) for s in scopes)
            ahead = ("then", ("started", name, scope, count), ("ways", m, scope, name, used, items))
            found.append((None, ahead))
        return found

    def working(m, scope, name, used):
        state = machines[m]["States"][name]
        found = [(("succeeded", name, scope), ("leaving", m, scope, name))]
        found += [(("failed", name, scope, e), failing(m, scope, name, used, e)) for e in NAMES]
        if "TimeoutSeconds" in state or "States.Timeout" in named(m, state):
            e = "States.Timeout"
            found.append((("timed_out", name, scope, e), failing(m, scope, name, used, e)))
        return found

    def together(m, scope, name, used, ways):
        found = []
        for i, way in enumerate(ways):
            for label, after in steps(way):
                if after[0] == "error":
                    rest = tuple(GONE if j == i else other for j, other in enumerate(ways))
                    found.append((label, ("stopping", m, scope, name, used, rest, after[1])))
                else:
                    found.append((label, ("ways", m, scope, name, used, (*ways[:i], after, *ways[i + 1 :]))))
        if all(way == DONE for way in ways):
            found.append((("children_succeeded", name, scope), ("leaving", m, scope, name)))
        return found

    def stopping(m, scope, name, used, ways, error):
        """The others go on until the stop finds them; an error of theirs comes too late."""
        found = []
        for i, way in enumerate(ways):
            if way != GONE:
                found.append((None, ("stopping", m, scope, name, used, (*ways[:i], GONE, *ways[i + 1 :]), error)))
                for label, after in steps(way):
                    if after[0] != "error":
                        rest = (*ways[:i], after, *ways[i + 1 :])
                        found.append((label, ("stopping", m, scope, name, used, rest, error)))
        if all(way == GONE for way in ways):
            found.append((("children_failed", name, scope), failing(m, scope, name, used, error)))
        return found

    return begin(definition, ()), successors
