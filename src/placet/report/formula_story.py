"""A violated formula about runs as a story: one run with its loop, or a tree where it takes several runs to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.evidence import Tree
from placet.report.about_runs import Words, advice, failed, headline, reasons, run_of, spine, told
from placet.report.report import Story
from placet.report.run import make_run

if TYPE_CHECKING:
    from placet.compiled import Compiled, Query
    from placet.evidence import Branch, Violated
    from placet.report.about_runs import Failed
    from placet.report.report import WitnessKind
    from placet.report.run import Run


def tell_formula(compiled: Compiled, query: Query, violated: Violated) -> Story:
    """The story of a violated `ctl` or `ltl`."""
    from placet.report.advice import advice as of_models

    run = make_run(compiled, query, violated, run_of(compiled, violated))
    witness = violated.witness
    branches = spine(witness.root)[2] if isinstance(witness, Tree) else ()
    hints = dict.fromkeys((*advice(run), *of_models(run)))
    return Story(
        _kind(run, branches),
        headline(run),
        run.steps,
        run.loop,
        run.turned,
        tuple(reasons(run)),
        tuple(hints),
        tuple(_branch(run, branch) for branch in branches),
    )


def _kind(run: Run, branches: tuple[Branch, ...]) -> WitnessKind:
    if branches:
        return "tree"
    if run.loop is not None:
        return "lasso"
    return "no_return" if _closed(failed(run)) else "reach"


def _closed(part: Failed) -> bool:
    return part.closed or any(_closed(p) for p in part.parts)


def _branch(run: Run, branch: Branch) -> Story:
    """One of several ways on: told as a run of its own, from the start."""
    witness = run.violated.witness
    if not isinstance(witness, Tree):
        raise TypeError("only a tree branches")
    before = len(spine(witness.root)[0])
    whole = Tree(branch._replace(trace=run.fired[:before] + branch.trace))
    violated = run.violated._replace(witness=whole)
    own = make_run(run.compiled, run.query, violated, run_of(run.compiled, violated))
    return Story(
        _kind(own, spine(whole.root)[2]),
        f"this is false there: {Words(own).say(branch.formula)}",
        own.steps,
        own.loop,
        own.turned,
        tuple(told(own, branch, before)),
        (),
        tuple(_branch(own, one) for one in spine(branch)[2]),
    )
