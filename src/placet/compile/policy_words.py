"""The choices of a saga in words: what a verdict about it rests on besides the promises of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.ir.model import Policy, Process

# the field of ir.Policy -> its values in words; what is left out there is not worth a word
_WORDS: dict[str, dict[str, str]] = {
    "register": {
        "before": "an undo is noted before its request",
        "after": "an undo is noted after the reply",
        "submit": "all undos are noted at the start",
        "log": "undos go by the log of the service",
    },
    "undo_failing": {
        "yes": "the step that failed is undone too",
        "no": "the step that failed is not undone",
        "unless_rejected": "the step that failed is undone unless it was refused",
    },
    "on_unknown": {
        "undo": "what did not answer is undone",
        "retry": "what did not answer is asked for until it does",
        "ask": "what did not answer is asked about",
        "ignore": "what did not answer is not undone",
    },
    "undo_order": {
        "reverse": "the last step is undone first",
        "parallel": "all undos start at once",
        "dependencies": "an undo waits for those of the steps that build on its step",
        "start": "the step asked for last is undone first",
        "completion": "the step done last is undone first",
        "registration": "the undo noted last runs first",
    },
}
_MORE: dict[str, dict[str, str]] = {
    "siblings": {"cancel": "other branches are cancelled", "abandon": "other branches are left alone"},
    "cancellation": {"unmasked": "being cancelled stops the undos"},
    "children": {"await": "called sagas are awaited when it is cancelled"},
    "deadline": {
        "undo": "it turns back when it takes too long",
        "forward": "it goes on when it takes too long",
        "escalate": "a person is called when it takes too long",
    },
    "recovery": {"undo": "it turns back after a crash", "forget": "nobody remembers it after a crash"},
}
_FAILED = {
    "retry": "for ever",
    "halt": "then the saga stops",
    "continue": "then it goes on",
    "escalate": "then a person is called",
}


def choices(process: Process) -> str:
    """`trip (temporal-go): an undo is noted after the reply, ...`."""
    policy = process.policy
    words = [meanings[getattr(policy, field)] for field, meanings in _WORDS.items()]
    if policy.on_unknown == "undo" and (policy.register == "after" or policy.undo_failing == "no"):
        words[2] = _WORDS["on_unknown"]["ignore"]
    words.append(_undo_failure(policy))
    words += [meanings[value] for field, meanings in _MORE.items() if (value := getattr(policy, field)) in meanings]
    if policy.retry_budget is not None:
        whose = "steps and undos" if policy.retry_budget_of == "shared" else "steps"
        count = policy.retry_budget
        words.append(f"its {whose} have {count} {'retry' if count == 1 else 'retries'} in all")
    name = process.id.rpartition("/")[2]
    profile = "" if policy.profile == "default" else f" ({policy.profile})"
    return f"{name}{profile}: {', '.join(words)}"


def _undo_failure(policy: Policy) -> str:
    then = _FAILED[policy.undo_failure]
    if policy.undo_failure == "retry" and policy.undo_retries is None:
        return f"an undo that fails is tried again {then}"
    times = policy.undo_retries or 0
    tried = f"tried {times} more {'time' if times == 1 else 'times'}, " if times else ""
    return f"an undo that fails is {tried}{then}" if tried else f"when an undo fails, {then.removeprefix('then ')}"
