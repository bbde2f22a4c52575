"""Syntax errors by example. To better a message, add an example of the error and the words for it.

The idea is lark's (`match_examples`), after Jeffery, "Generating LR syntax error messages from examples", TOPLAS 25(5),
2003: the parser runs on each example, and what it was about to read in which state when it failed is the key under which
the words are found for any other text. Each text is wrong at exactly one place. Where no example fits, the message is
put together from what the grammar expects.
"""

from __future__ import annotations

from placet.values import NamedTuple


class Example(NamedTuple):
    """Texts with the same mistake, and what to say: `{found}` and `{before}` are the tokens around the place."""

    texts: tuple[str, ...]
    message: str
    help: str = ""
    code: str = "P101"


# What comes where the braces of `parallel` should have been opened one word or two before.
_BESIDE = (
    "", "x", "1", "on a", "fails E", "sets a = 1", "{ task a }", "in", "not", "task a", "step a", "choice { otherwise { } }", 'patch "x" { }',
    "every 1h overlap skip { }", "either { } or { }", "parallel { }", "loop { }", 'while "x" { }', "for each i in 1..2 { }", "receive a", "timer 1h",
    "first of { receive a }", "try { } on any { }", "raise a", "call a", "publish a", "end a", "abandon", "with a { }", "acquire a", "release a",
    "continue_as_new", ";",
)  # fmt: skip

EXAMPLES = (
    Example(
        (*(f"workflow w {{ parallel task c {x} }}" for x in _BESIDE), *(f"saga s {{ parallel step c {x} }}" for x in _BESIDE)),
        "expected `{` and the branches of `parallel`",
        "write `parallel { task a task b }`; `parallel 2 of { ... }` goes on when two of them are done",
    ),
    Example(
        ("workflow w { loop { } until 3 }", "workflow w { loop { } until a + b }", "workflow w { choice { when a + b { } } }"),
        "expected a condition such as `stock >= 1`, or a sentence in quotes",
    ),
    Example(
        ("workflow w { choice { when a = 1 { } } }", "workflow w { loop { } until a = 1 }", "workflow w { while a = 1 { } }"),
        "expected a comparison, found `=`",
        "equality is written `==`",
    ),
    Example(
        ("workflow w { for each leg in 1 { } }", "workflow w { for each leg in 3 parallel { } }"),
        "expected `..` and the last number",
        "write `for each leg in 1..3 { ... }`",
    ),
    Example(
        ("workflow w { for each leg in 1..3 at_most 2 { } }",),
        "expected `parallel` after the number at once",
        "write `for each leg in 1..3 at_most 2 parallel { ... }`; without it they run one after the other",
    ),
    Example(
        ("var a : 0", "var a : 0 = 1", "var a : 0, 1"),
        "expected `..` and the largest value",
        "a range is written `0..2`",
    ),
    Example(
        ("var a = 1", "var a", "workflow w { var a = 1 }"),
        "expected `:` and the values that the variable can have",
        "write `var stock : 0..2 = 1`, `var rated : bool = false` or `var colour : { red, green } = red`",
    ),
    Example(
        ('workflow w { choice { when "early" { } otherwise { } when "late" { } } }',),
        "`when` stands after `otherwise`",
        "`otherwise` comes last",
    ),
    Example(
        ('workflow w { choice { when "early" { } otherwise { } otherwise { } } }',),
        "a choice has one `otherwise`",
    ),
    Example(
        ("workflow w { either { } task a }", "workflow w { either { } }"),
        "expected `or { ... }` after the first way of `either`",
        "a way that does nothing is written `or { }`",
    ),
    Example(
        ("workflow w { try { } task a }", "workflow w { try { } }"),
        "expected `on ERROR { ... }` after the braces of `try`",
        "`on any { }` handles every error",
    ),
    Example(
        ("workflow w { first { receive a } }",),
        "expected `of` after `first`",
        "the race of events is written `first of { receive a; timer 24h }`",
    ),
    Example(
        (
            "workflow w { first of { task a } }",
            "workflow w { first of { call a } }",
            "workflow w { first of { { } } }",
        ),
        "expected `receive EVENT` or `timer TIME`, found {found}",
        "what is done when it happens first comes after `->`",
    ),
    Example(
        ("workflow w { first of { receive a -> } }", "workflow w { first of { timer 2h -> } }"),
        "expected a statement or `{` after `->`",
        "leave the `->` out where nothing is to be done",
    ),
    Example(
        ("workflow w { { task a } }", "saga s { { task a } }", "workflow w { task a { } }"),
        "expected a statement, found `{`",
        "braces group the branches of `parallel`, `either` and `first of`; options in braces belong to steps, as in `step a { retry 3 }`",
    ),
    Example(
        ("workflow w { timer 5 }",),
        "expected a time such as `10s`, found {found}",
        "the units are ms, s, min (or m), h, d and w",
    ),
    Example(
        ("saga s { step a { timeout 5 } }",),
        "expected a time such as `10s`, found {found}",
        "the units are ms, s, min (or m), h, d and w",
    ),
    Example(
        ("saga s { step a { pivot, retriable } }", "saga s { step a { retry 3, pivot } }", "saga s { step a { undo b, pivot } }",
         "service s { idempotent, null_safe }"),
        "expected `;` or a new line before the next option, found `,`",
    ),
    Example(
        ("net n { transition t: a -> b read c }", "net n { transition t: a -> b without c }", "net n { transition t: a -> b reset c }",
         "net n { transition t: -> b without 2 c }", "net n { transition t: a -> b + c without d }", "net n { transition t: a -> b + c read d }",
         "net n { transition t: a -> b + c reset d }"),
        "{found} stands before the `->`",
        "what a transition tests or empties is told with its inputs: `transition t: a + without b -> c`",
    ),
    Example(
        ("net n { transition t: a -> read b }", "net n { transition t: a -> without b }", "net n { transition t: a -> reset b }"),
        "`{before}` stands before the `->` only",
        "read, inhibitor (`without`) and reset arcs are inputs of a transition",
    ),
    Example(
        ("net n { transition t a -> b }", "net n { transition t { } }"),
        "expected `:` after the name of the transition",
        "a transition is written `transition enter: idle + lock -> busy`",
    ),
    Example(
        ("net n { transition t: a, b -> c }", "net n { transition t: a -> b, c }", "net n { transition t: a b -> c }"),
        "expected `+` or `->` between the places of a transition, found {found}",
    ),
    Example(
        ("net n { transition t: a = b }", "net n { transition t: = b }"),
        "expected `->` between the inputs and the outputs of a transition, found {found}",
    ),
    Example(
        ("check sound", "check sound check b", "check sound {"),
        "expected `(` after the name of the check",
        "the check says what it is about: `check sound(purchase)`",
    ),
    Example(
        ("check a(b implies c implies d)",),
        "it is not clear to which `implies` this belongs",
        "write parentheses: `a implies (b implies c)`",
    ),
    Example(
        ("check never(a = 1)", "check never(a + b = 1)"),
        "expected a comparison, found `=`",
        "equality is written `==`",
    ),
    Example(
        ("check never(a) at_most 2",),
        "`at_most` stands after `under { ... }` only",
        "say which faults there may be: `under { lost } at_most 2`",
    ),
    Example(
        (
            "saga s { step a { effect debit } }",
            "saga s { step a { effect debit(b) } }",
            "saga s { step a { effect debit(b 3) } }",
            "saga s { step a { effect debit(3, b) } }",
            "saga s { step a { effect debit 3 } }",
            "saga s { step a { effect 3 } }",
            "saga s { step a { effect } }",
        ),
        "an effect says which account gives or gets how much",
        "write `effect debit(alice, 100)` or `effect credit(bob, 100)`",
    ),
    Example(
        ("check never(a b)", "check never(a 2)"),
        "expected `and`, `or`, a comparison or `)` after `{before}`, found {found}",
    ),
    Example(
        ("check never(a + b)", "check never(a + b, c)", "check never(2 a)"),
        "expected a comparison such as `>= 1` after the sum",
    ),
)  # fmt: skip


_OF_KEYS = "the key of a step has it: `key order_id per run ttl 24h`"

# Words that begin nothing where a declaration, a statement or an option may stand, by how what they say is written.
ELSEWHERE = {
    "enum": "a variable names its values itself: `var level : { low, high } = low`",
    "assign": "a task sets values: `task NAME sets level = high`",
    "cancels": "a handler cancels what is around it: `try { ... } on signal NAME { ... }`",
    "per": _OF_KEYS, "ttl": _OF_KEYS,
    "circuit_breaker": "a service has it: `service NAME { circuit_breaker after 3 probe 30s }`",
    "bulkhead": "a service has it: `service NAME { bulkhead 2 wait }`",
    "rate_limit": "a service has it: `service NAME { rate_limit 5 per 1s wait }`",
    "at": "checks of coverage have it: `check coverage(NAME) at L2 == 100%`",
}  # fmt: skip

# What people write who know other languages: the first characters, and the help.
STRANGERS = (
    ("//", "comments begin with `#`"),
    ("/*", "comments begin with `#` and end with the line"),
    ("'", 'sentences stand in straight double quotes: "like this"'),
    ("\u201c", 'sentences stand in straight double quotes: "like this"'),
    ("\u201d", 'sentences stand in straight double quotes: "like this"'),
    ("\u201e", 'sentences stand in straight double quotes: "like this"'),
    ("`", 'sentences stand in straight double quotes: "like this"'),
    ("&", "`and` is written as a word"),
    ("|", "`or` is written as a word"),
    ("!", "`not` is written as a word"),
    ("[", "brackets stand right behind a name, on its line: `fork[2]`, `fork[i in 1..3]`; blocks stand in braces"),
    ("]", "brackets stand right behind a name, on its line: `fork[2]`, `fork[i in 1..3]`; blocks stand in braces"),
    ("\u2192", "the arrow is written `->`"),
    ("\x00", "this is a NUL byte: the file may not be text at all"),
)
