"""Series fusion: a place whose only consumer takes nothing else is melted into what that consumer puts out.

`x` has one consumer `t`, `pre(t) = {x: 1}`, and `t` gives nothing back to `x`. Every producer `h` puts, in place of each
token on `x`, the outputs of `t`; `x` and `t` go. With one output it is the fusion of series places (Murata 1989, section
IV, fig. 22a), with one producer the fusion of series transitions (fig. 22b); in general it is the post-agglomeration of
Berthelot (1987, "Transformations and decompositions of nets") with one consumer, and rule phi_A of Desel and Esparza
("Free choice Petri nets", 1995, chapter 7), which needs no free choice.

Preserves. Let `h(m)` be `m` with each token on `x` replaced by the outputs of `t`. If `m` fires `u` then `h(m)` fires `u`
to the image of the result (and stays where it is for `u = t`). If `h(m)` fires `u`, then `m` fires `t` as often as `x`
has tokens and then `u`. So `m` and `h(m)` are weakly bisimilar with `t` silent, for any initial tokens, any weight of
the arcs into `x`, and bounded or not. Predicates: if `phi(m)` then `phi(h(m))`, as a predicate that can be asked is not
changed by the exchange (`Work.moves_unseen`); if `phi(h(m))` then `m` reaches a marking with `phi` by `t` alone. Dead
markings have `x` empty and are their own images. Hence EF, AG EF, deadlock with its marking, and terminal components.
Bounds: the surviving places have theirs, since `m` reaches `h(m)`; the bound of `x` is at most that of any output.

Lifting: `h` becomes `h` and then `t` for each token; initial tokens of `x` fire `t` first. `x` is left empty.
Account: `t` can fire iff `x` is marked initially or some `h` can fire, which is what the sequences say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work

GROWTH = 2  # arcs that one fusion may add, in return for a place and a transition


def apply(work: Work, x: int) -> bool:
    """Fuse the longest series that starts at `x`, from its far end back, so that each arc is moved once."""
    t = _consumer(work, x)
    if t < 0:
        return False
    path = {x: None}
    onward = t
    while len(work.post[onward]) == 1:
        (y,) = work.post[onward]
        onward = _consumer(work, y)
        if onward < 0 or y in path:
            break
        path[y] = None
    if len(path) == 1:
        _fuse(work, x, t)
        return True
    for y in reversed(path):
        t = _consumer(work, y)
        if t >= 0:
            _fuse(work, y, t)
    return bool(work.place_gone[x])


def _consumer(work: Work, x: int) -> int:
    """The transition that `x` can be fused over, or -1."""
    consumers = work.consumers[x]
    if len(consumers) != 1:
        return -1
    ((t, w),) = consumers.items()
    if w != 1 or len(work.pre[t]) != 1 or work.fixed[t] or work.odd_transition[t]:
        return -1
    post = work.post[t]
    if x in post:
        return -1
    if len(post) == 1:
        (q,) = post
        return t if work.moves_unseen(x, (q,)) and work.bounded[x] <= work.bounded[q] else -1
    sources = len(work.producers[x])
    if sources > 1 and sources * len(post) > sources + len(post) + 1 + GROWTH:
        return -1
    if not work.moves_unseen(x, post) or (work.bounded[x] and work.bound_shown(x, post) < 0):
        return -1
    return t


def _fuse(work: Work, x: int, t: int) -> None:
    work.counts["series"] = work.counts.get("series", 0) + 1
    post, producers, tokens = work.post, work.producers, work.tokens
    outputs, number = post[t], work.stands_for[t]
    shown = work.bound_shown(x, outputs)
    work.bound_log.append((x, shown, 0, False))
    work.place_gone[x] = work.transition_gone[t] = 1
    for q in outputs:
        del producers[q][t]
        work.touch_place(q)
    told = work.asked[x] == Asked.CHANNEL or (shown >= 0 and work.bounded[shown] > work.bounded[x])
    for h, w in producers[x].items():
        out = post[h]
        wide = len(out)
        del out[x]
        for q, v in outputs.items():
            producers[q][h] = out[q] = out.get(q, 0) + v * w
        work.stands_for[h] = work.sequence(work.stands_for[h], number, w)
        if told or len(out) < wide:  # else a place before `h` can be fused no better than before
            work.touch_transition(h)
        elif not work.transition_listed[h]:
            work.transition_listed[h] = 1
            work.dirty_transitions.append(h)
    if tokens[x]:
        work.prefix.append((number, tokens[x]))
        for q, v in outputs.items():
            tokens[q] += v * tokens[x]


SERIES = Rule("series", "Murata 1989, IV; Berthelot 1987; Desel, Esparza 1995", "place", 0, apply)
