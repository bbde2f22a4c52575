"""Random syntax trees of every construct, without spans."""

from __future__ import annotations

from hypothesis import strategies as st

from placet.source import SourceFile, Span
from placet.syntax import ast
from placet.syntax.tables import ROWS, TERMINALS, WORDS

NOWHERE = Span(SourceFile("", ""), 0, 0)
NAME = TERMINALS.index("NAME")

# Words that the grammar takes as keywords in some place where a name could stand: the reserved ones.
EVERYWHERE = {word for row in ROWS if NAME in row for word, kind in WORDS.items() if kind in row}
# Those that are reserved in the braces of `annotate` only, where lines begin with names.
SIDED = {
    "annotate", "as", "assuming", "at", "check", "choreography", "end", "fails", "import", "machine", "net", "on", "param", "pool", "saga", "service", "state", "system", "topic", "under", "undone",
    "until", "var", "waive", "workflow",
}  # fmt: skip
RESERVED = EVERYWHERE - SIDED


def without_spans(value):
    """The same tree with every span NOWHERE."""
    if isinstance(value, Span):
        return NOWHERE
    if isinstance(value, ast.File):
        return without_spans(value.items)
    if isinstance(value, tuple):
        parts = [without_spans(v) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


_every_word = st.one_of(
    st.sampled_from(sorted(set(WORDS) - RESERVED)),
    st.from_regex(r"[a-zA-Z_éß][a-zA-Z0-9_é]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True),
).filter(lambda word: word not in RESERVED)


@st.composite
def _word(draw) -> str:
    """One of them; its own strategy, since hypothesis shows what larger ones are made of."""
    return draw(_every_word)


words = _word()
names = words.map(lambda text: ast.Name(text, NOWHERE))
paths = (
    st.lists(words, min_size=1, max_size=3)
    .map(".".join)
    .filter(lambda t: t not in RESERVED)
    .map(lambda text: ast.Name(text, NOWHERE))
)
texts = st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=("Cs",)), max_size=12).map(
    lambda text: ast.Text(text, NOWHERE)
)
numbers = st.integers(0, 10**9).map(lambda n: ast.Number(n, NOWHERE))
UNITS = {"ms": 0.001, "s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800}
durations = st.builds(
    lambda n, unit: ast.Duration(float(n) * UNITS[unit], f"{n}{unit}", NOWHERE),
    st.one_of(st.integers(0, 9999).map(str), st.sampled_from(["0.5", "1.25"])),
    st.sampled_from(sorted(UNITS)),
)


def maybe(strategy):
    return st.none() | strategy


def many(strategy, least=0, most=3):
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def option(key, *operands):
    return st.tuples(*operands).map(
        lambda o: ast.Option(ast.Name(key, NOWHERE), tuple(x for x in o if x is not None), NOWHERE)
    )


def word(text):
    return st.just(ast.Name(text, NOWHERE))


signed = st.integers(-5, 10**9).map(lambda n: ast.Number(n, NOWHERE))
params = words.map(lambda text: ast.Number(0, NOWHERE, text))
limits = signed | params
counts = numbers | params

GUARANTEES = ("idempotent", "null_safe", "rejects_after_cancel")
guarantees = st.one_of(*(option(key) for key in GUARANTEES))
held_back = st.one_of(
    option("circuit_breaker", word("after"), counts, maybe(durations)),
    option("bulkhead", counts, maybe(word("wait") | word("reject"))),
    option("rate_limit", counts, word("per"), durations, maybe(word("wait") | word("reject"))),
)
retry_word = st.just(ast.Name("retry", NOWHERE))
options = st.one_of(
    guarantees,
    *(option(key) for key in ("pivot", "retriable", "read_only")),
    option("undo", paths, maybe(paths)),
    option("retry", counts),
    option("timeout", durations),
    option("register", names),
    option("key", names, maybe(durations)),
    option("key", names, word("per"), word("run") | word("attempt"), maybe(durations)),
    option("correlation", names),
    option("effect", names, names, counts),
    many(names, 1).map(lambda o: ast.Option(ast.Name("after", NOWHERE), o, NOWHERE)),
)
policies = st.one_of(
    *(
        option(key, names)
        for key in (
            "siblings",
            "cancellation",
            "children",
            "recovery",
            "deadline",
            "failing_step",
            "undo_order",
            "register",
            "on unknown",
        )
    ),
    option("on undo_failure", names),
    option("on undo_failure", retry_word, maybe(numbers), maybe(names)),
)
error_rules = st.one_of(
    st.builds(ast.ErrorRule, paths, st.none(), names, st.just(NOWHERE)),
    st.builds(ast.ErrorRule, paths, counts, maybe(names), st.just(NOWHERE)),
    st.builds(ast.ErrorRule, paths, counts, maybe(names), st.just(NOWHERE), many(durations, 1, 2)),
)
expressions = st.builds(
    ast.Expression,
    many(st.tuples(st.integers(-3, 3), names) | st.tuples(st.integers(-9, 9), st.none()), 1),
    st.just(NOWHERE),
)
assignments = st.one_of(
    st.builds(ast.Assignment, names, expressions, st.just(False), st.just(NOWHERE)),
    names.flatmap(
        lambda flipped: st.builds(
            ast.Assignment, names, st.just(ast.Expression(((1, flipped),), NOWHERE)), st.just(True), st.just(NOWHERE)
        )
    ),
)
domains = st.one_of(
    st.builds(ast.Domain, names, st.just(()), st.none(), st.none(), st.just(NOWHERE)),
    st.builds(ast.Domain, st.none(), many(names, 1), st.none(), st.none(), st.just(NOWHERE)),
    st.builds(
        ast.Domain,
        st.none(),
        st.just(()),
        limits,
        limits,
        st.just(NOWHERE),
    ),
)
values = names | st.integers(-5, 10**9).map(lambda n: ast.Number(n, NOWHERE))
variables = st.builds(ast.Variable, names, domains, maybe(values), st.just(NOWHERE))
atoms = st.builds(ast.Atom, paths, st.just(NOWHERE))
bounds = numbers | expressions.filter(lambda e: len(e.terms) > 1 or e.terms[0][1] is not None or e.terms[0][0] < 0)
formulas = st.recursive(
    atoms
    | st.builds(
        ast.Compare,
        many(st.tuples(st.integers(-3, 3), atoms), 1),
        st.sampled_from(["<=", ">=", "==", "!=", "<", ">"]),
        bounds,
        st.just(NOWHERE),
    ),
    lambda inner: st.one_of(
        st.builds(ast.Negation, inner, st.just(NOWHERE)),
        st.builds(ast.Junction, st.sampled_from(["and", "or"]), many(inner, 2), st.just(NOWHERE)),
        st.builds(ast.Junction, st.just("implies"), st.tuples(inner, inner), st.just(NOWHERE)),
    ),
    max_leaves=8,
)
run_formulas = st.recursive(
    formulas.filter(lambda f: isinstance(f, (ast.Atom, ast.Compare))),
    lambda inner: st.one_of(
        st.builds(
            ast.Modal,
            st.sampled_from(["A", "E", "X", "F", "G", "AX", "AF", "AG", "EX", "EF", "EG"]),
            st.tuples(inner),
            st.just(NOWHERE),
        ),
        st.builds(ast.Modal, st.sampled_from(["U", "W", "R"]), st.tuples(inner, inner), st.just(NOWHERE)),
        st.builds(ast.Negation, inner, st.just(NOWHERE)),
        st.builds(ast.Junction, st.sampled_from(["and", "or"]), many(inner, 2), st.just(NOWHERE)),
        st.builds(ast.Junction, st.just("implies"), st.tuples(inner, inner), st.just(NOWHERE)),
    ),
    max_leaves=8,
)


def about_runs(named):
    """A check of `ctl` or `ltl`, perhaps with the name of whom it is about."""
    logics = st.sampled_from(["ctl", "ltl"]).map(lambda text: ast.Name(text, NOWHERE))
    one = run_formulas.map(lambda f: (f,))
    operands = one | st.tuples(names.map(lambda n: ast.Atom(n, NOWHERE)), run_formulas) if named else one
    return st.builds(
        ast.CheckItem, logics, operands, maybe(texts), st.just(NOWHERE), maybe(names), st.none(), maybe(names)
    )


receives = st.builds(ast.Receive, paths, st.just(NOWHERE), many(assignments, most=2), st.booleans())
timers = st.builds(ast.Timer, durations, st.just(NOWHERE))


@st.composite
def steps(draw):
    """A step; spelt out, since the name of a strategy grows with all that is in it."""
    asked, rules = draw(many(options)), draw(many(error_rules))
    return ast.Step(draw(names), draw(maybe(names)), asked, rules, NOWHERE, draw(maybe(names)))


simple = st.one_of(
    st.builds(ast.Task, names, maybe(names), many(paths), st.just(NOWHERE), many(assignments, most=2)),
    steps(),
    st.builds(ast.Acquire, names, st.just(NOWHERE)),
    st.builds(ast.Release, names, st.just(NOWHERE)),
    receives,
    timers,
    st.builds(ast.Publish, paths, st.just(NOWHERE)),
    st.builds(ast.Raise, paths, st.just(NOWHERE)),
    st.builds(ast.Call, names, st.just(()), st.just(NOWHERE), st.booleans()),
    st.builds(ast.Call, names, st.just(()), st.just(NOWHERE), st.just(value=True), maybe(names)),
    st.builds(ast.Again, st.just(NOWHERE), st.booleans(), maybe(counts)),
    st.builds(ast.End, names, st.just(NOWHERE)),
    st.builds(ast.Abandon, maybe(texts), st.just(NOWHERE)),
)


besides = st.just((False, None)) | st.tuples(st.just(True), maybe(counts))
signals = st.builds(ast.Signal, many(names, 1), maybe(counts), st.just(NOWHERE))


def compound(statements):
    blocks = st.builds(ast.Block, many(statements), st.just(NOWHERE))
    ways = st.builds(ast.Branch, st.none(), st.none(), blocks, st.just(NOWHERE))
    guarded = st.builds(ast.Branch, texts | formulas, st.none(), blocks, st.just(NOWHERE))
    races = st.builds(ast.Branch, st.none(), receives | timers, blocks, st.just(NOWHERE))
    handlers = st.one_of(
        st.builds(ast.Handler, paths, st.none(), blocks, st.just(NOWHERE)),
        st.builds(
            lambda time, body, beside: ast.Handler(ast.Name("timeout", NOWHERE), time, body, NOWHERE, False, *beside),
            maybe(durations),
            blocks,
            besides,
        ),
        st.builds(
            lambda name, body, beside: ast.Handler(name, None, body, NOWHERE, True, *beside), paths, blocks, besides
        ),
    )
    label = maybe(names)
    return st.one_of(
        st.builds(ast.Choice, label, many(guarded, 1), maybe(blocks), st.just(NOWHERE)),
        st.builds(ast.Either, label, many(ways, 2), st.just(NOWHERE)),
        st.builds(ast.Parallel, label, many(ways), st.just(NOWHERE)),
        st.builds(ast.Parallel, label, many(ways), st.just(NOWHERE), counts, maybe(names)),
        st.builds(ast.Every, durations, names, blocks, st.just(NOWHERE), maybe(counts)),
        st.builds(ast.Patch, texts, blocks, maybe(blocks), st.just(NOWHERE)),
        st.builds(ast.Loop, label, maybe(counts), st.none(), maybe(texts | formulas), blocks, st.just(NOWHERE)),
        st.builds(ast.Loop, st.none(), maybe(counts), formulas, st.none(), blocks, st.just(NOWHERE)),
        st.builds(ast.Loop, label, maybe(counts), texts, st.none(), blocks, st.just(NOWHERE)),
        st.builds(
            lambda name, low, high, how, tolerate, body: ast.ForEach(name, low, high, *how, tolerate, body, NOWHERE),
            names,
            limits,
            limits,
            st.just((None, False)) | st.tuples(maybe(counts), st.just(True)),
            maybe(counts),
            blocks,
        ),
        st.builds(ast.FirstOf, label, many(races, 1), st.just(NOWHERE)),
        st.builds(ast.Try, label, blocks, many(handlers, 1), st.just(NOWHERE)),
        st.builds(ast.Call, names, many(handlers), st.just(NOWHERE)),
        st.builds(ast.With, names, blocks, st.just(NOWHERE)),
    )


statements = st.recursive(simple, compound, max_leaves=8)
blocks = st.builds(ast.Block, many(statements), st.just(NOWHERE))

arcs = st.builds(ast.Arc, st.just(""), maybe(numbers), names, st.just(NOWHERE))
input_arcs = st.one_of(
    arcs,
    st.builds(ast.Arc, st.sampled_from(["read", "without"]), maybe(numbers), names, st.just(NOWHERE)),
    st.builds(ast.Arc, st.just("reset"), st.none(), names, st.just(NOWHERE)),
)


topic_options = st.one_of(
    *(option(key) for key in ("at_least_once", "at_most_once", "exactly_once", "competing", "unordered")),
    *(option(key) for key in ("dedup", "outbox", "fifo")),
    option("dedup", numbers),
    option("fifo", word("per"), word("key")),
    option("capacity", numbers, maybe(st.one_of(*map(word, ("block", "drop_old", "drop_new"))))),
    option("copies", numbers),
    option("outside", maybe(numbers)),
    option("dead_letter", word("after"), numbers),
)
members = st.builds(ast.Member, names, many(st.builds(ast.Reaction, paths, blocks, st.just(NOWHERE))), st.just(NOWHERE))
plain = names.filter(lambda name: name.text not in SIDED)
plain_paths = paths.filter(lambda name: name.text not in SIDED)
states = plain | texts
days = st.dates().map(lambda day: ast.Name(day.isoformat(), NOWHERE))
called = names.filter(lambda name: name.text not in ("ctl", "ltl"))
checks = st.builds(
    ast.Check,
    many(
        st.builds(ast.CheckItem, called, many(formulas | numbers), maybe(texts), st.just(NOWHERE))
        | about_runs(named=False),
        1,
    ),
    st.none(),
    st.none(),
    st.just(NOWHERE),
)
sided = st.one_of(
    st.builds(
        ast.Role,
        states,
        maybe(plain),
        maybe(plain),
        many(st.builds(ast.Undoing, states, maybe(plain_paths), st.just(NOWHERE))),
        many(plain_paths),
        many(options | option("escalates")),
        st.just(NOWHERE),
    ),
    st.builds(ast.Service, plain, many(guarantees), st.just(NOWHERE)),
    st.builds(ast.SidedEnd, states, plain, st.just(NOWHERE)),
    st.builds(ast.Waiver, plain, maybe(states), texts, maybe(days), st.just(NOWHERE)),
    checks,
)
items = st.one_of(
    st.builds(ast.Topic, many(names, 1), maybe(names), many(topic_options), st.just(NOWHERE)),
    st.builds(ast.Choreography, names, many(members), st.just(NOWHERE)),
    st.builds(ast.System, names, maybe(texts), st.just(NOWHERE)),
    st.builds(ast.Service, names, many(guarantees | held_back), st.just(NOWHERE), maybe(names)),
    st.builds(ast.Pool, names, counts, st.just(NOWHERE)),
    st.builds(
        ast.Process,
        st.just("workflow"),
        names,
        st.none(),
        blocks,
        st.just(()),
        st.just(NOWHERE),
        many(variables),
        many(signals),
    ),
    st.builds(
        ast.Process,
        st.just("saga"),
        names,
        maybe(names),
        blocks,
        many(policies),
        st.just(NOWHERE),
        many(variables),
        many(signals),
    ),
    variables,
    st.builds(ast.Annotate, texts, maybe(names), many(sided), st.just(NOWHERE)),
    st.builds(ast.Import, texts, st.just(NOWHERE)),
    st.builds(ast.Parameter, names, signed, st.just(NOWHERE)),
    st.builds(
        ast.NetDecl,
        names,
        many(st.builds(ast.PlaceDecl, names, maybe(counts), maybe(counts), st.just(NOWHERE))),
        many(st.builds(ast.TransitionDecl, names, many(input_arcs), many(arcs), st.just(NOWHERE), maybe(counts))),
        many(names),
        st.just(NOWHERE),
    ),
    st.builds(
        ast.MachineDecl,
        names,
        many(names, 0, 2),
        many(
            st.one_of(
                st.builds(ast.Move, names, names | durations, many(names), names, st.just(NOWHERE)),
                st.builds(ast.Move, names, st.none(), many(names, 1), names, st.just(NOWHERE)),
            )
        ),
        many(names),
        st.just(NOWHERE),
    ),
    st.builds(
        ast.Check,
        many(
            st.builds(ast.CheckItem, called, many(formulas | numbers), maybe(texts), st.just(NOWHERE))
            | about_runs(named=True),
            1,
        ),
        st.none(),
        st.none(),
        st.just(NOWHERE),
    ),
    st.builds(
        ast.Check,
        many(
            st.builds(ast.CheckItem, called, many(formulas | numbers), maybe(texts), st.just(NOWHERE))
            | about_runs(named=True),
            1,
        ),
        many(names),
        maybe(counts),
        st.just(NOWHERE),
    ),
)
files = many(items, 1).map(lambda i: ast.File(NOWHERE.source, i))
