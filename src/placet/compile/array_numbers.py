"""Conditions and expressions in which the variables of arrays stand for numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.syntax import ast
from placet.syntax.indices import IndexProblem, names, pieces, value

if TYPE_CHECKING:
    from collections.abc import Mapping

_BRACES = re.compile(r"\{([^{}]*)\}")


def compared(compare: ast.Compare, numbers: Mapping[str, int]) -> ast.Compare:
    """A comparison with the numbers of variables of arrays on its right side; `eats[i] >= i` becomes `eats[2] >= 2`."""
    right = compare.bound
    inside = sum(w * numbers[atom.name.text] for w, atom in compare.terms if atom.name.text in numbers)
    if inside or any(atom.name.text in numbers for _, atom in compare.terms):
        before = right.terms if isinstance(right, ast.Expression) else ((right.value, None),)
        terms = tuple([(w, atom) for w, atom in compare.terms if atom.name.text not in numbers])
        compare = compare._replace(terms=terms)
        right = ast.Expression((*before, (-inside, None)), right.span)
    if isinstance(right, ast.Expression) and all(name is None for _, name in right.terms):
        total = sum(w for w, _ in right.terms)
        right = ast.Number(total, right.span) if total >= 0 else right._replace(terms=((total, None),))
    return compare._replace(bound=right)


def in_numbers(before: ast.Expression, numbers: Mapping[str, int], after: ast.Expression) -> ast.Expression:
    """An expression with numbers for the variables of arrays."""
    if not any(name is not None and name.text in numbers for _, name in before.terms):
        return after
    terms = tuple(
        [(w * numbers[n.text], None) if n is not None and n.text in numbers else (w, n) for w, n in after.terms]
    )
    return after._replace(terms=terms)


def described(name: str, members: set[tuple[int, ...]]) -> str:
    """`fork` goes from 1 to 3."""
    if len({len(m) for m in members}) != 1 or not next(iter(members)):
        return f"`{name}` is counted otherwise"
    ranges = [f"{min(column)}..{max(column)}" for column in zip(*members, strict=True)]
    return f"`{name}` is an array of `{name}{''.join(f'[{r}]' for r in ranges)}`"


def spoken(text: str, numbers: Mapping[str, int], params: Mapping[str, int]) -> str:
    """A sentence with numbers where it speaks of the variables of its check: `shard {i} is empty`, `{i % N + 1}`.

    Braces in which none of these stands, or no index, are words of the sentence.
    """

    def number(braces: re.Match[str]) -> str:
        try:
            (part,) = pieces(f"x[{braces[1]}]")
            (index,) = part.indices
            if index.high is None and any(name.value in numbers for name in names(index.low)):
                return str(value(index.low, {**params, **numbers}))
        except (IndexProblem, ValueError):
            pass
        return braces[0]

    return _BRACES.sub(number, text)
