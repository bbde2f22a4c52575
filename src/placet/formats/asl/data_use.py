"""Whether a state looks into its data at all, and so may fail over it: before its work, or with its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placet.formats.asl.machine import State
    from placet.formats.data_tree import Node

_BEFORE = (
    "Parameters", "Arguments", "ItemSelector", "Items", "ItemReader", "ItemBatcher", "Credentials", "Resource", "TimeoutSeconds",
    "HeartbeatSeconds", "MaxConcurrency", "Seconds", "Timestamp", "Error", "Cause", "ResultWriter",
    "ToleratedFailureCount", "ToleratedFailurePercentage",
)  # fmt: skip
_PATHS = (
    "ItemsPath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "MaxConcurrencyPath", "SecondsPath", "TimestampPath",
    "ToleratedFailureCountPath", "ToleratedFailurePercentagePath", "ErrorPath", "CausePath",
)  # fmt: skip


def before(state: State) -> bool:
    """Reading the input can fail."""
    node = state.node
    if state.kind in ("Map", "Choice"):  # the items must be a list, the variables must be there
        return True
    if state.jsonata:
        return any(_asks(node.get(field)) for field in _BEFORE)
    path = node.get("InputPath")
    if path is not None and path.kind == "string" and path.text != "$":
        return True
    return any(field in node.members for field in _PATHS) or any(_fills(node.get(field)) for field in _BEFORE)


def after(state: State) -> bool:
    """Making the output can fail."""
    node = state.node
    if state.jsonata:
        return any(_asks(node.get(field)) for field in ("Output", "Assign"))
    for field in ("OutputPath", "ResultPath"):
        path = node.get(field)
        if path is not None and path.kind == "string" and path.text != "$":
            return True
    return any(_fills(node.get(field)) for field in ("ResultSelector", "Assign"))


def _asks(node: Node | None) -> bool:
    """Somewhere in it is an expression of JSONata. Recurses over bounded nesting."""
    if node is None:
        return False
    if node.kind == "string":
        return "{%" in node.text
    return any(_asks(item) for item in node.items) or any(_asks(m.value) for m in node.members.values())


def _fills(node: Node | None) -> bool:
    """Somewhere in it is a key that a path fills. Recurses over bounded nesting."""
    if node is None:
        return False
    if any(key.endswith(".$") for key in node.members):
        return True
    return any(_fills(item) for item in node.items) or any(_fills(m.value) for m in node.members.values())
