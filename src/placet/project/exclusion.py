"""Which paths a project does not want to be walked into."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from placet.values import NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Callable


class Exclusion(NamedTuple):
    """Glob patterns relative to `root`, the folder of the configuration file: `*` within a name, `**` across folders."""

    patterns: tuple[str, ...] = ()
    root: str = "."


def matcher(exclusion: Exclusion) -> Callable[[str], bool]:
    """Whether a path (absolute, or relative to the working folder) is excluded."""
    if not exclusion.patterns:
        return lambda _path: False
    regex = _regex(exclusion.patterns)
    root = os.path.abspath(exclusion.root)  # noqa: PTH100 - pathlib costs 4 ms of every start

    def excluded(path: str) -> bool:
        below = os.path.relpath(os.path.abspath(path), root)  # noqa: PTH100
        return regex.fullmatch(below.replace(os.sep, "/")) is not None

    return excluded


def _regex(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all patterns; a pattern without a slash matches at any depth, as in a .gitignore."""
    import re

    parts = []
    for pattern in patterns:
        text = re.escape(pattern.strip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
        text = text.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        parts.append(text if "/" in pattern.rstrip("/") else "(?:.*/)?" + text)
    return re.compile("|".join(parts), re.DOTALL)
