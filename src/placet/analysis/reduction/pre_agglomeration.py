"""Pre-agglomeration: transitions that only prepare a token for others are put off until it is taken.

`x` is empty at first; its producers H put out one token, on `x`, and take from places that nobody else takes from; no
consumer takes more than one token from `x`, and one of them, `f0`, takes nothing else, has no further condition and is not
visible. Each `f` takes the inputs of `h` in place of `x`, for each `h`; `x` and H go. Berthelot 1987. It is applied where
the transitions do not get more, and with more than one `h` no `f` may be fixed.

Preserves. Relate `m` to `m'` if `m'` reaches `m` by transitions of H alone (`m'` has `x` empty). If `m` fires some `h`, `m'`
stays. If `m` fires `f`, its token on `x` came from some `h` fired since `m'`, and `m'` fires that pair. If `m'` fires `h`
then `f`: either `m` fired that `h` since `m'`, then `f` can fire; or it did not, then its inputs still lie there, as H alone
takes from them, and `m` fires `h` then `f`. So both are weakly bisimilar with H silent, bounded or not. Predicates are the
same in `m` and `m'`: an input of each `h` is of the class of `x`, FREE, CHANNEL or ZERO, and none of a more demanding one
(then there is a token on ZERO, or on ZERO and CHANNEL, places in `m` iff there is in `m'`). Dead markings: if `m'` is dead no `h` can fire there, as
its pair with `f0` could; so it is dead in the original too. If `m` is dead, so is `m'`.
Bounds: of the surviving places as they were, as firing H as late as possible shows `m'` itself; that of `x` is at most that of
any input of the `h`, and asked only where one that is asked exists, for each `h`, and there is one `h`.

Lifting: the new transition becomes `h` then `f`. `x` is left empty.
Account: if `h` can fire, its pair with `f0` can: the sequences say it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import UNKNOWN, Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

GROWTH = 2  # arcs that one application may add, in return for a place and a transition


def apply(work: Work, x: int) -> bool:
    """Put the producers of `x` off, if that makes the net smaller."""
    producers, consumers = work.producers[x], work.consumers[x]
    if work.tokens[x] or work.odd_place[x] or work.asked[x] > Asked.ZERO or not producers or not consumers:
        return False
    if len(producers) * len(consumers) > len(producers) + len(consumers):
        return False
    if any(w != 1 for w in consumers.values()):
        return False
    if not any(len(work.pre[f]) == 1 and work.fixed[f] < 2 and work.unconditional(f) for f in consumers):
        return False
    if not all(_can_wait(work, x, h) for h in producers):
        return False
    if len(producers) > 1 and not work.silent(consumers):
        return False
    if len(producers) == 1:
        (h,) = producers
        return _absorb(work, x, h)
    if work.bounded[x]:
        return False
    work.count("pre-agglomeration")
    for h, f in [(h, f) for h in producers for f in consumers]:
        pre = {p: w for p, w in work.pre[f].items() if p != x} | work.pre[h]
        number = work.sequence(work.stands_for[h], work.stands_for[f])
        work.new_transition(pre, dict(work.post[f]), number, work.label[f])
    for t in (*producers, *consumers):
        work.drop_transition(t)
    work.drop_place(x, UNKNOWN, 0, exact=False)
    return True


def _can_wait(work: Work, x: int, h: int) -> bool:
    """Whether `h` does nothing but fill `x`, takes from places of its own, and no predicate can tell."""
    if work.fixed[h] or work.odd_transition[h] or not work.pre[h] or work.post[h] != {x: 1} or x in work.pre[h]:
        return False
    if max(work.asked[p] for p in work.pre[h]) != work.asked[x]:
        return False
    return all(len(work.consumers[p]) == 1 and not work.odd_place[p] for p in work.pre[h])


def _absorb(work: Work, x: int, h: int) -> bool:
    """One producer: its inputs become inputs of every consumer."""
    taken, consumers = work.pre[h], work.consumers[x]
    if len(taken) * len(consumers) > len(taken) + 1 + len(consumers) + GROWTH:
        return False
    shown = work.bound_shown(x, taken)
    if work.bounded[x] and shown < 0:
        return False
    work.count("pre-agglomeration")
    work.drop_transition(h)
    users = list(consumers)
    work.drop_place(x, shown, 0, exact=False)
    for f in users:
        for p, w in taken.items():
            work.pre[f][p] = work.consumers[p][f] = w
            work.touch_place(p)
        work.stands_for[f] = work.sequence(work.stands_for[h], work.stands_for[f])
        work.touch_transition(f)
    return True


PRE_AGGLOMERATION = Rule("pre-agglomeration", "Berthelot 1987", "place", 3, apply)
