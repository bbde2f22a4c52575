"""Steps of a saga: their options, what they and their service guarantee, the errors they tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from placet.compile.findings import listed
from placet.compile.options import GUARANTEES, STEP_OPTIONS, number, understood
from placet.compile.profiles import MOST_RETRIES
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from placet.compile.declarations import Declarations
    from placet.compile.findings import Findings
    from placet.compile.options import Operand

ACTIONS = ("reject", "unknown", "escalate", "halt")
AFTER_TIMEOUT = ("unknown", "escalate", "halt")
DIRECTIONS = {"debit": -1, "credit": 1}


def key_of(
    good: dict[str, tuple[ast.Option, tuple[Operand, ...]]],
) -> tuple[str, Literal["run", "attempt"], float | None]:
    """The key that two runs may have in common, what has one of its own otherwise, and for how many seconds it is kept."""
    if "key" not in good:
        return "", "run", None
    operands = good["key"][1]
    name, *own = [o.text for o in operands if isinstance(o, ast.Name)]  # own: `per`, and what
    ttl = next((o.seconds for o in operands if isinstance(o, ast.Duration)), None)
    return ("" if own else name), ("attempt" if "attempt" in own else "run"), ttl


class Steps:
    """Resolves the steps of one process, in the order of the text, and remembers them for `after`."""

    def __init__(self, process: str, declared: Declarations, findings: Findings, *, together: bool = False) -> None:
        self._process = process
        self._declared = declared
        self._findings = findings
        self._known: dict[str, list[str]] = {}  # name -> ids
        self._foreign: list[tuple[str, str, str, ast.Option]] = []  # undos given something else than their step's reply
        self.instance = ""  # the numbers of the instances of `for each` around
        self._together = together  # undos start all at once, so that some may have to wait
        self._later: list[ast.Name] = []  # named by `undo_after`
        self._unknown: list[ast.Name] = []  # named by `after`, but not known when it was read

    def service(self, name: ast.Name | None) -> str:
        """The name of a service that is declared, or empty; others are reported."""
        if name is None:
            return ""
        self._declared.used.add(name.text)
        if name.text not in self._declared.services:
            known = self._declared.services
            help_ = self._findings.meant(name.text, known, f"declare it: `service {name.text}`")
            self._findings.add("P201", f"no service is called `{name.text}`", name.span, help=help_)
        return name.text

    def pool(self, name: ast.Name) -> int:
        """The size of a pool; one that is not declared is reported."""
        found = self._declared.pools.get(name.text)
        if found is None and name.text:
            help_ = self._findings.meant(name.text, self._declared.pools, f"declare it: `pool {name.text} 2`")
            self._findings.add("P292", f"no pool is called `{name.text}`", name.span, help=help_)
        return 1 if found is None else found

    def step(self, step: ast.Step, identifier: str) -> ir.Step:
        """One step."""
        effects = tuple([o for o in step.options if o.key.text == "effect"])  # the only option that may be repeated
        others = tuple([o for o in step.options if o.key.text != "effect"]) if effects else step.options
        good = understood(others, STEP_OPTIONS, "step", self._findings)
        service = self.service(step.service)
        guarantees = self._declared.guarantees.get(service, frozenset()).union(g for g in GUARANTEES if g in good)
        times = number(good["retry"][1], MOST_RETRIES, "retries", self._findings) if "retry" in good else 0
        pauses = [o.seconds for o in good["retry"][1] if isinstance(o, ast.Duration)] if "retry" in good else []
        pauses = pauses or [p.seconds for p in next((r.backoff for r in step.errors if r.backoff), ())]
        after = self._after(good["after"][1]) if "after" in good else ()
        timeout = good["timeout"][1][0] if "timeout" in good else None
        correlation = good["correlation"][1][0] if "correlation" in good else None
        self._known.setdefault(step.name.text, []).append(identifier)
        via = self._declared.kinds.get(service, "")
        if step.via is not None:
            from placet.compile.limits import call_kind

            via = call_kind(step.via, self._findings)
        errors = self._errors(step.errors)
        if via:
            from placet.compile.call_kinds import with_errors

            errors = with_errors(via, errors, times)
        key, per, ttl = key_of(good)
        return ir.Step(
            identifier,
            step.name.text + self.instance,
            service or self._process,
            undo=self._undo(step, *good["undo"]) if "undo" in good else None,
            retry=times,
            undo_after=self._undo_after(*good["undo_after"]) if "undo_after" in good else (),
            backoff=(pauses[0], max(pauses)) if pauses else None,
            timeout=timeout.seconds if isinstance(timeout, ast.Duration) else None,
            pivot="pivot" in good,
            retriable="retriable" in good,
            read_only="read_only" in good,
            guarantees=guarantees,
            errors=errors,
            after=after,
            span=step.span,
            key=key,
            per=per,
            ttl=ttl,
            via=via,  # type: ignore[arg-type] # one of CALL_KINDS
            limits=self._declared.limits.get(service),
            correlation=correlation.text if isinstance(correlation, ast.Name) else "attempt",  # type: ignore[arg-type] # it fits
            amounts=self.amounts(effects, read_only="read_only" in good),
        )

    def amounts(self, effects: tuple[ast.Option, ...], *, read_only: bool) -> tuple[ir.Amount, ...]:
        """What the step moves, by account; several effects on one account are one."""
        found: dict[str, int] = {}
        for effect in effects:
            match effect.operands:
                case (ast.Name(direction), ast.Name(account), ast.Number(amount)) if direction in DIRECTIONS:
                    if read_only:
                        message = "a step that is read_only moves nothing"
                        self._findings.add("P206", message, effect.span, help="remove the effect, or `read_only`")
                    elif not amount:
                        self._findings.add("P206", "an effect of 0 moves nothing", effect.span, help="remove it")
                    else:
                        found[account] = found.get(account, 0) + DIRECTIONS[direction] * amount
                case (ast.Name(direction), *_):
                    help_ = self._findings.meant(direction, DIRECTIONS, f"it is one of {listed(DIRECTIONS)}")
                    span = effect.operands[0].span
                    self._findings.add("P206", f"`{direction}` is no effect on an account", span, help=help_)
        return tuple([ir.Amount(account, by) for account, by in found.items() if by])

    def _undo(self, step: ast.Step, option: ast.Option, operands: tuple[Operand, ...]) -> ir.Undo:
        name, *rest = (o.text for o in operands if isinstance(o, ast.Name))
        whole = ("reply", f"{step.name.text}.reply")
        if rest and rest[0] not in whole and not rest[0].startswith(tuple(f"{reply}." for reply in whole)):
            self._foreign.append((step.name.text, name, rest[0], option))
        return ir.Undo(name + self.instance, "reply" if rest else "", option.span)

    def _after(self, operands: tuple[Operand, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for operand in operands:
            if isinstance(operand, ast.Name):
                ids = self._known.get(operand.text)
                if ids is None:
                    self._unknown.append(operand)
                near = [i for i in ids or () if self.instance and i.endswith(self.instance)]
                found += near or ids or ()
        return tuple(dict.fromkeys(found))

    def _undo_after(self, option: ast.Option, operands: tuple[Operand, ...]) -> tuple[str, ...]:
        """Names of steps, further up or down."""
        names = [o for o in operands if isinstance(o, ast.Name)]
        if not self._together:
            message = "this undo waits for its turn anyway: the undos of this saga come one after the other"
            help_ = "let them all start at once, and this one wait: `undo_order parallel`"
            self._findings.add("P206", message, option.span, help=help_)
            return ()
        self._later += names
        return tuple(dict.fromkeys(o.text for o in names))

    def _errors(self, rules: tuple[ast.ErrorRule, ...]) -> tuple[ir.ErrorRule, ...]:
        found: dict[str, ir.ErrorRule] = {}
        for rule in rules:
            name = rule.error.text
            action = rule.action.text if rule.action is not None else "reject"
            if name in found:
                message = f"the error `{name}` has a rule already"
                self._findings.add("P207", message, rule.error.span, help="keep one of them")
            elif rule.action is not None and action not in ACTIONS:
                help_ = self._findings.meant(action, ACTIONS, f"it is one of {listed(ACTIONS)}")
                self._findings.add("P206", f"`{action}` is nothing to do after an error", rule.action.span, help=help_)
            elif name == "timeout" and (rule.retry is not None or action not in AFTER_TIMEOUT):
                message = "a time-out tells nothing: it cannot be taken for a refusal"
                help_ = f"it is one of {listed(AFTER_TIMEOUT)}; `retry 3` in the step itself tries again"
                self._findings.add("P206", message, rule.span, help=help_)
            else:
                operands = (rule.retry,) if rule.retry is not None else ()
                retry = number(operands, MOST_RETRIES, "retries", self._findings) if operands else 0
                found[name] = ir.ErrorRule(name, retry, action)  # type: ignore[arg-type] # one of ACTIONS
        return tuple(found.values())

    def close(self) -> None:
        """Report what `after` and the undos could not find, once all steps are known."""
        for step, undo, given, option in self._foreign:
            of = given.removesuffix(".reply")
            if of != given and of not in self._known:
                message = f"`{undo}` is given the reply of `{of}`, and no step is called so"
                help_ = self._findings.meant(of, self._known, f"write `undo {undo}({step}.reply)`")
            else:
                message = f"an undo of `{step}` can be given only the reply of that step"
                help_ = f"write `undo {undo}({step}.reply)`"
            self._findings.add("P206", message, option.span, help=help_)
        for name in self._later:
            if name.text not in self._known:
                help_ = self._findings.meant(name.text, self._known, "`undo_after` names steps of the same saga")
                self._findings.add("P203", f"no step is called `{name.text}`", name.span, help=help_)
        for name in self._unknown:
            if name.text in self._known:
                message = f"step `{name.text}` does not come before this one"
                self._findings.add("P203", message, name.span, help="`after` names steps further up")
            else:
                help_ = self._findings.meant(name.text, self._known, "`after` names steps of the same saga")
                self._findings.add("P203", f"no step is called `{name.text}`", name.span, help=help_)
