"""What to do: a line where the run itself shows that it would help, and nothing where it does not.

Each rule looks at what happened in the run, not at the check alone; a rule that only might fit stays silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.saga_runs import FORGETS
from placet.logic.state import support
from placet.net.roles import Kind
from placet.report.advice_flow import for_machines, for_nets, for_workflows
from placet.report.advice_limits import for_limits
from placet.report.advice_order import for_order
from placet.report.reasons import is_stuck
from placet.report.run import effect_of, marked_ends
from placet.report.words import quoted, short
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.net.roles import Step
    from placet.report.run import Run


class _Happened(NamedTuple):
    """What happened to one saga step: (position in the run, kind, attempt) forward and back, and its faults."""

    forward: tuple[tuple[int, Kind, int], ...]
    undo: tuple[tuple[int, Kind, int], ...]
    faults: tuple[tuple[int, str], ...]
    said: str = ""  # how the last answer to it was called

    def last(self, kind: Kind, *, undo: bool = False) -> int:
        """Where it happened last; -1 where it did not."""
        return max((n for n, k, _ in (self.undo if undo else self.forward) if k is kind), default=-1)

    def count(self, kind: Kind, *, undo: bool = False) -> int:
        """How often it happened."""
        return sum(1 for _, k, _ in (self.undo if undo else self.forward) if k is kind)


def advice(run: Run) -> Iterator[str]:
    """Sentences that say what may be changed; often none."""
    if run.query.check == "conserved" and _completes(run):
        yield "let what the steps give and take add up to nothing when all of them are done: a fee needs an account too"
        return
    if run.compiled.roles.deliveries:
        from placet.report.messages import advice as of_messages

        hints = list(of_messages(run))
        if hints:
            yield from hints
            return
    if run.compiled.roles.steps:
        found = list(_for_sagas(run))
        if found or run.query.check == "conserved":
            yield from found
            return
    rules = {"net": for_nets, "machine": for_machines}.get(run.compiled.kind, for_workflows)
    flow = list(rules(run))
    yield from flow or list(for_limits(run)) or for_order(run)


def _completes(run: Run) -> bool:
    """Whether each step that is in effect is so because the run went on to its end: nothing was to be undone."""
    roles = run.compiled.roles.transitions
    return not any(roles[t].direction == "undo" or roles[t].kind is Kind.FAULT for t in run.fired)


def _for_sagas(run: Run) -> Iterator[str]:
    roles = run.compiled.roles.transitions
    if any(roles[t].retries == "spent" and roles[t].direction == "undo" for t in run.fired):
        yield "let the undos have retries of their own: `retry_budget forward` bounds those of the steps only"
    for step in run.compiled.roles.steps:
        effect = effect_of(run, step)
        happened = _happened(run, step)
        hint = _unanswered(run, step, happened)
        if hint:
            yield hint
        if not _is_asked(run, step):
            continue
        if effect > 0 and _applied_again(step, effect, happened):
            yield _recognise(step)
        elif effect > 0 and step.undo and _is_forgotten(run, happened):
            yield (
                f"let the next run know what {quoted(short(step.id))} did, so that it is undone with it: `continue_as_new carrying undo`"
            )
        elif effect > 0 and (_is_over(run) if _of_sagas(run) else _is_compensated(run, step)):
            imported = any(run.compiled.origin.transitions[t].event is not None for t in run.fired)
            yield from _left_in_effect(step, happened, _error(run, step), imported=imported)
        elif effect > 0 and _came_after_its_undo(happened) and "rejects_after_cancel" not in step.guarantees:
            yield _refuse(step)
        elif effect < 0 and "null_safe" not in step.guarantees:
            yield (
                f"let {quoted(step.service)} answer an undo of {quoted(short(step.id))} that finds nothing to undo, "
                "without doing anything (`null_safe`)"
            )


def _is_forgotten(run: Run, happened: _Happened) -> bool:
    """Whether its saga has continued as new after it, and has handed on no undos."""
    applied = happened.last(Kind.APPLY)
    later = run.fired[applied + 1 :] if applied >= 0 and not happened.undo else ()
    return any(run.compiled.origin.transitions[t].phrase.endswith(FORGETS) for t in later)


def _came_after_its_undo(happened: _Happened) -> bool:
    """Whether its request was carried out when its undo was over."""
    undone = max(happened.last(Kind.APPLY, undo=True), happened.last(Kind.IGNORE, undo=True))
    return 0 <= undone < happened.last(Kind.APPLY)


def _refuse(step: Step) -> str:
    return f"let {quoted(step.service)} refuse requests that arrive after their cancellation (`rejects_after_cancel`)"


def _recognise(step: Step) -> str:
    return (
        f"let {quoted(step.service)} recognise a request of {quoted(short(step.id))} that it has carried out "
        "before (`idempotent`)"
    )


def _applied_again(step: Step, effect: int, happened: _Happened) -> bool:
    """Its request was carried out more than once, and only so is it in effect too often, or still so after its undo."""
    undone_last = happened.last(Kind.APPLY) < happened.last(Kind.APPLY, undo=True)
    again = happened.count(Kind.APPLY) > 1 and (effect > 1 or undone_last)
    return again and "idempotent" not in step.guarantees


def _is_asked(run: Run, step: Step) -> bool:
    """Whether the check is about the effect of the step."""
    predicate = run.query.predicate
    if _of_sagas(run) or predicate is None:
        return _of_sagas(run)
    return run.width + step.effect in support(predicate)[0]


def _is_over(run: Run) -> bool:
    return bool(marked_ends(run.compiled, run.last))


def _is_compensated(run: Run, step: Step) -> bool:
    """Whether the saga of the step has reported in this run that it is compensated."""
    compiled = run.compiled
    return any(
        compiled.net.transitions[t].endswith("#ends.compensated")
        and short(compiled.origin.transitions[t].id) == short(step.saga)
        for t in run.fired
    )


def _of_sagas(run: Run) -> bool:
    """Whether the check is about what is left of a saga when it is over."""
    return run.query.check == "conserved" or run.query.check.startswith("anomaly")


def _happened(run: Run, step: Step) -> _Happened:
    forward: list[tuple[int, Kind, int]] = []
    undo: list[tuple[int, Kind, int]] = []
    faults: list[tuple[int, str]] = []
    said = ""
    for n, t in enumerate(run.fired):
        role = run.compiled.roles.transitions[t]
        if role.step != step.id:
            continue
        if role.kind is Kind.FAULT:
            faults.append((n, role.fault))
        if role.kind is Kind.REPLY and role.direction == "forward":
            said = role.says
        (undo if role.direction == "undo" else forward).append((n, role.kind, role.attempt))
    return _Happened(tuple(forward), tuple(undo), tuple(faults), said)


def _left_in_effect(step: Step, happened: _Happened, error: str, *, imported: bool) -> Iterator[str]:
    """Why a step is still in effect after the compensation, and the guarantee or policy that would have undone it."""
    name, service = quoted(short(step.id)), quoted(step.service)
    asked = happened.last(Kind.SEND, undo=True)
    if step.pivot and not step.undo and not imported:
        yield (
            f"do not take an error of {name} for a refusal: the point of no return may have been passed "
            f"(`errors {{ {error}: unknown }}`: it is then asked for again)"
        )
    elif not step.undo:
        yield f"give {name} an `undo`, or make it the point of no return (`pivot`) if it needs none"
    elif asked < 0 and happened.last(Kind.REPLY, undo=True) >= 0:
        yield f"try {quoted(step.undo)} until it is let through (`on undo_failure retry`): it was refused before {service} was asked"
    elif asked < 0 and (mistaken := _mistaken(happened.said)):
        yield f"{mistaken}: leave it out of the `errors` of {name}"
    elif _came_after_its_undo(happened):
        if "rejects_after_cancel" not in step.guarantees:
            yield _refuse(step)
    elif asked < 0 and happened.last(Kind.TIMER) >= 0 and happened.last(Kind.REPLY) < 0 and imported:
        yield f"let the `Catch` of {name} take the time-out too (`States.Timeout`), and lead to {quoted(step.undo)}"
    elif asked < 0 and happened.last(Kind.TIMER) >= 0 and happened.last(Kind.REPLY) < 0:
        yield (
            f"register the undo of {name} before its request goes out (`register before`), so that it also runs when "
            "the reply is late or lost"
        )
    elif imported:
        return
    elif asked >= 0 and happened.last(Kind.REFUSE, undo=True) > asked:
        yield f"repeat the undo of {name} when it fails, and call a person in the end (`on undo_failure retry 5 then escalate`)"


def _mistaken(error: str) -> str:
    """An error that was taken for a refusal, and says no such thing."""
    from placet.compile.call_kinds import CALL_KINDS

    if error and error in {kind.exists for kind in CALL_KINDS.values()}:
        return f"take {quoted(error)} for done, which it says"
    if any(error in kind.unclear for kind in CALL_KINDS.values()):
        return f"take {quoted(error)} for unknown, since it may come after the effect"
    return ""


def _error(run: Run, step: Step) -> str:
    """The name of the last error that the coordinator has heard of a step; `other` where it has none."""
    roles = [run.compiled.roles.transitions[t] for t in run.fired]
    heard = [r.says for r in roles if r.step == step.id and r.kind is Kind.REPLY and r.direction == "forward"]
    return heard[-1] if heard and heard[-1] not in ("", "rejected") else "other"


def _unanswered(run: Run, step: Step, happened: _Happened) -> str:
    """A lost message and no time-out: whoever waits for the reply waits for ever."""
    lost = {fault for _, fault in happened.faults if "lost" in fault}
    if not lost or not is_stuck(run):
        return ""
    waits = any(c.step == step.id and c.due < 0 for c in run.compiled.roles.channels)
    return (
        f"give {quoted(short(step.id))} a `timeout`: without one a lost message is waited for for ever" if waits else ""
    )
