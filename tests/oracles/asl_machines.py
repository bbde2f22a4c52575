"""Random small state machines: every type of state, nested once, with retriers and catchers."""

from __future__ import annotations

from hypothesis import strategies as st

ERRORS = (["A"], ["B"], ["A", "B"], ["States.ALL"], ["States.TaskFailed"], ["States.Timeout", "B"])


@st.composite
def machines(draw, depth=1, names="abc"):
    size = draw(st.integers(1, 3 if depth else 2))
    here = [f"{names[0]}{i}" for i in range(size)]
    states = {}
    for name in here:
        kinds = ["Pass", "Task", "Task", "Choice", "Fail", "Succeed"] + (["Parallel", "Map"] if depth else [])
        kind = draw(st.sampled_from(kinds))
        state = {"Type": kind}
        if kind == "Fail":
            state["Error"] = draw(st.sampled_from(["A", "B", "Unheard"]))
        elif kind == "Choice":
            count = draw(st.integers(1, 2))
            state["Choices"] = [
                {"Variable": f"$.v{r}", "BooleanEquals": True, "Next": draw(st.sampled_from(here))}
                for r in range(count)
            ]
            if draw(st.booleans()):
                state["Default"] = draw(st.sampled_from(here))
        elif kind != "Succeed":
            if draw(st.integers(0, 2)):
                state["End"] = True
            else:
                state["Next"] = draw(st.sampled_from(here))
        if kind == "Task":
            state["Resource"] = "arn:aws:states:::lambda:invoke"
            if draw(st.booleans()):
                state["TimeoutSeconds"] = 5
        if kind == "Parallel":
            state["Branches"] = [
                draw(machines(depth=depth - 1, names=names[1:])) for _ in range(draw(st.integers(1, 2)))
            ]
        if kind == "Map":
            state["ItemProcessor"] = draw(machines(depth=depth - 1, names=names[1:]))
        if kind in ("Task", "Parallel", "Map"):
            if draw(st.booleans()):
                state["Retry"] = [
                    {"ErrorEquals": e, "MaxAttempts": draw(st.integers(0, 2))}
                    for e in draw(st.lists(st.sampled_from(ERRORS), min_size=1, max_size=2))
                ]
            if draw(st.booleans()):
                state["Catch"] = [
                    {"ErrorEquals": e, "Next": draw(st.sampled_from(here))}
                    for e in draw(st.lists(st.sampled_from(ERRORS), min_size=1, max_size=2))
                ]
        states[name] = state
    return {"StartAt": here[0], "States": states}
