"""The loop of the compiled walk, for numba: one walker, a step at a time, with all that depends on a place kept up to date.

Generic over the net and the goals, which come as arrays, so that one compilation serves all and is kept on disk. The columns of
`state` are named below. A goal is a formula in postfix over *atoms*: sums of places compared with a bound, or transitions that
are enabled; only the goals of atoms whose truth turned are looked at. The *distance* of a goal, how much its atoms lack, guides
a walk towards it.
"""

from __future__ import annotations

import numpy as np

from placet.engines.kernels import _compiled

ENABLED, SEED, DEAD, STEPS, OVER = 0, 1, 2, 3, 4  # columns of `state`
EVENLY, BY_ORDER, TOWARDS = 0, 1, 2  # how a walker chooses
AND, OR = -1, -2  # in a program; anything else is the number of an atom
_FAR = 1 << 40
_CANDIDATES = 12  # enabled transitions compared at a step towards a goal
HUGE = 1 << 60


def _next(state):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """A random number of 31 bits (xorshift)."""
    x = np.uint64(state[SEED])
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[SEED] = np.int64(x)
    return np.int64(x >> np.uint64(33))


_random = _compiled(_next)


def _gap(total, op, bound):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """By how much a sum misses `<=` (0), `>=` (1), `==` (2), or `!=` (3); 0 where it does not."""
    if op == 0:
        return max(0, total - bound)
    if op == 1:
        return max(0, bound - total)
    if op == 2:
        return abs(total - bound)
    return 1 if total == bound else 0


_gap_of = _compiled(_gap)


def _distance(goal, from_, program, gaps, stack):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The distance of a goal by the gaps of its atoms: the sum over a conjunction, the least over a disjunction."""
    top = 0
    at = from_[goal]
    while at < from_[goal + 1]:
        code = program[at]
        if code >= 0:
            stack[top] = gaps[code]
            top += 1
            at += 1
        else:
            count = program[at + 1]
            at += 2
            value = np.int64(0) if code == AND else np.int64(_FAR)
            for k in range(top - count, top):
                value = min(np.int64(_FAR), value + stack[k]) if code == AND else min(value, stack[k])
            top -= count
            stack[top] = value
            top += 1
    return stack[0]


_distance_of = _compiled(_distance)


def _stretch(  # type: ignore[no-untyped-def]  # noqa: ANN202
    marking, initial, state, steps, mode, focus, order,  # noqa: ANN001
    lacks, enabled, position,  # noqa: ANN001
    cond_from, cond_t, cond_need, cond_below,  # noqa: ANN001
    effect_from, effect_place, effect_value, effect_sets,  # noqa: ANN001
    sums, ops, bounds, gaps, most_sum,  # noqa: ANN001
    use_from, use_atom, use_weight,  # noqa: ANN001
    fire_from, fire_atom,  # noqa: ANN001
    dead_atoms, of_from, of_goal,  # noqa: ANN001
    goal_from, program, stack, found, where, pending,  # noqa: ANN001
    fired, moved, most,  # noqa: ANN001
    first_lacks, first_enabled, first_position, first_sums, first_gaps,  # noqa: ANN001
):  # fmt: skip
    """Take so many steps, or fewer where a count gets huge or all goals are found; anew from the start where nothing is enabled.

    Kinds of atoms in `ops`: 0 to 3 as in `_gap`; 4 the transition of `fire_atom` is enabled, 5 it is not; 6 nothing is enabled,
    7 something is.
    """
    goals = len(found)
    trial = np.empty(len(gaps), dtype=np.int64)
    touched = np.empty(len(gaps), dtype=np.int64)
    mark = np.zeros(len(gaps), dtype=np.uint8)
    fresh = np.empty(len(lacks), dtype=np.int64)
    for step in range(steps):
        count = state[ENABLED]
        if count == 0:
            state[DEAD] = 1
            if len(first_enabled) == 0:
                return step
            marking[:] = initial
            lacks[:] = first_lacks
            position[:] = first_position
            sums[:] = first_sums
            gaps[:] = first_gaps
            count = len(first_enabled)
            enabled[:count] = first_enabled
            state[ENABLED] = count
        # -- choose
        chosen = np.int64(enabled[_random(state) % count])
        if mode == BY_ORDER:
            if _random(state) % 10 != 0:
                best = np.float32(-1.0)
                for k in range(count):
                    if order[enabled[k]] > best:
                        best = order[enabled[k]]
                        chosen = np.int64(enabled[k])
        elif mode == TOWARDS and _random(state) % 16 != 0:
            nearest = np.int64(_FAR)
            ties = 0
            tries = min(count, _CANDIDATES)
            first = _random(state) % count
            stride = max(1, count // tries)
            for k in range(tries):
                t = np.int64(enabled[(first + k * stride) % count])
                n = 0
                for e in range(effect_from[t], effect_from[t + 1]):
                    p = effect_place[e]
                    change = effect_value[e] - marking[p] if effect_sets[e] else effect_value[e]
                    for u in range(use_from[p], use_from[p + 1]):
                        a = use_atom[u]
                        if mark[a] == 0:
                            mark[a] = 1
                            touched[n] = a
                            n += 1
                            trial[a] = sums[a]
                        trial[a] += change * use_weight[u]
                for j in range(n):
                    a = touched[j]
                    mark[a] = 0
                    kept = gaps[a]
                    gaps[a] = _gap_of(trial[a], ops[a], bounds[a])
                    trial[a] = kept
                far = _distance_of(focus, goal_from, program, gaps, stack)
                for j in range(n):
                    gaps[touched[j]] = trial[touched[j]]
                if far < nearest:
                    nearest, ties, chosen = far, 1, t
                elif far == nearest:
                    ties += 1
                    if _random(state) % ties == 0:
                        chosen = t
        # -- fire
        waiting = 0
        fresh_count = 0
        for e in range(effect_from[chosen], effect_from[chosen + 1]):
            p = effect_place[e]
            old = marking[p]
            new = effect_value[e] if effect_sets[e] else old + effect_value[e]
            if new == old:
                continue
            marking[p] = new
            if new > most[p]:
                most[p] = new
                if new > HUGE:
                    state[OVER] = 1
                    return step
            if new != initial[p]:
                moved[p] = True
            for c in range(cond_from[p], cond_from[p + 1]):
                was = (old >= cond_need[c]) != cond_below[c]
                now = (new >= cond_need[c]) != cond_below[c]
                if was != now:
                    t = cond_t[c]
                    if now:
                        lacks[t] -= 1
                    else:
                        lacks[t] += 1
                    if now and lacks[t] == 0:
                        position[t] = state[ENABLED]
                        enabled[position[t]] = t
                        state[ENABLED] += 1
                        if fired[t] == 0:
                            fired[t] = 2
                            fresh[fresh_count] = t
                            fresh_count += 1
                    elif not now and lacks[t] == 1:
                        state[ENABLED] -= 1
                        last = enabled[state[ENABLED]]
                        enabled[position[t]] = last
                        position[last] = position[t]
                        position[t] = -1
                    for u in range(fire_from[t], fire_from[t + 1]):
                        a = fire_atom[u]
                        gap = lacks[t] if ops[a] == 4 else np.int64(1 if lacks[t] == 0 else 0)
                        if (gap == 0) != (gaps[a] == 0):
                            for g in range(of_from[a], of_from[a + 1]):
                                if pending[of_goal[g]] == 0:
                                    pending[of_goal[g]] = 1
                                    waiting += 1
                        gaps[a] = gap
            for u in range(use_from[p], use_from[p + 1]):
                a = use_atom[u]
                sums[a] += (new - old) * use_weight[u]
        for k in range(fresh_count):  # another change of the same firing may have disabled it again
            fired[fresh[k]] = 1 if lacks[fresh[k]] == 0 else 0
        # sums may pass through values between two places: compare them when all places have changed
        for e in range(effect_from[chosen], effect_from[chosen + 1]):
            p = effect_place[e]
            for u in range(use_from[p], use_from[p + 1]):
                a = use_atom[u]
                most_sum[a] = max(most_sum[a], sums[a])
                gap = np.int64(_gap_of(sums[a], ops[a], bounds[a]))
                if (gap == 0) != (gaps[a] == 0):
                    for g in range(of_from[a], of_from[a + 1]):
                        if pending[of_goal[g]] == 0:
                            pending[of_goal[g]] = 1
                            waiting += 1
                gaps[a] = gap
        for k in range(len(dead_atoms)):
            a = dead_atoms[k]
            gap = state[ENABLED] if ops[a] == 6 else np.int64(1 if state[ENABLED] == 0 else 0)
            if (gap == 0) != (gaps[a] == 0):
                for g in range(of_from[a], of_from[a + 1]):
                    if pending[of_goal[g]] == 0:
                        pending[of_goal[g]] = 1
                        waiting += 1
            gaps[a] = gap
        # -- look
        if waiting:
            left = 0
            for g in range(goals):
                if pending[g]:
                    pending[g] = 0
                    if not found[g] and _distance_of(g, goal_from, program, gaps, stack) == 0:
                        found[g] = True
                        if len(where):
                            where[g] = marking
                if not found[g]:
                    left += 1
            if left == 0 or (mode == TOWARDS and found[focus]):
                return step + 1
    return steps


stretch = _compiled(_stretch)
