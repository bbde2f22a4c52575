"""Small ways to break a saga that is covered: each must lose an obligation, or be shown to change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from placet.compile.vocabulary import statements
from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Mutant(NamedTuple):
    """A model with one change, and its name."""

    name: str
    model: ir.Model


def rewrite(value: Any, change: Callable[[Any], Any]) -> Any:
    """Replace parts of a tree, outermost first; `change` gives None to leave one as it is."""
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            new = change(value)
            if new is not None:
                return new
            return type(value)(*(rewrite(v, change) for v in value))
        return tuple(rewrite(v, change) for v in value)
    return value


def mutants(model: ir.Model) -> Iterator[Mutant]:
    """Every single change of the kinds that teams make by mistake."""
    for n, process in enumerate(model.processes):
        found = list(statements(process.body))

        def with_(change: Callable[[Any], Any], n: int = n) -> ir.Model:
            body = rewrite(model.processes[n].body, change)
            return model._replace(
                processes=(*model.processes[:n], model.processes[n]._replace(body=body), *model.processes[n + 1 :])
            )

        steps = [s for s in found if isinstance(s, ir.Step)]
        for s in steps:

            def one(new: ir.Step, s: ir.Step = s) -> Callable[[Any], Any]:
                return lambda v: new if isinstance(v, ir.Step) and v.id == s.id else None

            if s.undo is not None:
                yield Mutant(f"drop the undo of {s.name}", with_(one(s._replace(undo=None))))
            if s.timeout is not None:
                yield Mutant(f"widen the time-out of {s.name} for ever", with_(one(s._replace(timeout=None))))
            for guarantee in sorted(s.guarantees):
                yield Mutant(
                    f"drop {guarantee} of {s.name}", with_(one(s._replace(guarantees=s.guarantees - {guarantee})))
                )
        for scope in [s for s in found if isinstance(s, ir.Scope) and s.handlers]:
            for h in scope.handlers:
                kept = tuple(x for x in scope.handlers if x != h)
                yield Mutant(
                    f"drop the catch {h.name}",
                    with_(
                        lambda v, scope=scope, kept=kept: (
                            v._replace(handlers=kept) if isinstance(v, ir.Scope) and v.id == scope.id else None
                        )
                    ),
                )
        for fork in [s for s in found if isinstance(s, ir.Parallel)]:
            policy = process.policy._replace(siblings="abandon")
            changed = (*model.processes[:n], process._replace(policy=policy), *model.processes[n + 1 :])
            yield Mutant(f"drop the join of {fork.id}", model._replace(processes=changed))
        with_undo = [s for s in steps if s.undo is not None]
        for a, b in zip(with_undo, with_undo[1:], strict=False):

            def swap(v: Any, a: ir.Step = a, b: ir.Step = b) -> Any:
                if isinstance(v, ir.Step) and v.id == a.id:
                    return v._replace(service=b.service, guarantees=b.guarantees, undo=None)
                return None

            yield Mutant(f"swap: {a.name} goes to {b.service}, which has no undo for it", with_(swap))
