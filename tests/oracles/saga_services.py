"""What services, messages and faults do about the calls of a saga: by the words of docs/language.md and docs/semantics.md, without a net.

A call is (step, way): `way` is "forward" or "undo". A world holds what is outside of the saga's own control: messages on
their way, what each service remembers, who does not wait any more, and how many faults are left.
"""

from __future__ import annotations

from typing import NamedTuple

from oracles.saga_limits import limits_of
from placet.syntax import ast

OK = ""
REJECTED = "rejected"
DELIVERED = "delivered"  # an outcome after which nothing is asked again


class Message(NamedTuple):
    step: str
    way: str
    attempt: int
    part: str  # request, reply; a second one of either: copy, echo
    says: str = OK


def request(step: str, way: str, attempt: int) -> Message:
    return Message(step, way, attempt, "request")


class World(NamedTuple):
    messages: tuple[Message, ...] = ()  # sorted; several alike are several times there
    due: tuple[tuple[str, str, int], ...] = ()  # sorted: attempts whose time-out may fire
    records: frozenset[tuple[str, str]] = frozenset()  # step -> applied, undone, cancelled; fresh where nothing is said
    over: frozenset[tuple[str, str, int]] = frozenset()  # attempts that nobody waits for any more
    faults: int = 0
    lasting: tuple[tuple[str, str, int, str, str], ...] = ()  # sorted: what spoils the next attempt too, for free
    retries: tuple[tuple[str, int], ...] = ()  # of each saga that has a budget of them, those that are left
    beside: tuple = ()  # ways of a parallel that nobody looks after
    data: tuple = ()  # the values of variables
    cancelled: bool = False
    guards: tuple = ()  # sorted: how things stand with the limits of services
    late: tuple[str, ...] = ()  # sorted: sagas whose time may be up, once for each message that was lost or slow
    overdue: frozenset[str] = frozenset()  # those whose time was up
    keys: frozenset[tuple[str, int]] = frozenset()  # of attempts that were carried out, where each has its own

    def record(self, step: str) -> str:
        return dict(self.records).get(step, "fresh")

    def remember(self, step: str, state: str) -> World:
        return self._replace(records=frozenset({**dict(self.records), step: state}.items()))

    def put(self, message: Message) -> World:
        return self._replace(messages=tuple(sorted((*self.messages, message))))

    def take(self, message: Message) -> World:
        found = list(self.messages)
        found.remove(message)
        return self._replace(messages=tuple(found))

    def left(self, saga: str) -> int | None:
        """How many retries a saga has left; None where nobody counts them."""
        return dict(self.retries).get(saga)

    def drawn(self, saga: str) -> World:
        left = self.left(saga)
        if left is None:
            return self
        return self._replace(retries=tuple(sorted({**dict(self.retries), saga: left - 1}.items())))

    def ended(self, step: str, way: str, attempt: int) -> World:
        return self._replace(over=self.over | {(step, way, attempt)})

    def delays(self, sagas) -> World:
        return self._replace(late=tuple(sorted((*self.late, *sagas))))

    def lets_time_out(self, message: Message) -> World:
        return self._replace(due=tuple(sorted((*self.due, message[:3]))))


UNCLEAR = {
    "rest": "ServerError",
    "grpc": "Unavailable",
}  # by kind of call, the error after which the outcome is unknown
NEVER = {  # by kind of call and part of it, what cannot befall a message
    ("rest", "reply"): ("duplicate",), ("grpc", "request"): ("duplicate",), ("grpc", "reply"): ("duplicate",),
    ("queue", "request"): ("lost", "undo-lost"), ("queue", "reply"): ("lost", "undo-lost"),
}  # fmt: skip


class Rule(NamedTuple):
    """What an outcome means: after so many retries this."""

    retries: int
    action: str


class Call(NamedTuple):
    """A step as its text says it, with the promises of its service."""

    undo: str = ""
    retry: int = 0
    timeout: bool = False
    pivot: bool = False
    retriable: bool = False
    read_only: bool = False
    promises: frozenset[str] = frozenset()
    rules: tuple[tuple[str, Rule], ...] = ()
    via: str = ""
    service: str = ""
    local: tuple[str, ...] = ()  # the errors by which it may be refused before it is made
    per_attempt: bool = False  # each numbered attempt has a key of its own
    common: bool = False  # another run may ask with the same key
    seconds: float = 0  # of its time-out
    ttl: float | None = None  # for how many seconds its service remembers the key
    correlation: str = "attempt"  # what tells its replies apart
    after: tuple[str, ...] = ()
    undo_after: tuple[str, ...] = ()

    def rule(self, outcome: str) -> Rule:
        """`timeout`, `rejected`, or an error that has a rule of its own."""
        if outcome == "timeout":
            return Rule(self.retry, dict(self.rules).get("timeout", Rule(0, "unknown")).action)
        named = dict(self.rules).get("other" if outcome == REJECTED else outcome)
        return named or Rule(self.retry, "reject")

    @property
    def errors(self) -> tuple[str, ...]:
        """What a service may answer instead of yes."""
        aside = ("other", "timeout", self.exists, *self.local)
        return (REJECTED, *(name for name, _ in self.rules if name not in aside))

    def ill(self, outcome: str) -> bool:
        """Whether an outcome counts as a failure of its service: not one that the step takes for an answer."""
        rule = dict(self.rules).get(outcome)
        answer = outcome not in ("other", "timeout") and rule is not None and rule == Rule(0, "reject")
        known = outcome == self.exists and rule is None
        return outcome != OK and not known and not answer

    @property
    def exists(self) -> str:
        """What its service answers instead of yes to what it has carried out before."""
        known = self.via == "grpc" and "idempotent" in self.promises and not self.read_only
        return "AlreadyExists" if known else ""

    def sure(self, error: str) -> bool:
        """Whether nothing was done where the service answers so."""
        return self.via != "" and error != UNCLEAR.get(self.via) and self.rule(error).action != "unknown"

    @property
    def attempts(self) -> int:
        return 1 + max(self.retry, *(rule.retries for _, rule in self.rules), 0)


def calls(file: ast.File) -> dict[str, Call]:
    """Every step of a file, by its name."""
    services = {i.name.text: frozenset(o.key.text for o in i.options) for i in file.items if isinstance(i, ast.Service)}
    kinds = {i.name.text: i.via.text for i in file.items if isinstance(i, ast.Service) and i.via is not None}
    found = {}
    limits = limits_of(file)
    todo: list[object] = [file]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Step):
            found[node.name.text] = call(
                node,
                services.get(node.service.text, frozenset()) if node.service else frozenset(),
                node.via.text if node.via is not None else kinds.get(node.service.text if node.service else "", ""),
            )
            service = node.service.text if node.service else ""
            local = limits[service].refusals if service in limits else ()
            found[node.name.text] = found[node.name.text]._replace(service=service, local=local)
        if isinstance(node, tuple):
            todo += node
    return found


def call(step: ast.Step, promises: frozenset[str], via: str) -> Call:
    own = {o.key.text: o.operands for o in step.options}
    names = {key: tuple(o.text for o in operands if isinstance(o, ast.Name)) for key, operands in own.items()}
    rules = tuple(
        (r.error.text, Rule(r.retry.value if r.retry else 0, r.action.text if r.action else "reject"))
        for r in step.errors
    )
    retry = own["retry"][0].value if "retry" in own else 0
    known = dict(rules)
    if via in UNCLEAR and UNCLEAR[via] not in known:
        rules = (*rules, (UNCLEAR[via], known.get("other", Rule(retry, "unknown"))))
    return Call(
        via=via,
        per_attempt="attempt" in names.get("key", ())[1:],
        common=len(names.get("key", ())) == 1 and "read_only" not in own,
        seconds=own["timeout"][0].seconds if "timeout" in own else 0,
        ttl=next((o.seconds for o in own.get("key", ()) if isinstance(o, ast.Duration)), None),
        undo=names["undo"][0] if "undo" in own else "",
        retry=own["retry"][0].value if "retry" in own else 0,
        timeout="timeout" in own,
        pivot="pivot" in own,
        retriable="retriable" in own,
        read_only="read_only" in own,
        promises=promises | own.keys() & {"idempotent", "null_safe", "rejects_after_cancel"},
        rules=rules,
        correlation=(*names.get("correlation", ()), "attempt")[0],
        after=names.get("after", ()),
        undo_after=names.get("undo_after", ()),
    )


class Outside:
    """Services and faults. `saga_of(step)`: the saga that a step belongs to, with its policy; it says which attempts are made for ever."""

    def __init__(self, known: dict[str, Call], kinds: frozenset[str], *, lasting: bool, saga_of) -> None:
        self.known, self.kinds, self.lasting, self.saga_of = known, kinds, lasting, saga_of

    def insists(self, step: str, way: str, attempt: int, outcome: str) -> bool:
        return self.saga_of(step).insists(step, way, attempt, outcome)

    def last(self, step: str, way: str) -> int:
        """The number of the last attempt."""
        return self.of(step).attempts if way == "forward" else 1 + (self.saga_of(step).policy.undo_retries or 0)

    def of(self, step: str) -> Call:
        return self.known[step.rpartition("/")[2].partition("[")[0]]

    def moves(self, world: World):
        """(label, world) of all that happens without the saga: what services do, late replies, faults."""
        found = []
        for message in dict.fromkeys(world.messages):
            rest = world.take(message)
            if message.part in ("request", "copy"):
                found += self.served(message, rest)
            elif message.part == "echo" or message[:3] in world.over:
                found.append((("late", *message[:3]), rest))
            if message.part in ("request", "reply"):
                found += self.spoiled(message, world)
        return found

    def served(self, message: Message, world: World):
        """The service gets a request. Nobody waits for its answer to a second copy."""
        step, way, attempt, part, _ = message
        call_, before = self.of(step), world.record(step)
        reply = Message(step, way, attempt, "reply")
        answered = (lambda w, says=OK: w.put(reply._replace(says=says))) if part == "request" else lambda w, says=OK: w  # noqa: ARG005
        if call_.read_only:
            return [(("ignore", step, way, attempt, ""), answered(world))]
        idempotent, barrier = "idempotent" in call_.promises, "rejects_after_cancel" in call_.promises
        late = self.forgotten(message, world, answered)
        if way == "forward" and idempotent and call_.per_attempt:
            outcomes = (*call_.errors, *(("timeout",) if call_.timeout else ()))
            own = not any(self.insists(step, way, attempt, what) for what in outcomes)
            idempotent = own and (step, attempt) in world.keys
            world = world._replace(keys=world.keys | {(step, attempt)})
        if way == "undo":
            safe = barrier or self.saga_of(step).policy.register == "log" or "null_safe" in call_.promises
            after, how, counts = {
                "applied": ("undone", "", True),
                "fresh": ("cancelled" if barrier else "fresh", "null", not safe),
                "undone": ("undone", "repeat", not idempotent),
                "cancelled": ("cancelled", "null", False),
            }[before]
        elif barrier and before in ("undone", "cancelled"):
            return [(("refuse", step, way, attempt), answered(world, REJECTED)), *late]
        else:
            after, how, counts = {
                "fresh": ("applied", "", True),
                "applied": ("applied", "repeat", not idempotent),
                "undone": ("undone" if idempotent else "applied", "revive", not idempotent),
            }[before]
        known = call_.exists if way == "forward" and before in ("applied", "undone") and not counts else ""
        return self.done(message, world.remember(step, after), answered, how, known, counts=counts) + late

    def done(self, message: Message, world: World, answered, how: str, known: str = "", *, counts: bool = True):
        step, way, attempt, part, _ = message
        found = [(("apply" if counts else "ignore", step, way, attempt, how), answered(world, known or OK))]
        if counts and way == "forward" and part == "request" and "partial" in self.kinds:
            call_, reply = self.of(step), Message(step, way, attempt, "reply")
            for error in [e for e in call_.errors if not call_.sure(e)]:
                failed = world.put(reply._replace(says=error))
                found += self.cause("partial", message, error, failed, lasts=False)
        return found

    def forgotten(self, message: Message, world: World, answered):
        """A key that its service does not remember any more: the request is carried out as a new one.

        That may be where nobody waits for it any more, and where the attempts up to it take longer than the key is kept.
        """
        step, way, attempt, *_ = message
        call_, before = self.of(step), world.record(step)
        knows = {"applied": "idempotent" in call_.promises, "fresh": False}.get(before, True)
        if (
            call_.ttl is None
            or way == "undo"
            or not knows
            or not call_.promises & {"idempotent", "rejects_after_cancel"}
        ):
            return []
        outcomes = (*call_.errors, *(("timeout",) if call_.timeout else ()))
        again = any(self.insists(step, way, attempt, what) for what in outcomes)
        if not (again or (attempt > 1 and attempt * call_.seconds >= call_.ttl) or message[:3] in world.over):
            return []
        how = {"applied": "repeat", "undone": "revive"}.get(before, "")
        return self.done(message, world.remember(step, "applied"), answered, how)

    def spoiled(self, message: Message, world: World):
        """What faults can do to a message on its way."""
        step, way, attempt, part, says = message
        call_ = self.of(step)
        prefix = "undo-" if way == "undo" else ""
        rest = world.take(message)
        found = []
        fails = "undo-fail" if way == "undo" else "reject"
        if part == "request" and fails in self.kinds:
            for error in call_.errors if way == "forward" else (REJECTED,):
                answer = Message(step, way, attempt, "reply", error)
                found += self.cause(fails, message, error, rest.put(answer))
        never = NEVER.get((call_.via, part), ())
        clocks = self.saga_of(step).clocks()
        waits = lambda w: (w.lets_time_out(message) if call_.timeout else w).delays(clocks)  # noqa: E731
        if f"{prefix}lost" in self.kinds and f"{prefix}lost" not in never:
            found += self.cause(f"{prefix}lost", message, "timeout", waits(rest))
        if f"{prefix}slow" in self.kinds and (call_.timeout or clocks):
            found += self.cause(f"{prefix}slow", message, "timeout", waits(world))
        if "duplicate" in self.kinds and "duplicate" not in never:
            second = message._replace(part="copy" if part == "request" else "echo")
            found += self.cause("duplicate", message, DELIVERED, world.put(second))
        return found

    def crash(self, key: str, way: str, attempt: int, world: World):
        """(label, world) where the coordinator has not recorded that this call is done, and makes it again."""
        this = (key, way, attempt)
        if "crash" not in self.kinds or not world.faults:
            return []
        label, spent = ("fault", "crash"), world._replace(faults=world.faults - 1)
        found = []
        for message in dict.fromkeys(world.messages):
            if message[:3] == this and message.part == "request":
                found.append((label, spent.put(message._replace(part="copy"))))
            if message[:3] == this and message.part == "reply":
                found.append((label, spent.take(message).put(request(*this))))
        if this in world.due:
            due = list(world.due)
            due.remove(this)
            found.append((label, spent._replace(due=tuple(due)).put(request(*this))))
        return found

    def cause(self, kind: str, message: Message, what: str, after: World, *, lasts: bool = True):
        """A fault that costs one of those that are left, and may last; or what follows from one that lasts.

        It hits numbered attempts only: none that would be made again for ever after `what` it brings about.
        """
        step, way, attempt, part, _ = message
        label = ("fault", kind, step, way, attempt)
        last = self.last(step, way)
        mark = lambda a: (step, way, a, f"{kind} {part}", what)  # noqa: E731
        lasting = lasts and self.lasting and (what == DELIVERED or not self.insists(*message[:3], what))
        found = []
        if after.faults:
            spent = after._replace(faults=after.faults - 1)
            found.append((label, spent))
            if lasting and attempt < last:
                found.append((label, spent._replace(lasting=tuple(sorted((*spent.lasting, mark(attempt + 1)))))))
        if lasting and mark(attempt) in after.lasting:
            left = list(after.lasting)
            left.remove(mark(attempt))
            if attempt < last:
                left.append(mark(attempt + 1))
            found.append((label, after._replace(lasting=tuple(sorted(left)))))
        return found
