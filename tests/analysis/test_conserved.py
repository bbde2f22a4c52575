"""Conservation of amounts: by its definition on random sagas, with reductions and without; the shortest loss; proofs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placet.analysis.balance import Counted, balanced_at_ends
from placet.analysis.strategy import Options, decide
from placet.evidence import Budget, Holds, Inconclusive, NoReturn, Violated
from placet.faults.weave import Hypothesis, weave
from placet.net.firing import enabled, fire
from placet.net.roles import Kind
from placet.pipeline import compile_source, verify
from placet.source import SourceFile

FAULTS = Hypothesis(("reject", "lost", "slow"), 1)


def woven(text: str, hypothesis: Hypothesis = FAULTS):
    loaded = compile_source(SourceFile("x.placet", text))
    assert not loaded.broken, loaded.diagnostics
    return weave(loaded.compiled[0], hypothesis).compiled


# -- the definition --------------------------------------------------------------------------------------------------


def loses(compiled, amounts: dict[str, int]) -> bool:
    """Some settled situation is out of balance: one end, and without faults no effect and no outcome ever changes again.

    `amounts` by the name of a step: what carrying it out gives to all accounts together.
    """
    net, roles = compiled.net, compiled.roles.transitions
    ends = compiled.final.ends
    by = {}
    for t, role in enumerate(roles):
        if role.kind is Kind.APPLY or role.fault == "partial":
            by[t] = amounts.get(role.step.rpartition("/")[2], 0) * (-1 if role.direction == "undo" else 1)
    start = (compiled.initial, 0)
    after: dict = {}
    queue = [start]
    for marking, total in queue:
        out = after[marking, total] = []
        for t in enabled(net, marking):
            target = (fire(net, marking, t), total + by.get(t, 0))
            out.append((t, target))
            if target not in after:
                after[target] = None
                queue.append(target)

    def settled(state) -> bool:
        if sum(state[0][p] for p in ends) != 1:
            return False
        seen, todo = {state}, [state]
        for at in todo:
            for t, target in after[at]:
                if roles[t].kind is Kind.FAULT:
                    continue
                changes = any(target[0][p] != at[0][p] for p in ends)
                if roles[t].kind is Kind.APPLY or changes:
                    return False
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return True

    return any(state[1] and settled(state) for state in list(after))


@st.composite
def sagas(draw) -> tuple[str, dict[str, int]]:
    parts: list[str] = []
    amounts: dict[str, int] = {}
    for n in range(draw(st.integers(1, 2))):
        options = draw(st.sampled_from([[f"undo u{n}"], [f"undo u{n}"], [f"undo u{n}"], []])) + ["timeout 5s"]
        options += draw(st.sampled_from([[], [], ["retry 1"], ["pivot"], ["retriable"]]))
        for account in "xy":
            by = draw(st.sampled_from([0, 0, 1, -1, 2, -2]))
            if by:
                options.append(f"effect {'credit' if by > 0 else 'debit'}({account}, {100 * abs(by)})")
                amounts[f"a{n}"] = amounts.get(f"a{n}", 0) + 100 * by
        parts.append(f"step a{n} on s {{ {'; '.join(options)} }}")
    amounts.setdefault("a0", 0)
    if "effect" not in parts[0]:
        parts[0] = parts[0].replace(" }", "; effect debit(x, 300) }")
        amounts["a0"] = -300
    if len(parts) == 2 and draw(st.booleans()):
        parts = [f"parallel {{ {' '.join(parts)} }}"]
    policies = [
        draw(st.sampled_from(["", "", "register after"])),
        draw(st.sampled_from(["", "failing_step keep", "failing_step undo"])),
        draw(st.sampled_from(["", "siblings abandon"])),
    ]
    guarantees = draw(st.sampled_from(["idempotent; null_safe; rejects_after_cancel", "idempotent; null_safe", ""]))
    text = f"service s {{ {guarantees} }} saga p {{ {' '.join([*parts, *policies])} }} check conserved(p)"
    return text, amounts


@settings(max_examples=120, deadline=None)
@given(sagas(), st.sampled_from([("reject", "lost", "slow"), ("reject", "partial"), ("slow",), ()]))
def test_by_definition(saga, faults) -> None:
    text, amounts = saga
    compiled = woven(text, Hypothesis(faults, 1))
    expected = loses(compiled, amounts)
    for reduce in (False, True):
        (answer,) = decide(compiled, compiled.queries, Options(reduce=reduce))
        assert isinstance(answer.verdict, Violated if expected else Holds), (text, faults)


@settings(max_examples=60, deadline=None)
@given(sagas())
def test_the_reduced_net_alone(saga) -> None:
    from placet.analysis import strategy

    text, amounts = saga
    compiled = woven(text)
    before = strategy.FIRST_PLACES
    strategy.FIRST_PLACES = 0
    try:
        (answer,) = decide(compiled, compiled.queries)
    finally:
        strategy.FIRST_PLACES = before
    assert isinstance(answer.verdict, Violated if loses(compiled, amounts) else Holds), text


@settings(max_examples=150, deadline=None)
@given(sagas(), st.sampled_from([("reject",), ("reject", "undo-fail"), ("reject", "partial"), ("slow",), ()]))
def test_what_invariants_show_is_so_at_every_end(saga, faults) -> None:
    text, amounts = saga
    compiled = woven(text, Hypothesis(faults, 1))
    change = changes(compiled, amounts)
    shown = balanced_at_ends(Counted(compiled.net, compiled.initial, compiled.final.ends, change))
    unbalanced = any(total and sum(m[p] for p in compiled.final.ends) == 1 for m, total in situations(compiled, change))
    if shown:
        assert not unbalanced, text
        assert not loses(compiled, amounts), text


def changes(compiled, amounts) -> dict[int, int]:
    found = {}
    for t, role in enumerate(compiled.roles.transitions):
        if role.kind is Kind.APPLY or role.fault == "partial":
            found[t] = amounts.get(role.step.rpartition("/")[2], 0) * (-1 if role.direction == "undo" else 1)
    return found


def situations(compiled, change):
    start = (compiled.initial, 0)
    seen, queue = {start}, [start]
    for marking, total in queue:
        for t in enabled(compiled.net, marking):
            target = (fire(compiled.net, marking, t), total + change.get(t, 0))
            if target not in seen:
                seen.add(target)
                queue.append(target)
    return queue


def many(count: int, amounts: list[int], faults: str) -> str:
    steps = [
        f"step a{n} on s {{ undo u{n}; timeout 5s; effect {'credit' if by > 0 else 'debit'}(x{n}, {abs(by)}) }}"
        for n, by in zip(range(count), amounts, strict=True)
    ]
    return (
        f"service s {{ idempotent; null_safe; rejects_after_cancel }} saga p {{ parallel {{ {' '.join(steps)} }} }}"
        f"check conserved(p) under {{ {faults} }} at_most 1"
    )


@pytest.mark.parametrize("first_places", [2_000, 0])  # with 0 the net is reduced first
def test_an_invariant_shows_what_no_search_could(first_places, monkeypatch) -> None:
    from placet.analysis import strategy

    monkeypatch.setattr(strategy, "FIRST_PLACES", first_places)
    compiled = woven(many(8, [5, -5, 7, -3, -2, -2, 4, -4], "reject"), Hypothesis(("reject",), 1))
    (answer,) = decide(compiled, compiled.queries, Options(budget=Budget(states=300)))
    assert isinstance(answer.verdict, Holds)
    assert answer.verdict.proof.engine == "invariants"
    wrong = woven(many(8, [5, -5, 7, -3, -2, -1, 4, -4], "reject"), Hypothesis(("reject",), 1))
    (answer,) = decide(wrong, wrong.queries, Options(budget=Budget(states=300)))
    assert isinstance(answer.verdict, Inconclusive)


def test_a_loss_that_no_run_escapes_is_shown_up_to_where_nothing_is_done_any_more() -> None:
    compiled = woven(
        "saga p { step a { effect debit(x, 5) } step b { effect credit(y, 4) } } check conserved(p)", Hypothesis((), 0)
    )
    (answer,) = decide(compiled, compiled.queries)
    assert isinstance(answer.verdict, Violated)
    fired = [compiled.roles.transitions[t] for t in answer.verdict.witness.trace]
    assert [role.step.rpartition("/")[2] for role in fired if role.kind is Kind.APPLY] == ["a", "b"]


@pytest.mark.parametrize("guarantees", ["idempotent; null_safe; rejects_after_cancel", "idempotent; null_safe", ""])
@pytest.mark.parametrize("keyed", ["both", "first"])
@pytest.mark.parametrize("faults", [("reject",), ("lost",)])
def test_two_runs_under_one_key_are_counted_together(guarantees, keyed, faults) -> None:
    """What one run pays the other may give back: the sum is over both, and both have to come to rest."""
    text = f"""
    service s {{ {guarantees} }}
    saga p {{
      step a0 on s {{ undo u0; timeout 5s; key account; effect debit(x, 5) }}
      step a1 on s {{ undo u1; timeout 5s; {"key account;" if keyed == "both" else ""} effect credit(y, 5) }}
    }}
    check conserved(p)
    """
    compiled = woven(text, Hypothesis(faults, 1, instances=2))
    assert any("~2" in name for name in compiled.net.transitions)
    expected = loses(compiled, {"a0": -5, "a1": 5})
    (answer,) = decide(compiled, compiled.queries)
    assert isinstance(answer.verdict, Violated if expected else Holds)


# -- by hand ---------------------------------------------------------------------------------------------------------

BANKS = """
service source { idempotent; null_safe; BARRIER }
service target { idempotent; null_safe; BARRIER }
saga transfer {
  step withdraw on source { undo refund; timeout 10s; effect debit(alice, 100) }
  step deposit on target { undo take_back; timeout 10s; effect credit(bob, AMOUNT) }
}
check conserved(transfer) under { FAULTS } at_most 1
"""


def told(barrier: str = "rejects_after_cancel", amount: int = 100, faults: str = "reject, lost, slow"):
    text = BANKS.replace("BARRIER", barrier).replace("AMOUNT", str(amount)).replace("FAULTS", faults)
    ((entry,),) = [m.checks for m in verify(text).models]
    return entry


def test_a_transfer_with_barriers_conserves() -> None:
    entry = told()
    assert (entry.outcome, entry.message) == ("proved", "`transfer` neither makes nor loses anything")


def test_a_loss_is_told_with_its_amount_and_its_account() -> None:
    entry = told(barrier="")
    assert entry.message == "`transfer` ends as `compensated`, and 100 are lost: `alice` has 100 less than before"
    assert entry.story.why == ("`withdraw` takes 100 from `alice` in step 6, and nothing undoes it after that",)
    assert [step.fault for step in entry.story.steps if step.fault] == ["slow"]
    assert entry.story.advice == (
        "let `source` refuse requests that arrive after their cancellation (`rejects_after_cancel`)",
    )


def test_nothing_needs_to_fail_for_money_to_be_made() -> None:
    entry = told(amount=130, faults="")
    assert entry.message == (
        "`transfer` ends as `completed`, and 30 are made out of nothing: `alice` has 100 less than before and "
        "`bob` has 130 more than before"
    )
    (advice,) = entry.story.advice
    assert "add up to nothing" in advice


def test_requests_in_flight_are_waited_for() -> None:
    """The saga ends out of balance, with both requests on their way; they arrive, and then as much is given as taken."""
    text = """
    service s { idempotent }
    saga p {
      parallel { step take on s { timeout 5s; effect debit(a, 5) } step put on s { timeout 5s; effect credit(b, 5) } }
      siblings abandon
    }
    check conserved(p) under { slow } at_most 1
    check never(p.compensated and take.effect - put.effect != 0) under { slow } at_most 1
    """
    ((conserved, never),) = [m.checks for m in verify(text).models]
    assert (conserved.outcome, never.outcome) == ("proved", "violated")


def test_steps_that_balance_by_themselves_need_no_search() -> None:
    text = """
    saga p {
      step a { undo b; timeout 5s; effect debit(x, 7); effect credit(y, 7) }
      step c { undo d; timeout 5s; effect debit(y, 3); effect credit(z, 2); effect credit(x, 1) }
    }
    check conserved(p) under { reject, partial, lost, slow } at_most 2
    """
    (compiled,) = compile_source(SourceFile("x.placet", text)).compiled
    (answer,) = decide(compiled, compiled.queries, Options(budget=Budget(states=1)))
    assert isinstance(answer.verdict, Holds)
    assert (answer.verdict.proof.engine, answer.verdict.proof.states) == ("invariants", 0)
    assert answer.verdict.proof.argument == "every step gives as much as it takes"


def test_a_search_cut_short_proves_nothing() -> None:
    compiled = woven(BANKS.replace("BARRIER", "rejects_after_cancel").replace("AMOUNT", "100").replace("FAULTS", ""))
    (answer,) = decide(compiled, compiled.queries, Options(budget=Budget(states=10)))
    assert isinstance(answer.verdict, Inconclusive)


def test_the_witness_is_the_first_settled_situation() -> None:
    compiled = woven(BANKS.replace("BARRIER", "").replace("AMOUNT", "100").replace("FAULTS", "lost"), FAULTS)
    (answer,) = decide(compiled, compiled.queries)
    assert isinstance(answer.verdict, Violated)
    assert isinstance(answer.verdict.witness, NoReturn)
    assert answer.replayed is not None
    assert not answer.replayed.partly


ABANDONED = """
saga p {
  parallel {
    { step take { retriable; timeout 5s; effect debit(a, 5) } step put { retriable; timeout 5s; effect credit(b, 5) } }
    step c { timeout 5s }
  }
  siblings POLICY
}
check conserved(p)
"""


@pytest.mark.parametrize(("policy", "wanted"), [("abandon", Inconclusive), ("await", Holds)])
@pytest.mark.parametrize("reduce", [True, False])
def test_a_condition_that_may_never_hold_restores_nothing(policy, wanted, reduce) -> None:
    """The abandoned way gives back after the end: no proof where it may lean on conditions over data to do so."""
    compiled = woven(ABANDONED.replace("POLICY", policy), Hypothesis(("reject",), 1))
    (answer,) = decide(compiled, compiled.queries, Options(reduce=reduce))
    assert isinstance(answer.verdict, Holds)
    leaning = compiled._replace(assumptions=compiled.assumptions._replace(free_guards=("x > 1",)))
    (answer,) = decide(leaning, leaning.queries, Options(reduce=reduce))
    assert isinstance(answer.verdict, wanted)


def test_the_rounds_of_a_step_are_counted_and_told_apart() -> None:
    text = """
    service s { idempotent; null_safe }
    saga p {
      loop at_most 2 { step fee on s { undo refund; timeout 5s; effect debit(a, 1); effect credit(b, 1) } } until "paid"
      step take on s { timeout 5s; effect debit(a, 5) }
    }
    check conserved(p) under { } at_most 0
    """
    ((entry,),) = [m.checks for m in verify(text).models]
    assert entry.story.why[-1] == "`take` takes 5 from `a` in step 6, and nothing undoes it after that"
    assert all(
        why.startswith(("`fee[1]` takes 1 from `a` and gives 1 to `b` in step", "`take`")) for why in entry.story.why
    )
    assert (
        entry.message
        == "`p` ends as `completed`, and 5 are lost: `a` has 6 less than before and `b` has 1 more than before"
    )


def test_a_saga_that_never_ends_conserves_vacuously() -> None:
    text = "saga p { step a { timeout 5s; effect debit(x, 1) } loop { task t } } check conserved(p) under { } at_most 0"
    ((entry,),) = [m.checks for m in verify(text).models]
    assert (entry.outcome, entry.vacuous) == ("proved", "no run ever ends")


def test_a_workflow_around_a_saga_is_asked_too() -> None:
    text = """
    service s { idempotent; null_safe; rejects_after_cancel }
    saga pay {
      step take on s { undo give; timeout 5s; effect debit(a, 5) }
      step put on s { undo get; timeout 5s; effect credit(b, 5) }
    }
    workflow shop { call pay on compensated { end off } on failed { end broken } end sold }
    check conserved(shop) under { lost } at_most 1
    """
    ((entry,),) = [m.checks for m in verify(text).models]
    assert entry.outcome == "proved"


def test_a_saga_with_amounts_and_no_checks_is_asked_whether_it_conserves() -> None:
    text = BANKS.replace("BARRIER", "").replace("AMOUNT", "100").partition("check")[0]
    (model,) = verify(text).models
    assert [c.id for c in model.checks][-2:] == ["anomaly_A1", "conserved"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("saga p { step a { undo b; timeout 5s } } check conserved(p)", "says what it moves"),
        ("saga p { step a { effect debti(x, 1) } }", "no effect on an account"),
        ("saga p { step a { effect debit(x, 0) } }", "moves nothing"),
        ("saga p { step a { read_only; effect debit(x, 1) } }", "moves nothing"),
        ("workflow p { task a } check conserved(p)", "says what it moves"),
        ("net n { place a } check conserved(n)", "says what it moves"),
        ("check conserved()", "of what?"),
    ],
)
def test_diagnostics(text, words) -> None:
    loaded = compile_source(SourceFile("x.placet", text))
    (problem,) = [d for d in loaded.diagnostics if d.severity == "error"]
    assert words in problem.message
    if "debti" in text:
        assert problem.help == "did you mean `debit`?"
