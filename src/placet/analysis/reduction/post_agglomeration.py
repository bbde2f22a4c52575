"""Post-agglomeration: a place with several consumers, each of which takes nothing else, is melted into its producers.

`x` is empty at first and loses and gets single tokens; its consumers F take nothing but the token on `x` and give none back;
no producer H is fixed. Each pair of `h` and `f` becomes one transition `h` then `f`; `x`, H and F go. Berthelot 1987;
Bonneland, Dyhr, Jensen, Johannsen, Srba 2019 ("Stubborn versus structural reductions for Petri nets") for what it keeps.
It is applied where the transitions do not get more: `|H| * |F| <= |H| + |F|`. One consumer is the rule `series`.

Preserves. The reachable markings of the reduced net are those of the original with `x` empty, and the same holds from any
such marking on: in a run that ends with `x` empty each `f` can be moved to just behind the `h` that served it, as earlier
tokens disable nothing (no output of F is odd). Any marking reaches one with `x` empty by transitions of F, and a predicate
that can be asked survives that (`Work.moves_unseen`, for each `f`). So EF phi agrees; AG EF phi: a marking from which phi is
out of reach reaches one with `x` empty, from which it is out of reach too, and in the reduced net as well; conversely a path
to phi from a reduced marking can be closed with transitions of F. Dead markings have `x` empty. The argument is about
sets of markings, not a bisimulation: nested formulas with next or until are not preserved.
Bounds: of the surviving places as they were, since F takes from `x` alone; that of `x` is at most that of any output of any
`f`, as the same `f` may be fired for all tokens.

Lifting: the new transition becomes `h` then `f`. `x` is left empty.
Account: `h` can fire iff some pair with it can, and so for `f`: the sequences say it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.analysis.reduction.rule import Rule
from placet.analysis.reduction.work import Asked

if TYPE_CHECKING:
    from placet.analysis.reduction.work import Work


def apply(work: Work, x: int) -> bool:
    """Melt `x` into pairs of its producers and consumers, if that makes the net smaller."""
    producers, consumers = work.producers[x], work.consumers[x]
    if work.tokens[x] or work.asked[x] > Asked.ZERO or len(consumers) < 2 or not producers:
        return False
    if len(producers) * len(consumers) > len(producers) + len(consumers):
        return False
    if not work.silent(producers) or not work.silent(consumers) or any(w != 1 for w in producers.values()):
        return False
    for f, w in consumers.items():
        if w != 1 or len(work.pre[f]) != 1 or x in work.post[f] or not work.moves_unseen(x, work.post[f]):
            return False
    shown = max(work.bound_shown(x, work.post[f]) for f in consumers)
    if work.bounded[x] and shown < 0:
        return False
    work.count("post-agglomeration")
    pairs = [(h, f) for h in producers for f in consumers]
    for h, f in pairs:
        post = {q: w for q, w in work.post[h].items() if q != x}
        for q, w in work.post[f].items():
            post[q] = post.get(q, 0) + w
        number = work.sequence(work.stands_for[h], work.stands_for[f])
        work.new_transition(dict(work.pre[h]), post, number, work.label[h])
    for t in (*producers, *consumers):
        work.drop_transition(t)
    work.drop_place(x, shown, 0, exact=False)
    return True


POST_AGGLOMERATION = Rule("post-agglomeration", "Berthelot 1987; Bonneland et al. 2019", "place", 3, apply)
