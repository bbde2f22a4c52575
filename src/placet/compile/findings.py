"""Collecting diagnostics, and guessing what a misspelt name was meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.diagnostics import Label, Severity
    from placet.source import Span

GUESSES = 40  # "did you mean" is looked up for so many names of a run: a file of nonsense must not take minutes
CANDIDATES = 4_000


class Findings:
    """The diagnostics of one run, in the order in which they were found."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._guesses = GUESSES

    def add(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        severity: Severity = "error",
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",  # noqa: A002 - the name of the field it fills
    ) -> None:
        """Add one."""
        self.diagnostics.append(Diagnostic(code, severity, message, span, labels, notes, help))

    def once(self, since: int) -> None:
        """Of what was found since a number of diagnostics, each thing once: a block that is read several times says it again."""
        self.diagnostics[since:] = dict.fromkeys(self.diagnostics[since:])

    def meant(self, name: str, known: Iterable[str], otherwise: str = "") -> str:
        """The help "did you mean `x`?" where a known name is near, else `otherwise`. O(known) comparisons of names."""
        known = list(known)
        near = next((k for k in known if k.startswith(f"{name}[")), "") if name else ""  # an array without its index
        near = near or self._nearest(name, known)
        return f"did you mean `{near}`?" if near else otherwise

    def _nearest(self, name: str, known: Iterable[str]) -> str:
        if self._guesses <= 0 or not name or len(name) > 200:
            return ""
        self._guesses -= 1
        import difflib

        lowered: dict[str, str] = {}
        for candidate in known:
            if abs(len(candidate) - len(name)) <= max(2, len(name) // 2):
                lowered.setdefault(candidate.lower(), candidate)
                if len(lowered) >= CANDIDATES:
                    break
        found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
        return lowered[found[0]] if found else ""


def once_each(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The first of those with one code at one place, and its labels once: the members of an array have the same mistakes."""
    first: dict[tuple[str, Span | None, str], Diagnostic] = {}
    for found in diagnostics:
        labels = {label.span: label for label in reversed(found.labels) if label.span != found.span}
        here = found._replace(labels=tuple(reversed(labels.values())))
        first.setdefault((found.code, found.span, "" if found.span is not None else found.message), here)
    return tuple(first.values())


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names in backticks, with commas; the rest is counted where there are many."""
    names = list(names)
    shown = ", ".join(f"`{n}`" for n in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def figure(value: int) -> str:
    """A whole number as people write it; an absurd one by its size (`str` refuses thousands of digits)."""
    return str(value) if abs(value) < 10**12 else "a number of more than twelve digits"


def figures(factors: list[int], most: int = 6) -> str:
    """A product as people write it: `3 x 3 x 4`; of many factors the first ones."""
    shown = " x ".join(map(figure, factors[:most]))
    return shown if len(factors) <= most else f"{shown} x ..."


def head(span: Span | None) -> Span | None:
    """The head of a construct: its span up to its first brace."""
    if span is None:
        return None
    text = span.source.text
    brace = text.find("{", span.start, span.end)
    if brace < 0:
        return span
    while brace > span.start + 1 and text[brace - 1].isspace():
        brace -= 1
    return span._replace(end=max(brace, span.start + 1))
