"""The loops of the compiled engine, for numba: one that enters states into a set, and one that expands states.

Few, iterative, generic over the net: rules come as arrays, so that one compilation serves all nets and is kept on disk.
States lie in rows of words. A slot of the table holds the number of a state, and two states are the same only if all
their words are; the hash (made with the multipliers in `mix`) chooses where to look and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_DE_BRUIJN = 0x03F79D71B4CB0A89
DONE, ROOM, OUTGROWN, FULL = 0, 1, 2, 3  # why `expand` came back


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled at its first call, and kept for the next process where a folder for that can be written."""
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        made = numba.njit(nogil=True)(function)
    found: Callable[..., Any] = made
    return found


def _slot(row, mix, mask):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - inlined by the compiler
    h = row[0] * mix[0]
    h ^= h >> np.uint64(32)
    for w in range(1, len(row)):
        h ^= row[w]
        h *= mix[1]
        h ^= h >> np.uint64(29)
    h *= mix[2]
    h ^= h >> np.uint64(32)
    return np.int64(h & mask)


_slot_of = _compiled(_slot)


_TURNS = np.zeros(64, dtype=np.int64)
for _bit in range(64):
    _TURNS[(_DE_BRUIJN << _bit & (1 << 64) - 1) >> 58] = _bit


def _lowest(bits):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The number of the lowest bit that is set, by multiplication with a de Bruijn sequence."""
    return _TURNS[((bits & (~bits + np.uint64(1))) * np.uint64(_DE_BRUIJN)) >> np.uint64(58)]


_lowest_of = _compiled(_lowest)


def _rehash(rows, count, table, mix):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mask = np.uint64(len(table) - 1)
    for i in range(count):
        at = _slot_of(rows[i], mix, mask)
        while table[at] >= 0:
            at = (at + 1) & np.int64(mask)
        table[at] = i


rehash = _compiled(_rehash)


def _enter(rows, count, table, mix, offered, numbers):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Enter states; the number of each goes to `numbers`. There must be room. Gives the new count."""
    mask = np.uint64(len(table) - 1)
    words = rows.shape[1]
    for k in range(len(offered)):
        at = _slot_of(offered[k], mix, mask)
        while True:
            held = table[at]
            if held < 0:
                for w in range(words):
                    rows[count, w] = offered[k, w]
                table[at] = count
                numbers[k] = count
                count += 1
                break
            same = True
            for w in range(words):
                if rows[held, w] != offered[k, w]:
                    same = False
                    break
            if same:
                numbers[k] = held
                break
            at = (at + 1) & np.int64(mask)
    return count


enter = _compiled(_enter)


def _expand(  # type: ignore[no-untyped-def]  # noqa: ANN202
    rows, count, table, mix, start, end, limit, batch,  # noqa: ANN001
    names, always, keys, keyed,  # noqa: ANN001
    test_from, test_word, test_need, test_mask,  # noqa: ANN001
    ban_from, ban_word, ban_need, ban_mask,  # noqa: ANN001
    crowd_from, crowd_word, crowd_bits,  # noqa: ANN001
    delta, kept, resets, guards,  # noqa: ANN001
    watch_from, watch_word, watch_shift, watch_mask, watch_table, steps,  # noqa: ANN001
    origins, fired, degrees, keep, labels, targets,  # noqa: ANN001
):  # fmt: skip
    """Expand the states from `start` on, those found on the way too, up to `end`.

    Gives (why it came back, the first state that is not expanded, the new count, how many edges were written). Nothing
    of a state that is not expanded is written but new states that it has, which stay at the end of the count. At most
    `batch` successors, and those of one state, are looked up together, so that their misses of the cache overlap. The bit
    `number + number of its origin` of `origins` is set for each new state; both only grow, so that each has a bit of its own.
    """
    words = rows.shape[1]
    rules = len(names)
    mask = np.uint64(len(table) - 1)
    room = min(rows.shape[0], 2 * len(table) // 3)
    made = np.empty((batch + rules, words), dtype=np.uint64)
    label = np.empty(batch + rules, dtype=np.uint32)
    source = np.empty(batch + rules, dtype=np.int64)
    slot = np.empty(batch + rules, dtype=np.int64)
    found = np.empty(batch + rules, dtype=np.int64)
    edges = 0
    asked = np.empty(len(always), dtype=np.uint64)  # the rules that a state may enable, as bits
    i = start
    while i < end and i < count:
        if count + batch + rules > room and count < limit:
            return ROOM, i, count, edges
        if keep and edges + batch + rules > len(labels):
            return ROOM, i, count, edges
        why = DONE
        n = 0
        while i < end and i < count and n < batch:
            begun = n
            for c in range(len(always)):
                asked[c] = always[c]
            for w in range(words):
                marked = rows[i, w] & keys[w]
                while marked != 0:
                    at = w * 64 + _lowest_of(marked)
                    marked &= marked - np.uint64(1)
                    for c in range(len(always)):
                        asked[c] |= keyed[at, c]
            for c in range(len(always)):
                while asked[c] != 0:
                    t = c * 64 + _lowest_of(asked[c])
                    asked[c] &= asked[c] - np.uint64(1)
                    on = True
                    for k in range(test_from[t], test_from[t + 1]):
                        w = test_word[k]
                        if ((rows[i, w] | guards[w]) - test_need[k]) & test_mask[k] != test_mask[k]:
                            on = False
                            break
                    if not on:
                        continue
                    for k in range(ban_from[t], ban_from[t + 1]):
                        w = ban_word[k]
                        if ((rows[i, w] | guards[w]) - ban_need[k]) & ban_mask[k] != 0:
                            on = False
                            break
                    if not on:
                        continue
                    for k in range(crowd_from[t], crowd_from[t + 1]):
                        if rows[i, crowd_word[k]] & crowd_bits[k] != 0:
                            why = OUTGROWN
                    for w in range(words):
                        value = rows[i, w]
                        if resets:
                            value &= kept[t, w]
                        value += delta[t, w]
                        if value & guards[w] != 0:
                            why = OUTGROWN
                        made[n, w] = value
                    for k in range(watch_from[t], watch_from[t + 1]):
                        w = watch_word[k]
                        stored = np.int64((rows[i, w] >> watch_shift[k]) & watch_mask[k])
                        made[n, w] += steps[watch_table[k] + stored]
                    label[n] = names[t]
                    source[n] = i
                    n += 1
            if why != DONE:
                n = begun
                break
            degrees[i - start] = n - begun
            i += 1
        for k in range(n):
            slot[k] = _slot_of(made[k], mix, mask)
        for k in range(n):
            found[k] = table[slot[k]]
        for k in range(n):  # all at once, so that the loads of the rows overlap
            if found[k] >= 0:
                differ = np.uint64(0)
                for w in range(words):
                    differ |= rows[found[k], w] ^ made[k, w]
                if differ != 0:
                    found[k] = -1
        for k in range(n):
            held = found[k]
            if held < 0:
                at = slot[k]
                while True:
                    held = np.int64(table[at])
                    if held < 0:
                        if count >= limit:
                            why = FULL
                            break
                        for w in range(words):
                            rows[count, w] = made[k, w]
                        table[at] = count
                        at = count + source[k]
                        origins[at >> 6] |= np.uint64(1) << np.uint64(at & 63)
                        held = count
                        count += 1
                        break
                    same = True
                    for w in range(words):
                        if rows[held, w] != made[k, w]:
                            same = False
                            break
                    if same:
                        break
                    at = (at + 1) & np.int64(mask)
                if why == FULL:
                    i = source[k]
                    n = k
                    while n > 0 and source[n - 1] == i:
                        n -= 1
                    break
            found[k] = held
        for k in range(n):
            fired[label[k]] = True
            if keep:
                labels[edges + k] = label[k]
                targets[edges + k] = found[k]
        edges += n
        if why != DONE:
            return why, i, count, edges
    return DONE, i, count, edges


expand = _compiled(_expand)
