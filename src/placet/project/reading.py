"""Reading one file as text, safely: never more than the limit, never a device, always a diagnostic and no exception."""

from __future__ import annotations

import os
import stat

from placet.diagnostics import Diagnostic
from placet.source import SourceFile, Span

MOST_BYTES = 64 << 20

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_XML_ENCODINGS = ("utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252")


def read(path: str) -> tuple[SourceFile | None, tuple[Diagnostic, ...]]:
    """The text of a file, or None and one diagnostic (P602 to P606) that says why there is none.

    UTF-8, UTF-16 with its byte order mark, and the single-byte encodings that an XML declaration may name. Line ends
    stay as they are.
    """
    try:
        raw = _bytes(path)
    except FileNotFoundError:
        return None, (failure("P602", f"there is no file or folder `{path}`", path),)
    except (OSError, ValueError) as fault:
        return None, (failure("P603", f"`{path}` cannot be read: {_reason(fault)}", path),)
    if isinstance(raw, Diagnostic):
        return None, (raw,)
    return decoded(path, raw)


def failure(code: str, message: str, path: str, hint: str = "") -> Diagnostic:
    """An error about a whole file or folder."""
    return Diagnostic(code, "error", message, path=path, help=hint)


def _bytes(path: str) -> bytes | Diagnostic:
    """The bytes, of a regular file only: a pipe or device could block or never end."""
    found = os.stat(path)  # noqa: PTH116 - pathlib costs 4 ms of every start
    if stat.S_ISDIR(found.st_mode):
        return failure("P603", f"`{path}` is a folder, where a file is needed", path)
    if not stat.S_ISREG(found.st_mode):
        return failure("P603", f"`{path}` is no regular file", path)
    if found.st_size > MOST_BYTES:
        return _too_large(path)
    with open(path, "rb") as file:  # noqa: PTH123
        raw = file.read(MOST_BYTES + 1)
    return _too_large(path) if len(raw) > MOST_BYTES else raw


def _too_large(path: str) -> Diagnostic:
    return failure("P604", f"`{path}` is larger than {MOST_BYTES >> 20} MB", path, "split the model into several files")


def _reason(fault: Exception) -> str:
    text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return text[:1].lower() + text[1:]


def decoded(path: str, raw: bytes) -> tuple[SourceFile | None, tuple[Diagnostic, ...]]:
    """The text of bytes that were read; see `read`."""
    if len(raw) > MOST_BYTES:
        return None, (_too_large(path),)
    encoding = "utf-8"
    for mark, name in _MARKS:
        if raw.startswith(mark):
            encoding, raw = name, raw[len(mark) :]
            break
    else:
        if raw.startswith(b"<?xml"):
            encoding = _declared(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as fault:
        before = raw[: fault.start].decode(encoding, "replace")
        source = SourceFile(path, before + raw[fault.start :].decode(encoding, "replace"))
        where = Span(source, len(before), len(before) + 1)
        message = f"byte 0x{raw[fault.start]:02x} is not {encoding.upper()} text"
        return None, (Diagnostic("P605", "error", message, where, help="save the file as UTF-8", path=path),)
    source = SourceFile(path, text)
    at = text.find("\0")
    if at >= 0:
        message = "a NUL byte: this is a binary file, not a model"
        return None, (Diagnostic("P606", "error", message, Span(source, at, at + 1), path=path),)
    return source, ()


def _declared(raw: bytes) -> str:
    """The encoding an XML declaration names, where it is one of the few that are taken; else UTF-8."""
    head = raw[: raw.find(b">") + 1][:200].decode("ascii", "replace").lower()
    _, found, rest = head.partition("encoding")
    name = rest.lstrip(" =").lstrip("\"'").split('"')[0].split("'")[0] if found else ""
    return name if name in _XML_ENCODINGS else "utf-8"
