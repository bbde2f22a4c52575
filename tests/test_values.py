"""The base of all values does what `typing.NamedTuple` does."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing

import pytest

from placet import values

Call = tuple[tuple[object, ...], dict[str, object]]


class Ours(values.NamedTuple):
    """A value."""

    first: int
    second: tuple[int, ...]
    third: NoSuchName | None = None  # type: ignore[name-defined]  # noqa: F821 - annotations stay strings
    fourth: str = "x"

    @property
    def both(self):
        return self.first, self.fourth


class Theirs(typing.NamedTuple):
    """A value."""

    first: int
    second: tuple[int, ...]
    third: NoSuchName | None = None  # type: ignore[name-defined]  # noqa: F821
    fourth: str = "x"

    @property
    def both(self):
        return self.first, self.fourth


class One(values.NamedTuple):
    only: int


class Nothing(values.NamedTuple):
    """No field at all."""


CALLS: list[Call] = [
    ((), {}),
    ((1,), {}),
    ((1, (2,)), {}),
    ((1, (2,), 3), {}),
    ((1, (2,), 3, 4), {}),
    ((1, (2,), 3, 4, 5), {}),
    ((1,), {"second": ()}),
    ((1,), {"first": 2, "second": ()}),
    ((1, ()), {"fourth": "y"}),
    ((), {"second": (), "first": 0}),
    ((1, ()), {"fifth": 5}),
]


@pytest.mark.parametrize("call", CALLS)
def test_making_one(call: Call):
    positional, named = call
    try:
        theirs = Theirs(*positional, **named)  # type: ignore[arg-type]
    except TypeError as error:
        with pytest.raises(TypeError) as ours_error:
            Ours(*positional, **named)  # type: ignore[arg-type]
        assert str(ours_error.value) == str(error).replace("Theirs", "Ours")
        return
    ours = Ours(*positional, **named)  # type: ignore[arg-type]
    assert tuple(ours) == tuple(theirs)
    assert ours == theirs
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours._asdict() == theirs._asdict()
    assert ours.both == theirs.both
    assert [getattr(ours, f) for f in Ours._fields] == [getattr(theirs, f) for f in Theirs._fields]
    assert ours._replace(first=7) == theirs._replace(first=7)
    assert type(ours._replace(first=7)) is Ours
    assert type(Ours._make(tuple(ours))) is Ours
    for made in (pickle.loads(pickle.dumps(ours)), copy.copy(ours), copy.deepcopy(ours)):  # noqa: S301
        assert made == ours
        assert type(made) is Ours


def test_the_class():
    assert Ours._fields == Theirs._fields == Ours.__match_args__
    assert Ours._field_defaults == Theirs._field_defaults
    assert Ours.__doc__ == "A value."
    assert list(Ours.__annotations__) == list(Ours._fields)
    assert inspect.signature(Ours).parameters.keys() == inspect.signature(Theirs).parameters.keys()
    assert issubclass(Ours, tuple)
    assert Ours.__module__ == __name__


def test_values_are_frozen_and_have_no_other_attributes():
    value = Ours(1, ())
    for name in ("first", "fifth"):
        with pytest.raises(AttributeError):
            setattr(value, name, 2)


def test_few_fields():
    assert One(3) == (3,)
    assert repr(One(3)) == "One(only=3)"
    assert Nothing() == ()
    assert repr(Nothing()) == "Nothing()"


def test_matching():
    match Ours(1, (2,)):
        case Ours(first, fourth=last):
            assert (first, last) == (1, "x")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: Ours(1, ())._replace(fifth=1), ValueError, "fifth"),
        (lambda: Ours._make((1,)), TypeError, "Expected 4 arguments, got 1"),
        (lambda: type(values.NamedTuple)("X", (values.NamedTuple, One), {}), TypeError, "no other bases"),
    ],
)
def test_misuse(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_classes_that_cannot_be():
    def make(**body):
        annotations = body.pop("fields")
        type(values.NamedTuple)(
            "X",
            (values.NamedTuple,),
            {"__module__": __name__, "__annotations__": dict.fromkeys(annotations, "int"), **body},
        )

    make(fields=("a", "b"), b=1)
    with pytest.raises(TypeError, match="without a default"):
        make(fields=("a", "b"), a=1)
    with pytest.raises(ValueError, match="underscore"):
        make(fields=("_a",))
    with pytest.raises(AttributeError, match="_make"):
        make(fields=("a",), _make=1)
