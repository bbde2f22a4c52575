"""Random small sagas: every shape of body, every guarantee, every policy."""

from __future__ import annotations

from hypothesis import strategies as st

from placet.ir import model as ir

ENDS = ("completed", "compensated", "failed")
GUARANTEES = [
    frozenset(),
    frozenset(("idempotent",)),
    frozenset(("idempotent", "null_safe")),
    frozenset(("idempotent", "null_safe", "rejects_after_cancel")),
]


def step(name: str, **more) -> ir.Step:
    given = {"undo": ir.Undo(f"cancel_{name}"), "timeout": 10.0, **more}
    return ir.Step(f"b/{name}", name, f"{name}s", **given)


@st.composite
def steps(draw, name: str) -> ir.Step:
    """One step with random options."""
    kind = draw(st.sampled_from(["plain", "plain", "plain", "pivot", "retriable", "read_only", "no undo"]))
    return step(
        name,
        undo=None if kind in ("read_only", "no undo") else ir.Undo(f"cancel_{name}"),
        retry=draw(st.sampled_from([0, 0, 1])),
        timeout=draw(st.sampled_from([10.0, 10.0, None])),
        guarantees=draw(st.sampled_from(GUARANTEES)),
        pivot=kind == "pivot",
        retriable=kind == "retriable",
        read_only=kind == "read_only",
    )


@st.composite
def bodies(draw, most: int = 3) -> ir.Statement:
    """A body of at most `most` steps."""
    names = iter("abcdefgh")

    def statement(left: int) -> ir.Statement:
        if left <= 1:
            return draw(steps(next(names)))
        cut = draw(st.integers(1, left - 1))
        kind = draw(st.sampled_from(["sequence", "sequence", "parallel", "choice", "scope", "task"]))
        one, two = statement(cut), statement(left - cut)
        tag = one.id.replace("/", ".") + two.id.replace("/", ".")
        match kind:
            case "parallel":
                return ir.Parallel(f"b/{tag}", (ir.Way(f"b/{tag}[0]", None, one), ir.Way(f"b/{tag}[1]", None, two)))
            case "choice":
                return ir.Choice(f"b/{tag}", (ir.Way(f"b/{tag}[0]", None, one), ir.Way(f"b/{tag}[1]", None, two)))
            case "scope":
                return ir.Scope(f"b/{tag}", one, (ir.Handler(f"b/{tag}[on any]", "error", "*", two),))
            case "task":
                return ir.Sequence(f"b/{tag}", (one, ir.Task(f"b/{tag}t", "t", ("E",)), two))
        return ir.Sequence(f"b/{tag}", (one, two))

    return statement(draw(st.integers(1, most)))


POLICIES = st.builds(
    ir.Policy()._replace,
    register=st.sampled_from(["before", "after", "submit", "log"]),
    undo_failing=st.sampled_from(["yes", "no", "unless_rejected"]),
    on_unknown=st.sampled_from(["undo", "retry", "ignore"]),
    undo_order=st.sampled_from(["reverse", "parallel", "dependencies"]),
    undo_failure=st.sampled_from(["retry", "halt", "continue", "escalate"]),
    undo_retries=st.sampled_from([None, 0, 1]),
    siblings=st.sampled_from(["await", "cancel", "abandon"]),
    cancellation=st.sampled_from(["masked", "unmasked"]),
    children=st.sampled_from(["propagate", "await"]),
    deadline=st.sampled_from(["none", "none", "undo", "forward", "escalate"]),
    recovery=st.sampled_from(["resume", "undo", "forget"]),
)
SAGAS = st.builds(lambda body, policy: ir.Process("b", "saga", body, ENDS, policy), bodies(), POLICIES)
