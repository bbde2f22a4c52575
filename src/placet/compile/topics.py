"""Topics: their names, what a broker promises, and which message a statement speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import figure, listed
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.syntax import ast
from placet.values import NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from placet.compile.findings import Findings

MOST_MESSAGES = 1_000  # in a queue; what a message of a model stands for is one of many
MOST_ATTEMPTS = 20


class Broker(NamedTuple):
    """What a broker does by default."""

    guarantee: Literal["exactly_once", "at_least_once", "at_most_once"]


BROKERS = {
    "kafka": Broker("at_least_once"),
    "rabbitmq": Broker("at_least_once"),
    "nats": Broker("at_most_once"),
}
_FULL: dict[str, Literal["block", "drop_old", "drop_new"]] = {
    "block": "block",
    "drop_old": "drop_old",
    "drop_new": "drop_new",
}
_GUARANTEES = ("exactly_once", "at_least_once", "at_most_once")
_ORDERS = ("fifo", "unordered")


class Topics:
    """The topics of a file by name. `used` grows while bodies are resolved."""

    def __init__(self, items: tuple[ast.Topic, ...], findings: Findings) -> None:
        self._findings = findings
        self.topics: dict[str, ir.Topic] = {}
        self.used: set[str] = set()
        names: dict[str, ast.Name] = {}
        for item in items:
            options = self._options(item)
            for name in item.names:
                first = names.setdefault(name.text, name)
                if first is name:
                    self.topics[name.text] = options._replace(id=name.text, span=name.span)
                    continue
                message = f"the topic `{name.text}` has a name that is taken"
                labels = (Label(first.span, "first declared here"),)
                findings.add("P200", message, name.span, labels=labels, help="give one of them another name")

    def _options(self, item: ast.Topic) -> ir.Topic:
        """What the broker and the braces of a declaration say; what contradicts something before it is left out."""
        broker = BROKERS.get(item.broker.text) if item.broker is not None else None
        if item.broker is not None and broker is None:
            help_ = self._findings.meant(item.broker.text, BROKERS, f"the brokers are {listed(BROKERS)}")
            self._findings.add("P272", f"no broker is called `{item.broker.text}`", item.broker.span, help=help_)
        topic = ir.Topic("", item.broker.text if item.broker is not None else "")
        if broker is not None:
            topic = topic._replace(guarantee=broker.guarantee)
        given: dict[str, ast.Option] = {}
        for option in item.options:
            kind = option.key.text
            group = "delivery" if kind in _GUARANTEES else "order" if kind in _ORDERS else kind
            other = given.setdefault(group, option)
            if other is not option:
                message = (
                    f"`{kind}` contradicts `{other.key.text}`" if kind != other.key.text else f"`{kind}` is given twice"
                )
                self._findings.add("P273", message, option.span, help="keep one of them")
                continue
            topic = self._option(topic, option)
        return self._agrees(topic, given)

    def _option(self, topic: ir.Topic, option: ast.Option) -> ir.Topic:
        key = option.key.text
        words = [o.text for o in option.operands if not isinstance(o, ast.Number)]
        match key:
            case "exactly_once" | "at_least_once" | "at_most_once":
                return topic._replace(guarantee=key)
            case "fifo":
                return topic._replace(ordered=not words)
            case "competing":
                return topic._replace(competing=True)
            case "dedup":
                window = self._number(option, 1, MOST_ATTEMPTS) if option.operands else None
                return topic._replace(dedup=True, window=window)
            case "outbox":
                return topic._replace(outbox=True)
            case "capacity":
                room = self._number(option, 1, MOST_MESSAGES)
                return topic._replace(capacity=room, full=_FULL[words[0]] if words else "block")
            case "copies":
                return topic._replace(copies=self._number(option, 1, MOST_ATTEMPTS))
            case "dead_letter":
                return topic._replace(dead_letter=self._number(option, 1, MOST_ATTEMPTS))
            case "outside":
                feed = self._number(option, 0, MOST_MESSAGES) if option.operands else None
                return topic._replace(outside=True, feed=feed)
        return topic

    def _number(self, option: ast.Option, least: int, most: int) -> int:
        value = next((o.value for o in option.operands if isinstance(o, ast.Number)), least)
        if least <= value <= most:
            return value
        if value > most:
            message = f"`{option.key.text}` of {figure(value)} is more than can be looked at"
            self._findings.add("P217", message, option.span, help="two or three show what many show")
            return least
        self._findings.add(
            "P273", f"`{option.key.text}` of {value} makes no sense", option.span, help="one is the least"
        )
        return least

    def _agrees(self, topic: ir.Topic, given: dict[str, ast.Option]) -> ir.Topic:
        """The topic without what its guarantee or its order rules out."""
        if topic.ordered and topic.capacity is None:
            help_ = "write how many messages can wait: `fifo; capacity 3`"
            self._findings.add("P273", "`fifo` needs a `capacity`", given["order"].span, help=help_)
            topic = topic._replace(ordered=False)
        if topic.ordered and topic.competing:
            message = "`competing` readers take messages at the same time, so `fifo` promises nothing"
            self._findings.add("P273", message, given["order"].span, help="leave one of them out")
            topic = topic._replace(ordered=False)
        if topic.guarantee == "at_least_once":
            if topic.window is not None and topic.copies > 1:
                message = "copies that come without any fault are recognised at once: `dedup` takes no number here"
                self._findings.add("P273", message, given["dedup"].span, help="write `dedup`, or leave `copies` out")
                topic = topic._replace(window=None)
            return topic
        why = (
            "hands a message over once"
            if topic.guarantee == "exactly_once"
            else "forgets a message as it hands it over"
        )
        if topic.copies > 1:
            self._findings.add("P273", f"`{topic.guarantee}` {why}, so there are no copies", given["copies"].span,
                               help="leave `copies` out, or write `at_least_once`")  # fmt: skip
            topic = topic._replace(copies=1)
        if topic.dedup:
            self._findings.add("P273", f"`{topic.guarantee}` {why}: `dedup` has nothing to do", given["dedup"].span,
                               help="leave it out, or write `at_least_once`")  # fmt: skip
            topic = topic._replace(dedup=False, window=None)
        if topic.guarantee == "at_most_once" and topic.dead_letter is not None:
            self._findings.add("P273", f"`at_most_once` {why}: nothing is left to be put aside", given["dead_letter"].span,
                               help="leave `dead_letter` out, or write `at_least_once`")  # fmt: skip
            topic = topic._replace(dead_letter=None)
        return topic

    # -- messages

    def of(self, event: ast.Name) -> str:
        """The topic of what a `receive` waits for, or nothing where it is an event without one."""
        topic, _, name = event.text.partition(".")
        if not name or topic not in self.topics:
            return ""
        self.used.add(topic)
        return topic

    def message(self, event: ast.Name, word: str) -> str:
        """The topic of a message that is published or reacted to; what has none is reported."""
        if not event.text:
            return ""
        topic, _, name = event.text.partition(".")
        if not name:
            help_ = f"a message is told by its topic and its event: `{word} {topic}.Changed`"
            if topic not in self.topics:
                help_ = f"a message is told by its topic and its event: `{word} news.{topic}`"
            self._findings.add("P271", f"`{topic}` names no topic and event", event.span, help=help_)
            return ""
        if topic not in self.topics:
            help_ = self._findings.meant(topic, self.topics, f"declare it: `topic {topic}`")
            self._findings.add("P270", f"no topic is called `{topic}`", event.span, help=help_)
            return ""
        self.used.add(topic)
        return topic

    def unused(self) -> None:
        """Report the topics that nobody publishes to or reads."""
        for name, topic in self.topics.items():
            if name not in self.used:
                message = f"nothing is published to the topic `{name}`, and nobody reads it"
                self._findings.add("P331", message, topic.span, severity="warning", help="remove it")
