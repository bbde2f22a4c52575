"""Fault hypotheses: which kinds of faults are considered, and how many causes one run may have."""

from __future__ import annotations

from typing import Literal

from placet.errors import UsageError
from placet.values import NamedTuple

KINDS: dict[str, str] = {
    "reject": "the service refuses a request definitely, without effect",
    "partial": "the service carries a request out and answers with an error",
    "lost": "a request or its reply vanishes, or a message of a topic that promises no more",
    "slow": "the time-out fires while the request or its reply is still on its way",
    "undo-fail": "the service answers an undo with an error, without effect",
    "undo-slow": "the time-out of an undo fires while its request or reply is still on its way",
    "undo-lost": "the request of an undo, or its reply, vanishes",
    "duplicate": "a message is delivered twice: a request, an undo, a reply, or a message of a topic",
    "cancel": "the saga is cancelled while it runs, and has to undo what it did",
    "crash": "the coordinator, or a handler of messages, crashes and comes back; what it had not recorded as done it does again",
}
PLANNED: tuple[str, ...] = ()

Modes = Literal["transient", "permanent", "both"]


class Hypothesis(NamedTuple):
    """`faults` of KINDS, at most `budget` causes in a run.

    A transient cause hits one attempt, a permanent one all later numbered attempts of the call too. Only causes cost;
    what follows from one is free. With two `instances` another run of the same saga happens beside the one that is
    looked at, where their records have keys that both may use.
    """

    faults: tuple[str, ...]
    budget: int
    modes: Modes = "both"
    instances: int = 1


_ALL = ("reject", "partial", "lost", "slow", "undo-fail", "undo-slow", "duplicate", "cancel", "crash")
LEVELS: dict[str, Hypothesis] = {
    "L0": Hypothesis(("reject", "partial"), 1),
    "L1": Hypothesis(("reject", "partial", "lost", "slow"), 1),
    "L2": Hypothesis(("reject", "partial", "lost", "slow", "undo-fail", "undo-slow"), 2),
    "L3": Hypothesis(("reject", "partial", "lost", "slow", "undo-fail", "undo-slow", "duplicate"), 2),
    "L4": Hypothesis(_ALL, 2),
    "L5": Hypothesis(_ALL, 2, instances=2),
}

DEFAULT = Hypothesis(("reject", "lost", "slow"), 1)  # of `placet verify` on a saga
OF_MESSAGES = ("lost", "duplicate", "crash")  # what can befall a message of a topic
MESSAGES = Hypothesis(("reject", "lost", "slow", "duplicate", "crash"), 1)  # the same where there are topics
NONE = Hypothesis((), 0)


def level(name: str) -> Hypothesis:
    """The hypothesis of a level. Raises UsageError for one that is not known, or not yet."""
    found = LEVELS.get(name)
    if found is None:
        raise UsageError(f"`{name}` is no level; the levels are {', '.join(LEVELS)}")
    return found


def checked(hypothesis: Hypothesis) -> Hypothesis:
    """The hypothesis with each fault once, in the order of KINDS. Raises UsageError where it makes no sense."""
    for fault in hypothesis.faults:
        if fault not in KINDS:
            why = "is not supported yet" if fault in PLANNED else "is no kind of fault"
            raise UsageError(f"`{fault}` {why}; the kinds are {', '.join(KINDS)}")
    if not 0 <= hypothesis.budget <= 100:
        raise UsageError(f"a budget of {hypothesis.budget} faults; it must lie between 0 and 100")
    if hypothesis.modes not in ("transient", "permanent", "both"):
        raise UsageError(f"`{hypothesis.modes}` is no mode of faults; they are transient, permanent or both")
    if hypothesis.instances not in (1, 2):
        raise UsageError(f"{hypothesis.instances} runs at once; it can be one or two")
    return hypothesis._replace(faults=tuple(kind for kind in KINDS if kind in hypothesis.faults))
