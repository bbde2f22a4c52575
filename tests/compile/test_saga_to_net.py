"""Sagas as nets: every run enumerated, effects counted, against what SAGAS says that must come out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CHECKOUT
from oracles.sagas import settle
from placet.compile.workflow_to_net import process_to_net
from placet.faults.hypothesis import DEFAULT, LEVELS, Hypothesis
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.net.roles import Kind

SAFE = frozenset(("idempotent", "null_safe"))
BARRIER = SAFE | {"rejects_after_cancel"}
BARE = frozenset(("idempotent",))

DEFAULT_POLICY = ir.Policy()
TEMPORAL_GO = ir.Policy("temporal-go", "after", "no", undo_failure="continue", undo_retries=0)
TEMPORAL_JAVA = ir.Policy("temporal-java", "before", "yes")
DTM = ir.Policy("dtm", "before", "yes")

ENDS = ("completed", "compensated", "failed")
TRANSIENT = "transient"
PHI0 = Hypothesis(("reject",), 1, TRANSIENT)
PHI1 = Hypothesis(("reject", "lost", "slow"), 1, TRANSIENT)
PHI2 = Hypothesis(("reject", "lost", "slow", "undo-fail"), 2, TRANSIENT)
NONE = Hypothesis((), 0)


def step(name: str, guarantees=BARRIER, timeout: float | None = 10.0, undo: bool = True, **more) -> ir.Step:
    return ir.Step(
        f"b/{name}", name, f"{name}s", ir.Undo(f"cancel_{name}") if undo else None, timeout=timeout,
        guarantees=guarantees, **more,
    )  # fmt: skip


def seq(*parts: ir.Statement) -> ir.Sequence:
    return ir.Sequence("b", parts)


def par(*bodies: ir.Statement) -> ir.Parallel:
    return ir.Parallel("b/both", tuple(ir.Way(f"b/both[{i}]", None, b) for i, b in enumerate(bodies)))


def choice(*bodies: ir.Statement) -> ir.Choice:
    return ir.Choice("b/c", tuple(ir.Way(f"b/c[{i}]", None, b) for i, b in enumerate(bodies)))


def saga(body: ir.Statement, policy: ir.Policy = DEFAULT_POLICY, name: str = "b") -> ir.Process:
    return ir.Process(name, "saga", body, ENDS, policy)


def net_of(body, policy=DEFAULT_POLICY, faults=NONE, others=()):
    net, diagnostics = process_to_net(saga(body, policy), {p.id: p for p in others})
    assert not diagnostics
    return weave(net, faults).compiled


def settled(body, policy=DEFAULT_POLICY, faults=PHI1, others=()):
    found = settle(net_of(body, policy, faults, others))
    assert found.stuck is None, [found.net.origin.transitions[t].phrase for t in found.stuck]
    return found


def half_undone(found) -> set[tuple[int, ...]]:
    return {effects for effects in found.effects("compensated") if any(effects)}


# -- without faults --------------------------------------------------------------------------------------------------


def test_without_faults_a_saga_completes_with_every_effect_once() -> None:
    found = settled(seq(step("a"), par(step("b"), step("c")), step("d")), faults=NONE)
    assert set(found.ends) == {("completed", (1, 1, 1, 1))}


def test_abandoning_undoes_what_was_done() -> None:
    found = settled(seq(step("a"), step("b"), ir.Abandon("b/abandon", "nobody approved")), faults=NONE)
    assert set(found.ends) == {("compensated", (0, 0))}


def test_undos_run_in_reverse_order() -> None:
    found = settled(seq(step("a"), step("b"), ir.Abandon("b/abandon")), faults=NONE)
    story = found.story("compensated", (0, 0))
    assert story.index("`cancel_b` undoes `b` at `bs`") < story.index("`cancel_a` undoes `a` at `as`")


def test_a_failing_task_turns_a_saga_back() -> None:
    found = settled(seq(step("a"), ir.Task("b/t", "t", ("E",))), faults=NONE)
    assert set(found.ends) == {("completed", (1,)), ("compensated", (0,))}


# -- findings of SAGAS, section 5 ------------------------------------------------------------------------------------

BOOKING = [("car", SAFE), ("hotel", SAFE), ("flight", SAFE)]


def booking(guarantees) -> ir.Sequence:
    return seq(*(step(name, guarantees) for name in ("car", "hotel", "flight")))


@pytest.mark.parametrize("faults", [PHI0, PHI1], ids=["phi0", "phi1"])
@pytest.mark.parametrize("policy", [TEMPORAL_JAVA, DTM, DEFAULT_POLICY], ids=lambda p: p.profile)
def test_with_a_barrier_nothing_is_half_undone(policy, faults) -> None:
    assert half_undone(settled(booking(BARRIER), policy, faults)) == set()


def test_with_a_barrier_nothing_is_half_undone_when_undos_fail_too() -> None:
    assert half_undone(settled(seq(step("car"), step("hotel")), TEMPORAL_JAVA, PHI2)) == set()


def test_temporal_java_without_a_barrier_is_covered_while_only_refusals_happen() -> None:
    assert half_undone(settled(booking(SAFE), TEMPORAL_JAVA, PHI0)) == set()


def test_temporal_java_without_a_barrier_a_slow_request_is_applied_after_its_undo() -> None:
    found = settled(booking(SAFE), TEMPORAL_JAVA, PHI1)
    assert half_undone(found) == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    story = found.story("compensated", (1, 0, 0))
    order = ["the request for `car` is slow", "`cancel_car` finds nothing to undo", "`car` is applied at `cars`"]
    assert [s for s in story if s in order] == order


def go_sample() -> ir.Sequence:
    return seq(step("withdraw", SAFE), step("deposit", SAFE), step("third", SAFE))


def test_temporal_go_is_covered_while_only_refusals_happen() -> None:
    assert half_undone(settled(go_sample(), TEMPORAL_GO, PHI0)) == set()


def test_temporal_go_an_activity_that_times_out_was_applied_and_no_undo_is_registered() -> None:
    found = settled(go_sample(), TEMPORAL_GO, PHI1)
    assert half_undone(found) == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    story = found.story("compensated", (1, 0, 0))
    assert "`withdraw` is applied at `withdraws`" in story
    assert "`withdraw` times out waiting for `withdraws`" in story
    assert not any("cancel_withdraw" in phrase for phrase in story)


def test_temporal_go_swallows_an_undo_that_fails() -> None:
    found = settled(go_sample(), TEMPORAL_GO, Hypothesis(("reject", "undo-fail"), 2, TRANSIENT))
    assert half_undone(found) == {(1, 0, 0), (0, 1, 0)}
    assert "`cancel_withdraw` fails and nobody notices" in found.story("compensated", (1, 0, 0))


def test_dtm_without_a_barrier_undoes_a_transfer_that_was_refused() -> None:
    found = settled(seq(step("out", BARE), step("into", BARE)), DTM, PHI0)
    assert half_undone(found) == {(-1, 0), (0, -1)}
    assert "`cancel_into` runs at `intos` though `into` was never applied" in found.story("compensated", (0, -1))


def test_three_in_parallel_abandoned_leave_a_sibling_applied() -> None:
    body = par(step("a"), step("b"), step("c"))
    found = settled(body, ir.Policy(siblings="abandon"), PHI0)
    assert half_undone(found)
    assert half_undone(settled(body, ir.Policy(siblings="await"), PHI0)) == set()


def test_two_in_parallel_awaited_without_a_barrier_a_slow_sibling_is_lost() -> None:
    body = par(step("a", SAFE), step("b", SAFE))
    assert half_undone(settled(body, faults=PHI1)) == {(1, 0), (0, 1)}
    assert half_undone(settled(par(step("a"), step("b")), faults=PHI1)) == set()


# -- the call --------------------------------------------------------------------------------------------------------


def test_a_lost_reply_without_a_time_out_blocks_for_ever() -> None:
    found = settle(net_of(step("a", timeout=None), faults=PHI1))
    assert found.stuck is not None
    phrases = [found.net.origin.transitions[t].phrase for t in found.stuck]
    assert any("is lost" in phrase for phrase in phrases)


def test_retries_hide_a_transient_fault_but_not_a_lasting_one() -> None:
    body = step("a", retry=2)
    transient = settled(body, faults=Hypothesis(("reject",), 1, "transient"))
    assert set(transient.ends) == {("completed", (1,))}
    both = settled(body, faults=Hypothesis(("reject",), 1, "both"))
    assert set(both.ends) == {("completed", (1,)), ("compensated", (0,))}


def test_a_retry_of_a_step_that_is_not_idempotent_may_apply_it_twice() -> None:
    found = settled(step("a", frozenset(("null_safe",)), retry=1), faults=PHI1)
    assert ("completed", (2,)) in found.ends
    assert settled(step("a", SAFE, retry=1), faults=PHI1).effects("completed") == {(1,)}


def test_a_refusal_after_a_time_out_is_not_taken_for_certain() -> None:
    found = settled(step("a", retry=1), faults=Hypothesis(("reject", "lost", "slow"), 2, TRANSIENT))
    assert half_undone(found) == set()
    assert any("an earlier attempt timed out" in o.phrase for o in found.net.origin.transitions)


def test_a_retriable_step_always_completes() -> None:
    found = settled(seq(step("a"), step("r", SAFE, undo=False, retriable=True)), faults=Hypothesis(DEFAULT.faults, 2))
    assert found.effects("compensated") == {(0, 0)}  # only the first step may fail
    assert found.effects("completed") == {(1, 1)}


def test_a_pivot_that_is_refused_compensates_and_one_that_is_unknown_is_retried() -> None:
    found = settled(seq(step("a"), step("p", SAFE, undo=False, pivot=True)), faults=Hypothesis(DEFAULT.faults, 2))
    assert found.effects("compensated") == {(0, 0)}
    assert found.effects("completed") == {(1, 1)}


def test_behind_the_pivot_a_definite_failure_fails_the_saga() -> None:
    body = seq(step("a"), step("p", undo=False, pivot=True), step("after"))
    found = settled(body, faults=PHI0)
    assert found.effects("failed") == {(1, 1, 0)}
    assert found.effects("compensated") == {(0, 0, 0)}  # a or the pivot refused


@pytest.mark.parametrize(
    ("failure", "end", "effects"), [("halt", "failed", (1, 0)), ("escalate", "failed", (1, 0)), ("continue", "compensated", (1, 0))]
)  # fmt: skip
def test_an_undo_that_fails_for_good(failure: str, end: str, effects: tuple[int, int]) -> None:
    policy = ir.Policy(undo_failure=failure, undo_retries=1)
    faults = Hypothesis(("reject", "undo-fail"), 2, "both")
    found = settled(seq(step("a"), step("b")), policy, faults)
    assert effects in found.effects(end)
    assert half_undone(settled(seq(step("a"), step("b")), faults=faults)) == set()  # retried for ever


def test_a_halt_in_a_parallel_waits_for_the_other_ways() -> None:
    policy = ir.Policy(undo_failure="halt", undo_retries=0)
    found = settled(par(step("a"), step("b")), policy, Hypothesis(("reject", "undo-fail"), 2, TRANSIENT))
    assert (1, 0) in found.effects("failed")


def test_an_unknown_outcome_may_be_retried_or_ignored() -> None:
    retried = settled(step("a"), ir.Policy(on_unknown="retry"), Hypothesis(("lost", "slow"), 2))
    assert set(retried.ends) == {("completed", (1,))}
    ignored = settled(step("a"), ir.Policy(on_unknown="ignore"), Hypothesis(("lost",), 1))
    assert ignored.effects("compensated") == {(0,), (1,)}


def test_an_undo_that_is_registered_after_success_does_not_undo_the_failing_step() -> None:
    after = settled(step("a"), ir.Policy(register="after"), Hypothesis(("lost",), 1))
    assert after.effects("compensated") == {(0,), (1,)}
    before = settled(step("a"), ir.Policy(register="before"), Hypothesis(("lost",), 1))
    assert before.effects("compensated") == {(0,)}


def test_giving_up_is_no_error_that_a_handler_could_catch() -> None:
    handlers = (ir.Handler("b/try[on any]", "error", "*", ir.Task("b/mend", "mend")),)
    body = seq(step("a"), ir.Scope("b/try", choice(ir.Abandon("b/abandon"), ir.Task("b/t", "t", ("E",))), handlers))
    found = settled(body, faults=NONE)
    assert found.effects("compensated") == {(0,)}
    assert found.effects("completed") == {(1,)}
    assert "`b` gives up" in found.story("compensated", (0,))


def test_errors_of_structure_without_steps_turn_the_saga_back_too() -> None:
    structure = par(choice(ir.Task("b/t", "t", ("E",)), ir.Abandon("b/abandon")), ir.Task("b/u", "u", ("F",)))
    found = settled(seq(step("a"), structure), faults=NONE)
    assert set(found.ends) == {("completed", (1,)), ("compensated", (0,))}
    assert all(p >= 0 for side in (found.net.net.pre, found.net.net.post) for arcs in side for p, _ in arcs)


def test_errors_by_name_have_their_own_rules() -> None:
    rules = (
        ir.ErrorRule("Busy", 1, "reject"),
        ir.ErrorRule("Maybe", 0, "unknown"),
        ir.ErrorRule("Broken", 0, "escalate"),
    )
    found = settled(seq(step("a"), step("b", errors=rules)), faults=Hypothesis(("reject",), 1, TRANSIENT))
    assert (1, 0) in found.effects("failed")
    assert (0, 0) in found.effects("compensated")
    assert "b/b#request[1]:reject.Busy" in found.net.net.transitions
    busy = ir.Policy(), Hypothesis(("reject",), 1, TRANSIENT)
    assert set(settled(step("b", errors=(rules[0], ir.ErrorRule("other", 1, "reject"))), *busy).ends) == {
        ("completed", (1,))
    }


def test_a_partial_answer_is_an_error_with_effect() -> None:
    partial = Hypothesis(("partial",), 1)
    assert settled(step("a"), faults=partial).effects("compensated") == {(1,)}
    assert settled(step("a"), ir.Policy(undo_failing="yes"), partial).effects("compensated") == {(0,)}


# -- going back through structure ------------------------------------------------------------------------------------


def test_a_choice_is_undone_on_the_way_that_was_taken() -> None:
    found = settled(seq(choice(step("a"), ir.Task("b/t", "t")), step("z")))
    assert found.effects("completed") == {(1, 1), (0, 1)}
    assert found.effects("compensated") == {(0, 0)}


def test_a_loop_is_undone_round_by_round() -> None:
    body = seq(ir.Loop("b/loop", step("a"), "after", None, 2), step("z"))
    found = settled(body, faults=PHI0)
    assert found.effects("completed") == {(1, 0, 1), (1, 1, 1)}
    assert found.effects("compensated") == {(0, 0, 0)}


def test_a_scope_undoes_its_body_before_the_handler_runs() -> None:
    handlers = (ir.Handler("b/try[on any]", "error", "*", step("other")),)
    body = seq(ir.Scope("b/try", seq(step("a"), step("b")), handlers), step("z"))
    found = settled(body, faults=PHI0)
    steps = [s.id for s in found.net.roles.steps]
    by_step = [dict(zip(steps, e, strict=True)) for e in found.effects("completed")]
    assert {"b/a": 1, "b/b": 1, "b/other": 0, "b/z": 1} in by_step
    assert {"b/a": 0, "b/b": 0, "b/other": 1, "b/z": 1} in by_step
    assert half_undone(found) == set()


def test_a_scope_with_a_parallel_remembers_one_error() -> None:
    rules = (ir.ErrorRule("Busy", 0, "reject"),)
    handlers = (ir.Handler("b/try[on Busy]", "error", "Busy", ir.Task("b/mend", "mend")),)
    body = ir.Scope("b/try", par(step("a", errors=rules), step("b", errors=rules)), handlers)
    found = settled(body, faults=Hypothesis(("reject",), 2, TRANSIENT))
    assert found.effects("completed") == {(1, 1), (0, 0)}
    assert half_undone(found) == set()


def test_a_completed_child_is_undone_with_its_parent() -> None:
    child = ir.Process(
        "k", "saga", ir.Step("k/x", "x", "xs", ir.Undo("cancel_x"), timeout=1.0, guarantees=BARRIER), ENDS
    )
    body = seq(ir.Call("b/k", "k", ()), step("z"))
    found = settled(body, others=(child,))
    assert found.effects("completed") == {(1, 1)}
    assert found.effects("compensated") == {(0, 0)}


def test_a_child_that_compensated_can_be_replaced() -> None:
    child = ir.Process(
        "k", "saga", ir.Step("k/x", "x", "xs", ir.Undo("cancel_x"), timeout=1.0, guarantees=BARRIER), ENDS
    )
    body = seq(ir.Call("b/k", "k", (("compensated", step("plan_b")),)), step("z"))
    found = settled(body, others=(child,))
    steps = [s.id for s in found.net.roles.steps]
    by_step = [dict(zip(steps, e, strict=True)) for e in found.effects("completed")]
    assert {"b/k/x": 0, "b/plan_b": 1, "b/z": 1} in by_step
    assert half_undone(found) == set()


def test_a_workflow_hears_how_a_saga_ended() -> None:
    child = saga(seq(step("a"), step("b")))
    sorry = ir.Sequence("w", (ir.Task("w/sorry", "sorry"), ir.End("w/end", "cancelled")))
    call = ir.Call("w/b", "b", (("compensated", sorry), ("failed", ir.End("w/end2", "broken"))))
    net, _ = process_to_net(ir.Process("w", "workflow", call, ("cancelled", "broken", "completed")), {"b": child})
    found = settle(weave(net, PHI1).compiled)
    assert found.stuck is None
    assert {end for end, _ in found.ends} == {"completed", "cancelled"}
    assert found.effects("cancelled") == {(0, 0)}


def test_undos_all_at_once() -> None:
    body = seq(step("a"), step("b"), step("c"))
    found = settled(body, ir.Policy(undo_order="parallel"), PHI0)
    assert found.effects("completed") == {(1, 1, 1)}
    assert found.effects("compensated") == {(0, 0, 0)}
    orders = {_undo_order(found.net, last) for last in ("a", "b")}
    assert orders == {True}


def _undo_order(net, last: str) -> bool:
    """Some run undoes this step last, which reverse order would show for the first step only."""
    from placet.net.firing import enabled, fire

    names = net.net.transitions
    wanted = names.index(f"b/{last}#undo.apply[1]")
    others = [names.index(f"b/{n}#undo.apply[1]") for n in "abc" if n != last and n != "c"]
    seen, pending = set(), [(net.initial, frozenset())]
    while pending:
        marking, fired = pending.pop()
        for t in enabled(net.net, marking):
            after = fired | ({t} & {wanted, *others})
            if t == wanted and set(others) <= fired:
                return True
            state = (fire(net.net, marking, t), after)
            if state not in seen:
                seen.add(state)
                pending.append(state)
    return False


# -- laws ------------------------------------------------------------------------------------------------------------


@st.composite
def bodies(draw):
    names = iter("abcdefgh")
    total = draw(st.integers(1, 3))

    def statement(left: int) -> ir.Statement:
        if left <= 1 and draw(st.booleans()) and total > 1:
            name = next(names)
            plain = ir.Choice(f"b/{name}", (
                ir.Way(f"b/{name}[0]", None, ir.Task(f"b/{name}t", name, ("E",))), ir.Way(f"b/{name}[1]", None, ir.Abandon(f"b/{name}x")),
            ))  # fmt: skip
            return ir.Sequence(f"b/{name}s", (plain,))
        if left <= 1:
            return step(next(names), retry=draw(st.integers(0, 1)), timeout=draw(st.sampled_from([10.0])))
        cut = draw(st.integers(1, left - 1))
        kind = draw(st.sampled_from(["sequence", "parallel", "choice", "scope"]))
        one, two = statement(cut), statement(left - cut)
        tag = one.id.replace("/", ".") + two.id.replace("/", ".")
        match kind:
            case "sequence":
                return ir.Sequence(f"b/{tag}", (one, two))
            case "parallel":
                return ir.Parallel(f"b/{tag}", (ir.Way(f"b/{tag}[0]", None, one), ir.Way(f"b/{tag}[1]", None, two)))
            case "choice":
                return ir.Choice(f"b/{tag}", (ir.Way(f"b/{tag}[0]", None, one), ir.Way(f"b/{tag}[1]", None, two)))
        return ir.Scope(f"b/{tag}", one, (ir.Handler(f"b/{tag}[on any]", "error", "*", two),))

    return statement(total)


POLICIES = st.tuples(
    st.sampled_from(["yes", "unless_rejected"]),
    st.sampled_from(["undo", "retry"]),
    st.sampled_from(["reverse", "parallel"]),
).map(lambda p: ir.Policy(undo_failing=p[0], on_unknown=p[1], undo_order=p[2]))


@settings(max_examples=60)
@given(bodies(), POLICIES, st.sampled_from([PHI0, PHI1, DEFAULT]))
def test_with_barriers_and_time_outs_every_saga_settles_balanced(body, policy, faults) -> None:
    found = settled(body, policy, faults)
    assert half_undone(found) == set()
    assert all(set(effects) <= {0, 1} for _, effects in found.ends)
    assert not found.effects("failed")


@settings(max_examples=40)
@given(bodies(), st.sampled_from([PHI1, LEVELS["L2"]]))
def test_elements_are_named_and_roles_are_total(body, faults) -> None:
    net = net_of(body, faults=faults)
    assert len(net.origin.places) == len(net.net.places) == len(net.final.classes) == len(net.initial)
    assert len(net.origin.transitions) == len(net.net.transitions) == len(net.roles.transitions)
    assert all(o.id and o.phrase and not o.phrase.endswith(".") for side in net.origin for o in side)
    assert len(set(net.net.places)) == len(net.net.places)
    assert len(set(net.net.transitions)) == len(net.net.transitions)
    assert not any(re.search(r"~\d", name) for name in (*net.net.places, *net.net.transitions))
    calls = {(r.step, r.direction) for r in net.roles.transitions if r.kind is Kind.SEND}
    assert calls == {(c.step, c.direction) for c in net.roles.channels}


def test_twice_as_many_steps_are_twice_as_large_a_net() -> None:
    sizes = []
    for count in (200, 400):
        parts = tuple(ir.Step(f"b/s{i}", f"s{i}", "x", ir.Undo("u")) for i in range(count))
        net = net_of(seq(*parts))
        sizes.append(sum(len(a) for side in (net.net.pre, net.net.post) for a in side))
    assert sizes[1] < 2.01 * sizes[0]


# -- the page of the one diagnostic ----------------------------------------------------------------------------------


def test_the_page_of_p403() -> None:
    from placet.compile.resolve import resolve
    from placet.compile.to_net import compile_model
    from placet.source import SourceFile
    from placet.syntax.parser import parse

    text = (CHECKOUT / "docs" / "explain" / "P403.md").read_text(encoding="utf-8")
    shows, does_not = re.findall(r"```placet\n(.*?)```", text, re.DOTALL)
    for source, expected in ((shows, ["P403"]), (does_not, [])):
        file, problems = parse(SourceFile("page.placet", source))
        model, unresolved = resolve(file)
        assert [d.code for d in (*problems, *unresolved, *compile_model(model)[1])] == expected


def roles_of(net, name: str):
    return net.roles.transitions[net.net.transition(name)]


@pytest.mark.parametrize("guarantees", [frozenset(), BARE, SAFE])
def test_roles_tell_what_the_participant_finds(guarantees) -> None:
    net, _ = process_to_net(saga(step("a", guarantees)), {})
    found = {re.sub(r".*#|\[.*", "", n): r.how for n, r in zip(net.net.transitions, net.roles.transitions, strict=True)}
    told = {"repeat": "repeat", "revive": "revive", "undo.null": "null", "undo.repeat": "repeat"}
    assert {name: how for name, how in found.items() if how} == told
    kinds = {name: roles_of(net, f"b/a#{name}[1]").kind for name in told}
    again = Kind.IGNORE if "idempotent" in guarantees else Kind.APPLY
    null = Kind.IGNORE if "null_safe" in guarantees else Kind.APPLY
    assert kinds == {"repeat": again, "revive": again, "undo.repeat": again, "undo.null": null}


def test_roles_tell_where_the_coordinator_turns_back() -> None:
    rules = (ir.ErrorRule("Dead", 0, "escalate"), ir.ErrorRule("Busy", 1, "reject"))
    task = ir.Task("b/t", "t", ("E",))
    body = seq(step("a", errors=rules, retry=1), choice(task, ir.Abandon("b/c[1]/stop")))
    net, _ = process_to_net(saga(body), {})
    commits = {n for n, r in zip(net.net.transitions, net.roles.transitions, strict=True) if r.commits}
    assert commits == {
        "b/a#timeout[2]", "b/a#refused[2]", "b/a#error.Dead[1]", "b/a#error.Dead[2]", "b/a#error.Busy[2]",
        "b/a#refused[2].doubt", "b/a#error.Busy[2].doubt", "b/t#E", "b/c[1]/stop",
    }  # fmt: skip


# -- siblings that are cancelled -------------------------------------------------------------------------------------

CANCEL = ir.Policy(siblings="cancel")


@pytest.mark.parametrize("timeout", [None, 10.0])
def test_a_cancelled_sibling_turns_back_where_it_stands(timeout) -> None:
    body = par(step("a", timeout=timeout), seq(step("c", timeout=timeout), step("d", timeout=timeout)))
    found = settled(body, CANCEL, PHI0)
    assert half_undone(found) == set()
    net = net_of(body, CANCEL, PHI0)
    stopped = [n for n in net.net.transitions if n.endswith(".stopped")]
    assert {n.split("#")[0] for n in stopped} >= {"b/a", "b/c", "b/d"}
    words = {net.origin.transitions[net.net.transition(n)].phrase for n in stopped}
    assert "nobody waits any more for `c`, since another way has failed" in words
    assert not [n for n in net_of(body, DEFAULT_POLICY, PHI0).net.transitions if ".stopped" in n]


def test_a_cancelled_sibling_without_a_barrier_is_applied_after_its_undo() -> None:
    """The step in flight is undone at once, and its request arrives later: awaited siblings have no such run."""
    body = par(step("a", SAFE), step("c", SAFE))
    assert half_undone(settled(body, CANCEL, PHI0)) == {(1, 0), (0, 1)}
    assert half_undone(settled(body, DEFAULT_POLICY, PHI0)) == set()
    assert half_undone(settled(par(step("a"), step("c")), CANCEL, PHI1)) == set()


def test_a_cancelled_sibling_whose_undo_is_registered_after_success_is_forgotten() -> None:
    after = CANCEL._replace(register="after", undo_failing="no")
    assert half_undone(settled(par(step("a"), step("c")), after, PHI0)) == {(1, 0), (0, 1)}


def test_a_handler_hears_nothing_of_a_sibling_that_is_cancelled() -> None:
    inner = ir.Scope("b/s", step("a"), (ir.Handler("b/s[on any]", "error", "*", step("r")),))
    found = settled(par(inner, step("c")), CANCEL, PHI0)
    assert half_undone(found) == set()
    nested = par(par(step("a"), step("e"))._replace(id="b/in"), step("c"))
    assert half_undone(settled(nested, CANCEL, PHI0)) == set()
