"""What the search looks up, against the textbook rule, and the memory it is charged for."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.reachability import explore as textbook
from placet.engines.packing import layout, narrowest
from placet.engines.tables import Tables, TablesFullError, Wiring
from placet.net.firing import enabled, fire_state
from strategies import any_nets, observers


def tables(net, initial, watch, spare, room):
    widths = [width + spare for width in narrowest(net, initial)]
    return Tables(Wiring(net, initial, watch), layout(widths, watch), room)


@settings(max_examples=400)
@given(any_nets(), st.data())
def test_a_row_fires_and_tests_as_the_textbook_does(marked, data):
    net, initial = marked
    watch = data.draw(observers(len(net.transitions)))
    graph = textbook(net, initial, watch, 60)
    made = tables(net, initial, watch, data.draw(st.integers(0, 2)), None)
    fields, count = made.fields, len(net.places)

    def fits(state):
        return all(n >> fields.width[p] == 0 for p, n in enumerate(state[:count]))

    for state, out in graph.edges.items():
        if not fits(state):
            continue
        before = sum(1 << t for t, _ in out)
        for t, after in out:
            _, delta, special = made.firing(t)
            packed = fields.pack(state)
            packed = packed + delta if special is None else special(packed)
            assert bool(packed & fields.guards) != fits(after)
            if fits(after):
                assert fields.unpack(packed) == after == fire_state(net, watch, state, t)
                kept, tests, losing = made.after[t]
                now = before & kept
                lost = [made.triggers[1 << u] for u in range(len(net.transitions)) if losing & before & 1 << u]
                for bit, need, mask, ban, ban_mask in (*tests, *lost):
                    up = packed | fields.guards
                    if (up - need) & mask == mask and not (up - ban) & ban_mask:
                        now |= bit
                assert now == sum(1 << u for u in enabled(net, after[:count]))


@settings(max_examples=200)
@given(any_nets(), st.data())
def test_rows_are_charged_for_once_and_fit_the_room_they_take(marked, data):
    net, initial = marked
    watch = data.draw(observers(len(net.transitions)))
    fired = sorted({t for out in textbook(net, initial, watch, 20).edges.values() for t, _ in out})
    assume(fired)
    free = tables(net, initial, watch, 2, None)
    for t in fired:
        before = free.bytes
        row = free.firing(t)
        assert free.bytes > before
        taken = free.bytes
        assert free.firing(t) is row
        assert free.bytes == taken
    exact, short = (tables(net, initial, watch, 2, free.bytes - less) for less in (0, 1))
    assert [exact.firing(t)[:2] for t in fired] == [free.firing(t)[:2] for t in fired]
    with pytest.raises(TablesFullError):
        for t in fired:
            short.firing(t)
