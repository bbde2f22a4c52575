"""What recorded executions of a definition have exercised of its compensation, which its sidecar tells."""

from __future__ import annotations

import json

from placet.cli.__main__ import main


def task(name, **more):
    return {"Type": "Task", "Resource": f"arn:aws:lambda:r:1:function:{name}", **more}


MACHINE = {
    "StartAt": "Reserve",
    "States": {
        "Reserve": task("Reserve", Catch=[{"ErrorEquals": ["SoldOut"], "Next": "Release"}], Next="Tell"),
        "Tell": task("Tell", Next="Pay"),
        "Pay": task("Pay", Catch=[{"ErrorEquals": ["Declined"], "Next": "Release"}], End=True),
        "Release": task("Release", Next="Off"),
        "Off": {"Type": "Fail", "Error": "Off"},
    },
}
SIDECAR = """
service stock { idempotent; null_safe; rejects_after_cancel }
service pay
annotate "o.asl.json" {
  Reserve on stock undone by Release
  Pay on pay { pivot }
  end Off compensated
}
"""


def history(*attempts, end):
    """The events of tasks that succeed or fail with an error one after the other."""
    events = []

    def add(kind, base="", **details):
        found = {"id": len(events) + 1, "previousEventId": len(events), "type": kind}
        events.append({**found, **({f"{base}EventDetails": details} if details else {})})

    add("ExecutionStarted")
    for name, error in attempts:
        add("TaskStateEntered", "stateEntered", name=name)
        add("LambdaFunctionScheduled")
        add("LambdaFunctionStarted")
        if error:
            add("LambdaFunctionFailed", "lambdaFunctionFailed", error=error)
        else:
            add("LambdaFunctionSucceeded")
        add("TaskStateExited", "stateExited", name=name)
    if end == "ExecutionFailed":
        add("FailStateEntered", "stateEntered", name="Off")
        add(end, "executionFailed", error="Off")
    else:
        add(end)
    return json.dumps({"events": events})


def test_what_runs_have_exercised(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o.asl.json").write_text(json.dumps(MACHINE), encoding="utf-8")
    (tmp_path / "o.placet").write_text(SIDECAR, encoding="utf-8")
    declined = [("Reserve", ""), ("Tell", ""), ("Pay", "Declined"), ("Release", "")]
    runs = {
        "good.json": history(*declined[:2], ("Pay", ""), end="ExecutionSucceeded"),
        "declined.json": history(*declined, end="ExecutionFailed"),
        "other.json": history(*declined[:3], end="ExecutionSucceeded"),  # not undone, and called a success
    }
    for name, text in runs.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def exercised(*logs):
        given = [part for log in logs for part in ("--log", log)]
        main(["coverage", "o.placet", "--faults", "reject", "--fault-budget", "1", *given, "--format", "json"])
        told = capsys.readouterr()
        return json.loads(told.out)["exercised"], told.err

    assert exercised("good.json") == (0, "")  # nothing was given up
    count, warned = exercised("good.json", "declined.json")
    assert count > 0
    assert not warned
    count, warned = exercised("other.json")
    assert count == 0
    assert "does not fit the model" in warned
