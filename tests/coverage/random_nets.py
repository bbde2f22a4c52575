"""Random small nets with random roles: what no compiler would write, such as sets that never come to rest."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from placet.compiled import Compiled, Origin, OriginMap
from placet.faults.weave import Woven
from placet.net.core import Net
from placet.net.final import Final, PlaceClass
from placet.net.roles import PLAIN, Channel, Kind, Role, Roles, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS = ("n#end.completed", "n#end.compensated", "n#end.failed")
STEPS = ("n/a", "n/b")
MOVES = (
    (Kind.ROUTE, "", ""),
    (Kind.ROUTE, "", "commits"),
    (Kind.ROUTE, "", "escalates"),
    (Kind.SEND, "forward", ""),
    (Kind.SEND, "undo", ""),
    (Kind.APPLY, "forward", ""),
    (Kind.APPLY, "forward", ""),
    (Kind.APPLY, "undo", ""),
    (Kind.IGNORE, "forward", ""),
    (Kind.IGNORE, "undo", ""),
    (Kind.REFUSE, "forward", ""),
    (Kind.REPLY, "forward", "knows"),
    (Kind.REPLY, "forward", "commits"),
)
FAULTS = (("reject", "forward"), ("partial", "forward"), ("lost", "forward"), ("undo-fail", "undo"))


class Move(NamedTuple):
    """A transition: the places it takes from and gives to, and its role."""

    takes: tuple[int, ...]
    gives: tuple[int, ...]
    role: Role
    knows: bool = False  # the coordinator learns by it that its step is done


class RandomNet(NamedTuple):
    """A net of `places` places before the ends; `tokens` on its first places, and faults that may happen."""

    places: int
    tokens: int
    faults: int
    steps: tuple[Step, ...]
    moves: tuple[Move, ...]

    def woven(self) -> Woven:
        """As what weaving gives."""
        plain = [f"n/p{i}" for i in range(self.places)]
        first_channel = self.places + len(ENDS)
        messages = [f"{s}#{part}" for s in STEPS for part in ("request", "ok", "undo")]
        names = (*plain, *ENDS, *messages, "n#faults")
        budget = len(names) - 1
        request = {s: first_channel + 3 * k for k, s in enumerate(STEPS)}
        pre, post, roles, transitions, causes = [], [], [], [], []
        knows: dict[str, list[int]] = {s: [] for s in STEPS}
        for t, move in enumerate(self.moves):
            role = move.role
            cause = role.kind is Kind.FAULT
            takes, gives = list(move.takes), list(move.gives)
            if cause:  # it hits a message, which is on its way for ever: whether it can happen the other places tell
                message = request[role.step] + (2 if role.direction == "undo" else 0)
                takes, gives = [*takes, message, budget], [*gives, message]
                causes.append(t)
            if move.knows:
                takes, gives = [*takes, request[role.step] + 1], [*gives, request[role.step] + 1]
                knows[role.step].append(t)
            pre.append(tuple(sorted((p, takes.count(p)) for p in set(takes))))
            post.append(tuple(sorted((p, gives.count(p)) for p in set(gives))))
            roles.append(role)
            transitions.append(f"t{t}:{role.fault}" if cause else f"t{t}")
        none = ((),) * len(self.moves)
        net = Net(names, tuple(transitions), tuple(pre), tuple(post), none, none, none)
        initial = [0] * len(names)
        for i in range(self.tokens):
            initial[i] = 1
        for s in STEPS:
            for k in range(3):
                initial[request[s] + k] = 1
        initial[budget] = self.faults
        channels = []
        for s in STEPS:
            at = request[s]
            channels.append(Channel(at, s, "forward", "request", 1, -1, answered=at + 1))
            channels.append(Channel(at + 1, s, "forward", "reply", 1, -1))
            channels.append(Channel(at + 2, s, "undo", "request", 1, -1))
        classes = [PlaceClass.CONTROL] * first_channel + [PlaceClass.CHANNEL] * len(messages) + [PlaceClass.BUDGET]
        compiled = Compiled(
            "n",
            "saga",
            net,
            tuple(initial),
            Final(tuple(range(self.places, first_channel)), tuple(classes)),
            Roles(tuple(roles), tuple(channels), self.steps),
            OriginMap(tuple(Origin(p, p) for p in names), tuple(Origin(t, t) for t in transitions)),
            steps=tuple((s, tuple(found)) for s, found in knows.items()),
        )
        return Woven(compiled, budget, len(self.moves), budget, tuple(causes), ())


def random_net(seed: int) -> RandomNet:
    """The net of a number."""
    rng = random.Random(seed)
    places = rng.randint(2, 5)
    tokens = rng.choice([1, 1, 2])
    everywhere = range(places + len(ENDS))
    steps = tuple(
        Step(
            s,
            rng.choice(["n", "n", "n/q"]),
            "z",
            "u",
            rng.random() < 0.2,
            retriable=False,
            read_only=rng.random() < 0.1,
            guarantees=(),
            depends=tuple(d for d in STEPS[:k] if rng.random() < 0.5),
            effect=-1,
            reply=rng.random() < 0.3,
            follows=STEPS[:k][-1:] if rng.random() < 0.2 else (),
        )
        for k, s in enumerate(STEPS)
    )
    moves = []
    for s in STEPS:  # every step can be asked for and known, or what is held could not be told
        moves.append(_move(rng, places, everywhere, Role(Kind.SEND, s, "forward", 1)))
        moves.append(_move(rng, places, everywhere, Role(Kind.REPLY, s, "forward", 1))._replace(knows=True))
    for _ in range(rng.randint(2, 9)):
        kind, direction, more = rng.choice(MOVES)
        role = Role(kind, rng.choice(STEPS), direction, 1) if direction else PLAIN._replace(kind=kind)
        role = role._replace(commits=more == "commits", escalates=more == "escalates")
        moves.append(_move(rng, places, everywhere, role)._replace(knows=more == "knows"))
    for _ in range(rng.randint(0, 3)):
        fault, direction = rng.choice(FAULTS)
        role = Role(Kind.FAULT, rng.choice(STEPS), direction, 1, fault=fault, commits=rng.random() < 0.2)
        moves.append(_move(rng, places, everywhere, role))
    return RandomNet(places, tokens, rng.choice([0, 1, 1, 2]), steps, tuple(moves))


def _move(rng: random.Random, places: int, everywhere: range, role: Role) -> Move:
    """Mostly one token from here to there, so that the net stays bounded."""
    taken = rng.choice([1, 1, 1, 2])
    anywhere = rng.random() < 0.05  # from an end as well
    takes = tuple(rng.choice(everywhere) if anywhere else rng.randrange(places) for _ in range(taken))
    gives = tuple(rng.choice(everywhere) for _ in range(rng.choice([taken, taken, taken, 1])))
    return Move(takes, gives, role)


def smaller_nets(found: RandomNet) -> Iterator[RandomNet]:
    """Nets that are a little simpler."""
    needed = 2 * len(STEPS)
    for k in range(needed, len(found.moves)):
        yield found._replace(moves=(*found.moves[:k], *found.moves[k + 1 :]))
    for k in range(needed):
        still = found.moves[k]._replace(takes=(0, 0, 0, 0), gives=(0, 0, 0, 0))
        if found.moves[k] != still:
            yield found._replace(moves=(*found.moves[:k], still, *found.moves[k + 1 :]))
    if found.faults:
        yield found._replace(faults=found.faults - 1)
    if found.tokens > 1:
        yield found._replace(tokens=1)
    for k, s in enumerate(found.steps):
        plain = Step(
            s.id, "n", "z", "u", pivot=False, retriable=False, read_only=False, guarantees=(), depends=(), effect=-1
        )
        for field in ("saga", "pivot", "read_only", "depends", "reply"):
            if getattr(s, field) != getattr(plain, field):
                simpler = s._replace(**{field: getattr(plain, field)})
                yield found._replace(steps=(*found.steps[:k], simpler, *found.steps[k + 1 :]))
