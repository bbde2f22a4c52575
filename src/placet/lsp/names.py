"""Where each name of a file is declared and used, by what the tree says of the place it stands at.

A *symbol* is (kind, owner, text): a step belongs to its process, a place to its net, a service to the file. Names in formulas
are dotted (`purchase.charge.done`); each of their parts that means something is an occurrence of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.source import Span
from placet.syntax import ast
from placet.syntax.indices import HEADS, IndexProblem, names, pieces, plain
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_SERVICES = frozenset(("calls", "sent", "failing", "blocked"))  # what formulas ask of a service
# Words that are read as names and that nobody can name otherwise.
OTHERS = frozenset(("other", "any", "timeout", "done", "completed", "compensated", "failed"))


class Symbol(NamedTuple):
    """What a name stands for. `owner` is a process, net or machine; "" for what belongs to the file."""

    kind: str  # service, subject, element, undo, end, error, event, place, transition, state, topic, message, variable, ...
    owner: str
    text: str


class Occurrence(NamedTuple):
    """One place in the text where a symbol stands."""

    symbol: Symbol
    span: Span
    declares: bool
    whole: Span  # of the declaration or the use, for showing it


class Index(NamedTuple):
    """All occurrences of a file, in no particular order."""

    occurrences: tuple[Occurrence, ...]

    def at(self, offset: int) -> Occurrence | None:
        """The one that an offset is in or right behind."""
        for one in self.occurrences:
            if one.span.start <= offset <= one.span.end:
                return one
        return None

    def of(self, symbol: Symbol) -> list[Occurrence]:
        """Every occurrence of a symbol, in the order of the text."""
        return sorted((o for o in self.occurrences if o.symbol == symbol), key=lambda o: o.span.start)

    def declarations(self, symbol: Symbol) -> list[Occurrence]:
        """Where it is declared; an end or an error, which nothing declares, where it stands first."""
        found = self.of(symbol)
        return [o for o in found if o.declares] or found[:1]

    def names(self, kind: str, owner: str | None = None) -> list[str]:
        """The names of a kind, each once, sorted."""
        return sorted(
            {o.symbol.text for o in self.occurrences if o.symbol.kind == kind and owner in (None, o.symbol.owner)}
        )


def index(file: ast.File) -> Index:
    """Every name of a file. Linear in its size."""
    data = _Data(file)
    parts = (_of_item, lambda _, item: data.of_item(item), lambda _, item: _indices(data, item))
    found = (o for item in file.items for part in parts for o in part(file, item))
    return Index(tuple(o for o in found if o.symbol.text))


def _indices(data: _Data, item: ast.Item) -> Iterator[Occurrence]:
    """The names in brackets: variables of arrays, which belong to where they are declared, and parameters."""
    pending: list[tuple[object, dict[str, Symbol]]] = [(item, {})] if "[" in item.span.text else []
    while pending:
        one, around = pending.pop()
        declared = _declared_in(one)
        if declared:
            around = {**around, **{name.text: Symbol("index", str(name.span.start), name.text) for name in declared}}
            yield from (Occurrence(around[n.text], n.span, True, getattr(one, "span", n.span)) for n in declared)
        if isinstance(one, ast.Name):
            for leaf in _used_in(one):
                symbol = around.get(leaf.text) or data.known.get(("", leaf.text))
                if symbol is not None:
                    yield Occurrence(symbol, leaf.span, False, one.span)
        elif isinstance(one, ast.Number) and one.name in around:
            yield Occurrence(around[one.name], one.span, False, one.span)
        elif isinstance(one, tuple) and not isinstance(one, Span):
            pending += [(part, around) for part in one if isinstance(part, tuple)]


def _declared_in(one: object) -> list[ast.Name]:
    """The variables of the array that something is, or of the numbers that a check is made for."""
    if isinstance(one, ast.CheckItem):
        return [each.name for each in one.each]
    if isinstance(one, ast.ForEach):
        return [one.name]
    heads = [one.trigger] if isinstance(one, ast.Branch) and isinstance(one.trigger, ast.Receive) else [one]
    return [
        n
        for head in heads
        if type(head) in HEADS
        for n in _in_brackets(getattr(head, HEADS[type(head)]), variables=True)
    ]


def _used_in(name: ast.Name) -> list[ast.Name]:
    return _in_brackets(name, variables=False)


def _in_brackets(name: ast.Name, *, variables: bool) -> list[ast.Name]:
    """The names in the brackets of a name: those that `in` stands behind, or those that stand for numbers."""
    if "[" not in name.text:
        return []
    try:
        indices = [i for piece in pieces(name.text) for i in piece.indices]
    except IndexProblem:
        return []
    if variables:
        starts = [(i.variable, name.text.index(i.variable, i.start)) for i in indices if i.variable]
    else:
        starts = [(str(n.value), n.start) for i in indices for n in (*names(i.low), *names(i.high))]
    start = name.span.start
    return [ast.Name(text, name.span._replace(start=start + at, end=start + at + len(text))) for text, at in starts]


class _Data:
    """Parameters, variables and the names that variables may have as values."""

    def __init__(self, file: ast.File) -> None:
        self.known: dict[tuple[str, str], Symbol] = {}  # by owner and text
        for item in file.items:
            if isinstance(item, ast.Parameter):
                self._add("parameter", "", item.name)
            elif isinstance(item, ast.Variable):
                self._add_variable("", item)
            elif isinstance(item, ast.Process):
                for variable in item.variables:
                    self._add_variable(plain(item.name.text), variable)

    def _add(self, kind: str, owner: str, name: ast.Name) -> None:
        text = plain(name.text)
        self.known.setdefault((owner, text), Symbol(kind, owner, text))

    def _add_variable(self, owner: str, variable: ast.Variable) -> None:
        self._add("variable", owner, variable.name)
        for name in variable.domain.names:
            self._add("value", "", name)

    def of_item(self, item: ast.Item) -> Iterator[Occurrence]:
        """Where they stand in a declaration."""
        owner = plain(item.name.text) if isinstance(item, ast.Process) else ""
        pending: list[object] = [item]
        while pending and self.known:
            one = pending.pop()
            match one:
                case ast.Parameter(name, _, span):
                    yield _one("parameter", "", name, span, declares=True)
                case ast.Variable(name, domain, initial, span):
                    yield _one("variable", owner, name, span, declares=True)
                    yield from (_one("value", "", value, domain.span, declares=True) for value in domain.names)
                    if isinstance(initial, ast.Name):
                        yield from self._use(owner, initial, span)
                case ast.Number(_, span, name) if name:
                    yield from self._use(owner, ast.Name(name, span), span)
                case ast.Assignment(variable, _, _, span):
                    yield from self._use(owner, variable, span)
                case ast.Expression(terms, span):
                    for _, term in terms:
                        if term is not None:
                            yield from self._use(owner, term, span)
                case ast.Atom(name, span):
                    yield from self._use(owner, name, span)
            pending.extend(_children(one))

    def _use(self, owner: str, name: ast.Name, whole: Span) -> Iterator[Occurrence]:
        text = plain(name.text)
        symbol = self.known.get((owner, text)) or self.known.get(("", text))
        if symbol is not None:
            yield _one(symbol.kind, symbol.owner, name, whole)
            return
        of, _, last = text.rpartition(".")
        if (of, last) in self.known:
            yield _part(self.known[of, last].kind, of, name, last, len(of) + 1)


def _of_item(file: ast.File, item: ast.Item) -> Iterator[Occurrence]:
    match item:
        case ast.Service(name, _, span):
            yield _one("service", "", name, span, declares=True)
        case ast.Pool(name, _, span):
            yield _one("pool", "", name, span, declares=True)
        case ast.Process(_, name, _, body, policies, span):
            yield _one("subject", "", name, span, declares=True)
            for declared in item.signals:
                yield from (_one("element", name.text, n, n.span, declares=True) for n in declared.names)
            yield from _of_body(file, name.text, body, *policies)
        case ast.Topic(names, _, _, span):
            yield from (_one("topic", "", name, span, declares=True) for name in names)
        case ast.Choreography(name, members, span):
            yield _one("subject", "", name, span, declares=True)
            for reaction in (r for member in members for r in member.reactions):
                yield from _of_message(file, reaction.event)
                yield from _of_body(file, name.text, reaction.body)
        case ast.NetDecl(name, places, transitions, finals, span):
            yield _one("subject", "", name, span, declares=True)
            for place in places:
                yield _one("place", name.text, place.name, place.span, declares=True)
            for transition in transitions:
                yield _one("transition", name.text, transition.name, transition.span, declares=True)
                for arc in (*transition.inputs, *transition.outputs):
                    yield _one("place", name.text, arc.place, arc.span)
            for final in finals:
                yield _one("place", name.text, final, final.span)
        case ast.MachineDecl(name, initials, moves, finals, span):
            yield _one("subject", "", name, span, declares=True)
            for initial in initials:
                yield _one("state", name.text, initial, initial.span, declares=True)
            for move in moves:
                yield _one("state", name.text, move.source, move.span)
                yield _one("state", name.text, move.target, move.span)
                if isinstance(move.trigger, ast.Name):
                    yield _one("event", name.text, move.trigger, move.span)
                for sent in move.sends:
                    yield _one("event", name.text, sent, move.span)
            for final in finals:
                yield _one("state", name.text, final, final.span)
        case ast.Annotate(_, _, parts):  # its states are names of another file
            for part in parts:
                if isinstance(part, ast.Service):
                    yield _one("service", "", part.name, part.span, declares=True)
                elif isinstance(part, ast.Role) and part.service is not None:
                    yield _one("service", "", part.service, part.span)
        case ast.Check(items):
            yield from _of_check(file, items)


def _of_message(file: ast.File, event: ast.Name) -> Iterator[Occurrence]:
    """The topic and the event of a message; an event without a topic belongs to who waits for it."""
    topic, _, name = plain(event.text).partition(".")
    if any(topic == plain(n.text) for item in file.items if isinstance(item, ast.Topic) for n in item.names):
        yield _part("topic", "", event, topic, 0)
        yield _part("message", topic, event, name, len(topic) + 1)


def _of_body(file: ast.File, owner: str, *parts: object) -> Iterator[Occurrence]:
    pending: list[object] = list(parts)
    while pending:
        one = pending.pop()
        match one:
            case ast.Task(name, service, fails, span):
                yield _one("element", owner, name, span, declares=True)
                yield from (_one("service", "", s, span) for s in (service,) if s is not None)
                yield from (_one("error", "", e, span) for e in fails)
            case ast.Step(name, service, options, errors, span):
                yield _one("element", owner, name, span, declares=True)
                yield from (_one("service", "", s, span) for s in (service,) if s is not None)
                yield from (_one("error", "", rule.error, rule.span) for rule in errors)
                for option in options:
                    yield from _of_option(owner, option)
            case ast.Receive(event, span):
                message = list(_of_message(file, event))
                yield from message or (_one("element", owner, event, span, declares=True),)
            case ast.Publish(event):
                yield from _of_message(file, event)
            case ast.With(pool, _, span) | ast.Acquire(pool, span) | ast.Release(pool, span):
                yield _one("pool", "", pool, span)
            case ast.Raise(error, span):
                yield _one("error", "", error, span)
            case ast.End(name, span):
                yield _one("end", owner, name, span, declares=True)
            case ast.Call(target, handlers, span):
                yield _one("subject", "", target, span)
                yield from (_one("end", target.text, h.name, h.span) for h in handlers)
            case ast.Try(_, _, handlers):
                for h in handlers:
                    if h.signal:
                        yield _one("element", owner, h.name, h.span, declares=True)
                    elif h.timeout is None and h.name.text != "timeout":
                        yield _one("error", "", h.name, h.span)
        pending.extend(_children(one))


def _of_option(owner: str, option: ast.Option) -> Iterator[Occurrence]:
    names = [o for o in option.operands if isinstance(o, ast.Name)]
    if option.key.text == "undo" and names:
        yield _one("undo", owner, names[0], option.span, declares=True)
        for reply in names[1:]:
            yield _part("element", owner, reply, reply.text.removesuffix(".reply"), 0)
    elif option.key.text == "after":
        yield from (_one("element", owner, name, option.span) for name in names)


def _of_check(file: ast.File, items: tuple[ast.CheckItem, ...]) -> Iterator[Occurrence]:
    owners: dict[str, dict[str, Symbol]] = {o.symbol.text: {} for item in file.items for o in _of_item_names(item)}
    for item in file.items:
        if isinstance(item, (ast.Process, ast.NetDecl, ast.MachineDecl, ast.Choreography)):
            for o in _of_item(file, item):
                if o.symbol.owner and (
                    o.declares or o.symbol.kind == "state"
                ):  # a machine declares its states by using them
                    owners.setdefault(o.symbol.owner, {})[o.symbol.text] = o.symbol
    topics = {plain(n.text) for item in file.items if isinstance(item, ast.Topic) for n in item.names}
    services = {plain(item.name.text) for item in file.items if isinstance(item, ast.Service)}
    pending: list[object] = list(items)
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Atom):
            text = plain(one.name.text)
            if text in topics:
                yield _one("topic", "", one.name, one.span)
            elif text.rpartition(".")[2] in OF_SERVICES and text.rpartition(".")[0] in services:
                yield _part("service", "", one.name, text.rpartition(".")[0], 0)
            else:
                yield from _of_atom(owners, one.name)
        pending.extend(_children(one))


def _of_item_names(item: ast.Item) -> Iterator[Occurrence]:
    if isinstance(item, (ast.Process, ast.NetDecl, ast.MachineDecl, ast.Choreography)):
        yield _one("subject", "", item.name, item.span, declares=True)


def _of_atom(owners: dict[str, dict[str, Symbol]], name: ast.Name) -> Iterator[Occurrence]:
    """The parts of a dotted name: longest reading first, since names may hold dots themselves."""
    text, begin = plain(name.text), 0
    for end in _ends_of_parts(text):
        if text[:end] in owners:
            yield _part("subject", "", name, text[:end], 0)
            if end == len(text):
                return
            begin = end + 1
            owners = {text[:end]: owners[text[:end]]}
            break
    for end in _ends_of_parts(text[begin:]):
        part = text[begin:][:end]
        for symbols in owners.values():
            if part in symbols:
                yield _part(symbols[part].kind, symbols[part].owner, name, part, begin)
                return


def _ends_of_parts(text: str) -> list[int]:
    return [len(text), *(i for i in range(len(text) - 1, 0, -1) if text[i] == ".")]


def _children(value: object) -> Iterator[object]:
    """The values of the tree directly in one."""
    if isinstance(value, tuple) and not isinstance(value, (Span, ast.Name)):
        for part in value:
            if isinstance(part, tuple):
                yield part


def _one(kind: str, owner: str, name: ast.Name, whole: Span, *, declares: bool = False) -> Occurrence:
    owner = plain(owner)
    if "[" in name.text:
        text = name.text[: name.text.index("[")]
        return Occurrence(
            Symbol(kind, owner, text), name.span._replace(end=name.span.start + len(text)), declares, whole
        )
    text = "" if kind in ("error", "end") and name.text in OTHERS else name.text
    return Occurrence(Symbol(kind, owner, text), name.span, declares, whole)


def _part(kind: str, owner: str, name: ast.Name, part: str, begin: int) -> Occurrence:
    start = name.span.start + _behind(name.text, begin)
    return Occurrence(
        Symbol(kind, plain(owner), part), name.span._replace(start=start, end=start + len(part)), False, name.span
    )


def _behind(text: str, begin: int) -> int:
    """The offset in a name of what stands at an offset of the name without its brackets."""
    if "[" not in text:
        return begin
    depth = left = 0
    for offset, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth == 0 and character != "]":
            if left == begin:
                return offset
            left += 1
    return len(text)
