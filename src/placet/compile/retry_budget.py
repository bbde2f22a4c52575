"""A budget of retries that the attempts of a whole saga draw from: `retry_budget shared 3`, `retry_budget forward 3`.

One record for each number of retries that are left, one of them marked. What is tried until it succeeds does not draw: it would
stop being that. An attempt that finds nothing left is the last one of its call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import record
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.call_parts import Call
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Policy
    from placet.net.roles import Role


class Draw(NamedTuple):
    """One way to try again: what it takes and gives besides, what is said of it, also in its role (`how`, of `Role.retries`)."""

    suffix: str = ""
    taken: tuple[int, ...] = ()
    given: tuple[int, ...] = ()
    how: str = ""
    words: str = ""

    def of(self, role: Role) -> Role:
        """The role of the transition that tries again in this way."""
        return role._replace(retries=self.how) if self.how else role


class Draws(NamedTuple):
    """The ways to try again, and the record that there is none: nothing where retries are not counted."""

    ways: tuple[Draw, ...] = (Draw(),)
    none: tuple[int, ...] = ()


FREE = Draws()
DRAWS, SPENT = "draws", "spent"
NONE_LEFT = ", and no retries are left"


def shares(policy: Policy | None) -> bool:
    """Whether the undos of a saga draw from the budget of its steps."""
    return policy is not None and policy.retry_budget is not None and policy.retry_budget_of == "shared"


def draws_of(call: Call, *, undo: bool = False) -> Draws:
    """How an attempt of this call, or of its undo, is followed by another one."""
    most = call.policy.retry_budget
    if most is None or (undo and not shares(call.policy)):
        return FREE
    agenda, env = call.agenda, call.env
    left = left_of(agenda, env, most)
    ways = tuple(Draw(f".left[{i}]", (left[i],), (left[i - 1],), DRAWS, _uses(i)) for i in range(most, 0, -1))
    return Draws(ways, (left[0],))


def left_of(agenda: Agenda, env: Env, most: int) -> list[int]:
    """The records of how many retries are left, by their number."""
    left = agenda.retries.get(env.budget)
    if left is None:
        saga = env.budget.rpartition("/")[2]
        left = agenda.retries[env.budget] = [
            record(
                agenda, f"{env.budget}#retries[{i}]", env, env.stem, f"`{saga}` has {_times(i)} left", None, i == most
            )
            for i in range(most + 1)
        ]
    return left


def renewed_retries(agenda: Agenda, start: int, env: Env, most: int) -> int:
    """All retries are left again, before what begins at `start`. Gives the place where it goes on."""
    left, frame = left_of(agenda, env, most), env.frame
    words = f"`{frame.name}` may try again as often as at first"
    after = agenda.place(f"{frame.path}#retries", env, frame.process.id, words, frame.process.span)
    for i, place in enumerate(left):
        label, pre, post = f"{frame.path}#retries.reset[{i}]", (start, place), (after, left[most])
        agenda.draft.quiet.add(agenda.move(label, pre, post, env, frame.process.id, words, frame.process.span))
    return after


def _times(count: int) -> str:
    return f"{count or 'no'} {'retry' if count == 1 else 'retries'}"


def _uses(left: int) -> str:
    return ", and uses the last retry" if left == 1 else f", and uses one of {left} retries"
