"""Offsets of a text and positions of the protocol, which count lines from 0 and UTF-16 units within a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from placet.source import SourceFile


def position_of(source: SourceFile, offset: int) -> types.Position:
    """The position of an offset."""
    line, column = source.position(offset)
    start = source.line_starts[line - 1]
    return types.Position(line - 1, _units(source.text[start : start + column - 1]))


def range_of(source: SourceFile, start: int, end: int) -> types.Range:
    """The range of the characters from `start` to before `end`."""
    return types.Range(position_of(source, start), position_of(source, end))


def offset_of(source: SourceFile, position: types.Position) -> int:
    """The offset of a position; past the end of a line its end, past the last line the end of the text."""
    starts = source.line_starts
    if position.line >= len(starts):
        return len(source.text)
    offset, left = starts[position.line], position.character
    line = source.line(position.line + 1)
    for character in line:
        if left <= 0:
            break
        left -= _units(character)
        offset += 1
    return offset


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
