"""What the language server answers, asked without the protocol."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CHECKOUT
from placet.lsp.answers import Document, Refused, completions, definitions, hover, references, rename
from placet.pipeline import compile_source
from placet.source import SourceFile

MODELS = sorted((CHECKOUT / "models").rglob("*.placet"))
TEXT = """\
service bank { idempotent }
service mail
saga pay {
  step charge on bank { undo refund; retry 2 }
  step ship on bank { undo recall(ship.reply); after charge }
  task tell on mail fails Bounced
}
workflow order {
  try { call pay on compensated { end sorry } on failed { raise Bounced } } on Bounced { task look }
  end delivered
}
net lock {
  place free = 1, taken
  transition take: free -> taken
  transition give: taken -> free
}
check sound(order), never(pay.charge.done and order.sorry) "no"
check bounded(lock), possible(taken >= 1), live(take)
"""


def document(text=TEXT):
    return Document("order.placet", text)


def at(marked):
    """The document and the offset of the `|` in a text."""
    return document(marked.replace("|", "", 1)), marked.index("|")


def lines_of(found):
    return [o.span.line for o in found]


@pytest.mark.parametrize(
    ("word", "nth", "declared", "used"),
    [
        ("bank", 1, [1], [1, 4, 5]),
        ("charge", 0, [4], [4, 5, 17]),
        ("charge", 2, [4], [4, 5, 17]),
        ("ship", 1, [5], [5, 5]),
        ("pay", 0, [3], [3, 9, 17]),
        ("pay", 2, [3], [3, 9, 17]),
        ("sorry", 1, [9], [9, 17]),
        ("Bounced", 0, [6], [6, 9, 9]),
        ("taken", 3, [13], [13, 14, 15, 18]),
        ("take", 1, [14], [14, 18]),
        ("refund", 0, [4], [4]),
    ],
)
def test_where_names_are_declared_and_used(word, nth, declared, used):
    import re

    offset = [m.start() for m in re.finditer(rf"\b{word}\b", TEXT)][nth]
    found = document()
    assert lines_of(definitions(found, offset)) == declared
    assert lines_of(references(found, offset)) == used
    assert all(o.span.text == word for o in references(found, offset))


def test_hover_shows_the_declaration_a_check_and_the_page_of_a_diagnostic():
    assert "step charge on bank { undo refund; retry 2 }" in hover(document(), TEXT.rindex("charge"))
    assert "used twice" not in hover(document(), TEXT.rindex("charge"))
    assert "used 2 times" in hover(document(), TEXT.rindex("charge"))
    assert hover(document(), TEXT.index("sound")).startswith("# sound")
    assert hover(document(), 0, ("P101",)).startswith("# P101")
    assert hover(document(), TEXT.index("workflow")) == ""


def test_rename_changes_every_use_and_nothing_else():
    found = document()
    spans = rename(found, TEXT.index("charge"), "debit")
    text = TEXT
    for span in sorted(spans, key=lambda s: -s.start):
        text = text[: span.start] + "debit" + text[span.end :]
    assert "charge" not in text
    assert text.count("debit") == 3
    assert not compile_source(SourceFile("x.placet", text)).broken


@pytest.mark.parametrize(
    ("word", "new", "why"),
    [
        ("charge", "ship", "something else"),
        ("charge", "two words", "no name"),
        ("charge", "", "no name"),
        ("charge", "9", "no name"),
        ("workflow", "flow", "no name of this file"),
        ("free", "taken", "something else"),
    ],
)
def test_a_rename_that_would_change_the_meaning_is_refused(word, new, why):
    with pytest.raises(Refused, match=why):
        rename(document(), TEXT.index(word), new)


def test_a_text_with_errors_is_not_renamed_in():
    with pytest.raises(Refused, match="mend the errors"):
        rename(document(TEXT + "workflow {"), TEXT.index("charge"), "debit")


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.name)
def test_every_name_of_the_shipped_models_can_be_renamed(path):
    """To a name that nothing else has: the file still compiles, and to as many questions."""
    text = path.read_text(encoding="utf-8")
    before = Document(str(path), text)
    queries = [len(c.queries) for c in compile_source(before.source).compiled]
    seen = set()
    for one in before.index.occurrences:
        if one.symbol in seen or len(seen) > 12:
            continue
        seen.add(one.symbol)
        if one.symbol.kind == "service" and not any(o.declares for o in references(before, one.span.start)):
            with pytest.raises(Refused, match="declared in another file"):
                rename(before, one.span.start, "a_name_of_its_own")
            continue
        spans = rename(before, one.span.start, "a_name_of_its_own")
        changed = text
        for span in sorted(spans, key=lambda s: -s.start):
            changed = changed[: span.start] + "a_name_of_its_own" + changed[span.end :]
        loaded = compile_source(SourceFile(str(path), changed))
        assert not loaded.broken, (one, loaded.diagnostics)
        assert [len(c.queries) for c in loaded.compiled] == queries


def proposed(marked):
    return [p.text for p in completions(*at(marked))]


def test_completion_follows_the_grammar():
    assert "workflow" in proposed("|")
    assert "task" not in proposed("|")
    assert "task" in proposed("workflow a { |")
    assert "undo" in proposed("saga a { step b { |")
    assert "undo" not in proposed("workflow a { task b |")
    assert "on" in proposed("workflow a { task b |")


def test_completion_proposes_the_names_that_make_sense():
    head = "service bank service mail saga s uses dtm { step a on bank step b on bank { after a } } "
    assert proposed(head + "workflow w { task x on |")[:2] == ["bank", "mail"]
    assert "s" in proposed(head + "workflow w { call |")
    assert "temporal-go" in proposed("saga s uses |")
    assert "sound" in proposed(head + "check |")
    assert "a.done" in proposed(head + "check never(|")
    assert "L2" in proposed(head + "check coverage(s) at |")
    assert "lost" in proposed(head + "check sound(s) under { |")


@settings(max_examples=150)
@given(st.text(max_size=60), st.integers(0, 60))
def test_any_text_is_answered(text, offset):
    found = document(TEXT[: 7 * offset] + text + TEXT[7 * offset :])
    where = min(offset, len(found.source.text))
    hover(found, where)
    definitions(found, where)
    completions(found, where)


DATA = """
param SEATS = 2
var stock : 0..SEATS = SEATS
var light : {red, green}
topic orders on kafka
workflow shop {
  var rated : bool
  receive orders.Placed
  loop at_most SEATS {
    choice { when stock >= 1 and light == red { task sell sets stock = stock - 1, rated = any } otherwise { end empty } }
  } until rated
}
check never(stock == 0 and light == green)
"""


@pytest.mark.parametrize(
    ("word", "kind", "count"),
    [
        ("SEATS", "parameter", 4),
        ("stock", "variable", 5),
        ("light", "variable", 3),
        ("red", "value", 2),
        ("rated", "variable", 3),
    ],
)
def test_data_has_names_too(word, kind, count):
    is_told_of(DATA, word, kind, count)


HELD = """
pool db 2
service bank { bulkhead 1 }
saga pay {
  with db { step charge on bank { undo refund } }
  acquire db
  release db
}
check never(bank.calls > 1), possible(pay, bank.sent >= 1)
"""


@pytest.mark.parametrize(("word", "kind", "count"), [("db", "pool", 4), ("bank", "service", 4)])
def test_pools_and_what_is_asked_of_services(word, kind, count):
    is_told_of(HELD, word, kind, count)


def is_told_of(text, word, kind, count):
    found = document(text)
    offset = text.index(word)
    assert kind in hover(found, offset)
    assert [o.span.text for o in references(found, offset)] == [word] * count
    assert len(rename(found, offset, "another")) == count


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.name)
def test_every_name_of_the_shipped_models_is_told_of(path):
    found = Document(str(path), path.read_text(encoding="utf-8"))
    for one in found.index.occurrences:
        assert f"`{one.symbol.text}`" in hover(found, one.span.start), one


def test_signals_are_names():
    text = "workflow w { signal go try { receive go } on signal go beside { } on signal stop { } }\ncheck possible(go.done)\n"
    assert len(rename(document(text), text.index("go"), "start")) == 4
    assert len(rename(document(text), text.index("stop"), "halt")) == 1


ARRAYS = """
param N = 3
service shard[N]
topic bids[N] { capacity 1; outside 1 }
saga order[k in 1..N] {
  parallel { step reserve[i in 1..N] on shard[i % N + 1] { undo release[i]; retry i } }
  step pay on shard[k] { undo refund; after reserve[1..N] }
  receive bids[k].Made
}
net ring { place seat[N] = 1; transition move[i in 1..N]: seat[i] -> seat[i % N + 1] }
check never(order[k].reserve[i].done and order[k].pay.done) for each k in 1..N for each i in 1..N
"""


@pytest.mark.parametrize(
    ("word", "kind", "count"),
    [
        ("N", "parameter", 12), ("shard", "service", 3), ("bids", "topic", 2), ("order", "", 3), ("reserve", "`order`", 3),
        ("k", "number", 3), ("i in 1..N] on", "number", 4), ("seat", "place", 3), ("Made", "message", 1), ("release", "undo", 1),
        ("k in 1..N for", "number", 3), ("i in 1..N\n", "number", 2), ("pay", "`order`", 2),
    ],
)  # fmt: skip
def test_names_with_indices(word, kind, count):
    found = document(ARRAYS)
    offset = ARRAYS.index(f"{word} in" if word == "k" else word)
    name = re.match(r"\w+", word)[0]
    assert kind in hover(found, offset)
    assert [o.span.text for o in references(found, offset)] == [name] * count
    assert len(rename(found, offset, "another")) == count
