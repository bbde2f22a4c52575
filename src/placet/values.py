"""The base of all values: `typing.NamedTuple`, made in a quarter of the time.

Every class is made anew at each start, and a small model needs two hundred of them. `typing.NamedTuple` compiles each
annotation (as a forward reference) and each constructor from text, which took a third of a cold `placet verify`. Here the
constructors of all classes with as many fields share one compiled template, in which only the names of the arguments are
replaced, and annotations stay the strings that they are. Everything else is as there: see docs/adr/0001.
"""

# ruff: noqa: ANN401 - what is made here has the types that `typing.NamedTuple` tells
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414, TID251 - for all to import from here
else:
    from collections import _tuplegetter
    from functools import cache
    from types import FunctionType

    _MADE_HERE = frozenset(
        {"__new__", "__slots__", "__getnewargs__", "_fields", "_field_defaults", "_make", "_replace", "_asdict"}
    )

    class _Record(tuple):
        """What all named tuples share; the fields are those of the class, in order."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012 - the class's own, as in the standard library

        @classmethod
        def _make(cls, iterable: Any) -> Any:
            """A new value from as many parts as there are fields."""
            made = tuple.__new__(cls, iterable)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **changed: Any) -> Any:
            """The same value with some fields changed."""
            made = self._make(map(changed.pop, self._fields, self))
            if changed:
                raise ValueError(f"Got unexpected field names: {list(changed)!r}")
            return made

        __replace__ = _replace

        def _asdict(self) -> dict[str, Any]:
            """The fields by name."""
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            parts = ", ".join(f"{name}={part!r}" for name, part in zip(self._fields, self, strict=True))
            return f"{self.__class__.__name__}({parts})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    @cache
    def _constructor(size: int) -> Any:
        """The code of a constructor of `size` fields; the names of its arguments are to be replaced."""
        names = ", ".join(f"a{i}" for i in range(size))
        comma = "," if size == 1 else ""
        return eval(f"lambda _cls, {names}: _new(_cls, ({names}{comma}))").__code__  # noqa: S307 - of digits alone

    class _Maker(type):
        def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if bases != (NamedTuple,):
                raise TypeError(f"{name}: a named tuple has no other bases")
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one with a default")
            if wrong := _MADE_HERE & body.keys():
                raise AttributeError(f"Cannot overwrite NamedTuple attribute {min(wrong)}")
            if wrong := [field for field in fields if field.startswith("_")]:
                raise ValueError(f"Field names cannot start with an underscore: {wrong[0]!r}")
            code = _constructor(len(fields)).replace(
                co_varnames=("_cls", *fields), co_name="__new__", co_qualname=f"{name}.__new__"
            )
            new = FunctionType(code, {"_new": tuple.__new__, "__builtins__": {}, "__name__": body["__module__"]})
            new.__defaults__ = tuple(defaults.values()) or None
            body |= {field: _tuplegetter(i, field) for i, field in enumerate(fields)}
            body |= {"__slots__": (), "__new__": new, "_fields": fields, "_field_defaults": defaults}
            body["__match_args__"] = fields
            return type(name, (_Record,), body)

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
