"""Hand-built nets with origins, and a violation of every kind on them."""

from __future__ import annotations

from typing import NamedTuple

from placet.compiled import Compiled, Origin, OriginMap, Query
from placet.evidence import (
    Assumptions,
    Certificate,
    Cycles,
    Grows,
    Lasso,
    Never,
    NeverHolds,
    NoReturn,
    Proof,
    Pump,
    Reach,
    Reaches,
    Strands,
    Violated,
)
from placet.logic.state import TRUE, And, Dead, Fireable, Linear, at_least
from placet.net.builder import NetBuilder
from placet.net.final import Final, PlaceClass
from placet.net.observer import Observer
from placet.net.roles import Channel, Kind, Role, Roles, Step
from placet.source import SourceFile, Span

C, M, R = PlaceClass.CONTROL, PlaceClass.CHANNEL, PlaceClass.RECORD
PROOF = Proof("reference", 12, 20)


class Draft:
    """A compiled net in the making: ids, phrases and spans beside the builder."""

    def __init__(self, subject: str, kind: str, text: str = "", path: str = "models/x.placet"):
        self.subject, self.kind = subject, kind
        self.source = SourceFile(path, text)
        self.net = NetBuilder(subject)
        self.classes: list[PlaceClass] = []
        self.places: list[Origin] = []
        self.transitions: list[Origin] = []
        self.roles: list[Role] = []
        self.ends: list[int] = []
        self.effects: dict[str, list[tuple[int, int]]] = {}

    def span(self, word: str) -> Span | None:
        at = self.source.text.find(word)
        return Span(self.source, at, at + len(word)) if at >= 0 and word else None

    def p(self, name: str, phrase: str, tokens: int = 0, cls: PlaceClass = C, end: bool = False) -> int:
        index = self.net.place(f"{self.subject}/{name}", tokens)
        self.classes.append(cls)
        self.places.append(Origin(f"{self.subject}/{name}", phrase, self.span(name), actor=self.subject))
        if end:
            self.ends.append(index)
        return index

    def t(self, name, phrase, pre, post, kind=Kind.TASK, service="", word="", **role) -> int:
        index = self.net.transition(f"{self.subject}/{name}", dict.fromkeys(pre, 1), dict.fromkeys(post, 1))
        span = self.span(word or name)
        self.transitions.append(Origin(f"{self.subject}/{name}", phrase, span, service, self.subject))
        self.roles.append(Role(kind, service=service, **role))
        if kind is Kind.APPLY:
            self.effects.setdefault(role["step"], []).append((index, -1 if role.get("direction") == "undo" else 1))
        return index

    def compiled(self, steps=(), channels=(), **more) -> Compiled:
        net, initial = self.net.build()
        observers = tuple(
            Observer(f"{name}#effect", f"{name} is in effect", tuple(sorted(deltas)), -1, 2)
            for name, deltas in self.effects.items()
        )
        order = list(self.effects)
        steps = tuple(s._replace(effect=order.index(s.id)) for s in steps)
        return Compiled(
            self.subject,
            self.kind,
            net,
            initial,
            Final(tuple(self.ends), tuple(self.classes)),
            Roles(tuple(self.roles), tuple(channels), steps),
            OriginMap(tuple(self.places), tuple(self.transitions)),
            observers,
            **more,
        )


class Case(NamedTuple):
    compiled: Compiled
    query: Query
    verdict: Violated


TRIP = """\
saga trip {
  step flight on flights { undo cancel_flight }
  step car on cars { undo cancel_car; timeout 10s }
}
check anomaly_A1(trip) "a trip is booked whole or not at all"
"""


def late_request() -> Case:
    """The car is slow, its undo finds nothing, then the request is carried out."""
    d = Draft("trip", "saga", TRIP, "models/trip/trip.placet")
    begun = d.p("begun", "`trip` has begun", 1)
    wait_f = d.p("flight_wait", "waiting for the reply of `flight`")
    ask_f = d.p("flight_request", "the request of `flight` is on its way", cls=M)
    ok_f = d.p("flight_reply", "the reply of `flight` is on its way", cls=M)
    then = d.p("flight_done", "`flight` is done")
    wait_c = d.p("car_wait", "waiting for the reply of `car`")
    ask_c = d.p("car_request", "the request of `car` is on its way", cls=M)
    due = d.p("car_due", "`car` may time out", cls=R)
    ok_c = d.p("car_reply", "the reply of `car` is on its way", cls=M)
    back = d.p("car_unknown", "`car` is to be undone")
    undo_c = d.p("car_undo_request", "the undo of `car` is on its way", cls=M)
    back_f = d.p("flight_back", "`flight` is to be undone")
    undo_f = d.p("flight_undo_request", "the undo of `flight` is on its way", cls=M)
    end = d.p("end(compensated)", "`trip` has ended as compensated", end=True)
    flight, car = "trip/flight", "trip/car"
    run = [
        d.t("start", "", [begun], [begun], Kind.ROUTE, word="saga"),
        d.t("flight#send", "asks `flights` for `flight`", [begun], [ask_f, wait_f], Kind.SEND, word="flight on", step=flight),
        d.t("flight#apply", "`flight` is carried out", [ask_f], [ok_f], Kind.APPLY, "flights", "flight on", step=flight, direction="forward", attempt=1),
        d.t("flight#reply", "learns that `flight` is done", [ok_f, wait_f], [then], Kind.REPLY, word="flight on", step=flight),
        d.t("car#send", "asks `cars` for `car`", [then], [ask_c, wait_c], Kind.SEND, word="car on", step=car),
        d.t("car#slow", "the request of `car` is slow", [], [due], Kind.FAULT, "cars", "car on", step=car, fault="slow"),
        d.t("car#timeout", "stops waiting for `car` after 10s", [due, wait_c], [back], Kind.TIMER, word="timeout 10s", step=car),
        d.t("car#undo#send", "asks `cars` to undo `car`", [back], [undo_c], Kind.SEND, word="undo cancel_car", step=car, direction="undo"),
        d.t("car#undo#ignore", "`cancel_car` finds nothing to undo", [undo_c], [back_f], Kind.IGNORE, "cars", "undo cancel_car", step=car, direction="undo"),
        d.t("flight#undo#send", "asks `flights` to undo `flight`", [back_f], [undo_f], Kind.SEND, word="undo cancel_flight", step=flight, direction="undo"),
        d.t("flight#undo#apply", "`cancel_flight` is carried out", [undo_f], [end], Kind.APPLY, "flights", "undo cancel_flight", step=flight, direction="undo"),
        d.t("car#apply", "`car` is carried out", [ask_c], [ok_c], Kind.APPLY, "cars", "car on", step=car, direction="forward", attempt=1),
    ]  # fmt: skip
    steps = (
        Step(flight, "trip", "flights", "cancel_flight", False, False, False, ("null_safe",), (), 0),
        Step(car, "trip", "cars", "cancel_car", False, False, False, ("null_safe",), (flight,), 1),
    )
    assumptions = Assumptions(
        bounds=(("attempts", 3),), faults=("lost", "reject", "slow"), fault_budget=1, time_ignored=True
    )
    compiled = d.compiled(steps, assumptions=assumptions)
    claim = Reaches(And((at_least(end), Linear(((len(compiled.net.places) + 1, 1),), "!=", 0))))
    query = Query(
        "anomaly_A1",
        "anomaly_A1(trip)",
        sentence="a trip is booked whole or not at all",
        span=d.span("anomaly_A1(trip)"),
    )
    return Case(compiled, query, Violated(claim, Reach(tuple(run)), PROOF, assumptions))


def no_timeout() -> Case:
    """A lost request, and nobody who would stop waiting for its reply."""
    d = Draft("pay", "saga", "saga pay {\n  step charge on bank { }\n}\n", "pay.placet")
    begun = d.p("begun", "`pay` has begun", 1)
    wait = d.p("wait", "waiting for the reply of `charge`")
    ask = d.p("ask", "the request of `charge` is on its way", cls=M)
    ok = d.p("ok", "the reply of `charge` is on its way", cls=M)
    end = d.p("end(completed)", "`pay` has ended as completed", end=True)
    send = d.t(
        "charge#send", "asks `bank` for `charge`", [begun], [wait, ask], Kind.SEND, word="charge", step="pay/charge"
    )
    lost = d.t(
        "charge#lost",
        "the request of `charge` is lost",
        [ask],
        [],
        Kind.FAULT,
        "bank",
        "charge",
        step="pay/charge",
        fault="lost",
    )
    d.t(
        "charge#apply",
        "`charge` is carried out",
        [ask],
        [ok],
        Kind.APPLY,
        "bank",
        "charge",
        step="pay/charge",
        direction="forward",
    )
    d.t("charge#reply", "learns that `charge` is done", [ok, wait], [end], Kind.REPLY, word="charge", step="pay/charge")
    steps = (Step("pay/charge", "pay", "bank", "", True, False, False, (), (), 0),)
    channels = (Channel(ask, "pay/charge", "forward", "request", 1, -1),)
    compiled = d.compiled(steps, channels)
    claim = Strands(compiled.final.predicate(compiled.initial))
    query = Query("option_to_complete", "option_to_complete(pay)")
    return Case(
        compiled,
        query,
        Violated(claim, NoReturn((send, lost), 1), PROOF, Assumptions(faults=("lost",), fault_budget=1)),
    )


def ends_early() -> Case:
    """An end inside a parallel."""
    text = "workflow approve {\n  parallel {\n    { task legal; end approved }\n    task finance\n  }\n}\n"
    d = Draft("approve", "workflow", text, "approve.placet")
    begun = d.p("begun", "`approve` has begun", 1)
    a = d.p("a", "`legal` is to be done")
    b = d.p("b", "`finance` is to be done")
    c = d.p("c", "`approve` is to end")
    end = d.p("end(approved)", "`approve` has ended as approved", end=True)
    fork = d.t("parallel#split", "", [begun], [a, b], Kind.ROUTE, word="parallel")
    legal = d.t("legal", "`legal` is done", [a], [c])
    d.t("finance", "`finance` is done", [b], [])
    over = d.t("end(approved)", "`approve` ends as approved", [c], [end], Kind.END, word="end approved")
    compiled = d.compiled(quiet=frozenset((fork,)))
    claim = Reaches(And((compiled.final.ended(), at_least(b))))
    query = Query("proper_completion", "proper_completion(approve)")
    return Case(compiled, query, Violated(claim, Reach((fork, legal, over)), PROOF))


def dead_step() -> Case:
    """A step behind something that never arrives."""
    text = "workflow order {\n  task pay\n  task refund\n}\n"
    d = Draft("order", "workflow", text, "order.placet")
    begun = d.p("begun", "`order` has begun", 1)
    asked = d.p("asked", "the customer has asked for the money back")
    paid = d.p("paid", "`pay` is done")
    end = d.p("end(completed)", "`order` has ended as completed", end=True)
    d.t("pay", "`pay` is done", [begun], [paid])
    d.t("finish", "`order` ends", [paid], [end], Kind.END, word="workflow")
    refund = d.t("refund", "`refund` is done", [paid, asked], [end])
    compiled = d.compiled(
        steps=(),
    )._replace(steps=(("order/pay", (0,)), ("order/refund", (refund,))))
    query = Query("no_dead_step", "no_dead_step(order)")
    verdict = Violated(
        NeverHolds(Fireable(refund)), Never(Certificate("empty siphon", (asked,))), PROOF, culprits=(refund,)
    )
    return Case(compiled, query, verdict)


def piles_up() -> Case:
    """A loop that leaves something behind in every round."""
    text = "net shop {\n  place open = 1, orders\n  transition order: open -> open + orders\n}\n"
    d = Draft("shop", "net", text, "shop.placet")
    opened = d.p("open", "`open` holds a token", 1)
    orders = d.p("orders", "`orders` holds a token")
    order = d.t("order", "`order` happens", [opened], [opened, orders], Kind.ROUTE, word="order:")
    query = Query("bounded", "bounded(shop)", place=orders)
    return Case(d.compiled(), query, Violated(Grows(orders), Pump((), (order,)), PROOF))


def goes_round() -> Case:
    """Two tasks that hand over to each other for ever."""
    text = "workflow desk {\n  loop { task ask; task answer }\n}\n"
    d = Draft("desk", "workflow", text, "desk.placet")
    a = d.p("a", "`ask` is to be done", 1)
    b = d.p("b", "`answer` is to be done")
    end = d.p("end(completed)", "`desk` has ended as completed", end=True)
    ask = d.t("ask", "`ask` is done", [a], [b])
    answer = d.t("answer", "`answer` is done", [b], [a])
    compiled = d.compiled()
    query = Query("livelock_free", "livelock_free(desk)")
    return Case(compiled, query, Violated(Cycles(TRUE, at_least(end)), Lasso((ask, answer), (ask, answer)), PROOF))


def never_ends() -> Case:
    """As `goes_round`, asked the other way: from the loop no end can be reached."""
    case = goes_round()
    claim = Strands(case.compiled.final.predicate(case.compiled.initial))
    query = Query("option_to_complete", "option_to_complete(desk)")
    return Case(case.compiled, query, Violated(claim, NoReturn((0,), 2), PROOF))


def never_broken() -> Case:
    """A rejected order that was charged: both conjuncts hold, one since an earlier step."""
    text = 'workflow buy {\n  task charge\n  end rejected\n}\ncheck never(charge.done and buy.rejected) "a rejected order is never charged"\n'
    d = Draft("buy", "workflow", text, "buy.placet")
    begun = d.p("begun", "`buy` has begun", 1)
    charged = d.p("charged", "`charge` is done")
    end = d.p("end(rejected)", "`buy` has ended as rejected", end=True)
    charge = d.t("charge", "`charge` is done", [begun], [charged])
    reject = d.t("end(rejected)", "`buy` ends as rejected", [charged], [end], Kind.END, word="end rejected")
    compiled = d.compiled()
    compiled = compiled._replace(observers=(Observer("buy/charge#done", "`charge` is done", ((charge, 1),)),))
    done, rejected = at_least(len(compiled.net.places)), at_least(end)
    formula = And((done, rejected))
    atoms = ((done, "charge.done"), (rejected, "buy.rejected"))
    query = Query("never", "never(charge.done and buy.rejected)", formula, atoms=atoms,
                  sentence="a rejected order is never charged", span=d.span("never(charge"))  # fmt: skip
    return Case(compiled, query, Violated(Reaches(formula), Reach((charge, reject)), PROOF))


def two_locks() -> Case:
    """The two philosophers."""
    text = "net two {\n  transition take1: lock1 -> has1\n  transition take2: lock2 -> has2\n}\n"
    d = Draft("two", "net", text, "two.placet")
    l1, l2 = d.p("lock1", "`lock1` holds a token", 1), d.p("lock2", "`lock2` holds a token", 1)
    h1, h2 = d.p("has1", "`has1` holds a token"), d.p("has2", "`has2` holds a token")
    t1 = d.t("take1", "`take1` happens", [l1], [h1], Kind.ROUTE)
    t2 = d.t("take2", "`take2` happens", [l2], [h2], Kind.ROUTE)
    d.t("go1", "`go1` happens", [h1, l2], [l1, l2], Kind.ROUTE)
    d.t("go2", "`go2` happens", [h2, l1], [l1, l2], Kind.ROUTE)
    query = Query("deadlock_free", "deadlock_free(two)")
    return Case(d.compiled(), query, Violated(Reaches(Dead()), Reach((t1, t2)), PROOF))


def twice() -> Case:
    """A place with two tokens where one is the bound."""
    d = Draft("mail", "net", "net mail {\n  transition send: ready -> sent\n}\n", "mail.placet")
    ready, sent = d.p("ready", "`ready` holds a token", 2), d.p("sent", "`sent` holds a token")
    send = d.t("send", "`send` happens", [ready], [sent], Kind.ROUTE)
    claim = Reaches(at_least(sent, 2))
    return Case(d.compiled(), Query("safe", "safe(mail)"), Violated(claim, Reach((send, send)), PROOF))


CASES = {
    f.__name__: f
    for f in (
        late_request,
        no_timeout,
        ends_early,
        dead_step,
        piles_up,
        goes_round,
        never_ends,
        never_broken,
        two_locks,
        twice,
    )
}
