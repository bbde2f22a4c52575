"""Random walks with the loop compiled by numba, where that is installed: some million steps a second in nets of any size.

One walker, stretch after stretch: some choose evenly, some prefer transitions in an order of their own, most go where the
distance to a goal gets less. What has been seen is kept as `engines.walk` keeps it, and read the same way.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from placet.engines.packing import Ceilings
from placet.logic.state import And, Dead, Fireable, Linear, Not, Or
from placet.logic.temporal import opposite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Sized

    import numpy
    from numpy.typing import NDArray

    from placet.evidence import State
    from placet.logic.state import Predicate
    from placet.net.core import Marking, Net

_SHORTEST, _LONGEST = 30, 100_000  # steps of a stretch
_TOWARDS = 10_000  # the same, towards a goal
_GREAT = 1 << 40
_ENDS = 16
_WALKERS = 256  # steps that are worth one of `Walk`
_KEPT = 20_000_000  # counts of the states that show goals: with more none is kept
_OPS = {"<=": 0, ">=": 1, "==": 2, "!=": 3}


class UnfitError(Exception):
    """A count or a weight is too large, or a goal is none for this walk."""


class CompiledWalk:
    """A walker over a net without observers, and all that it has seen; see `Walk`. Raises UnfitError."""

    def __init__(self, net: Net, initial: Marking, goals: Sequence[Predicate] = (), *, seed: int = 1) -> None:
        import numpy as np

        if max((*initial, *(w for side in (net.pre, net.post) for arcs in side for _, w in arcs)), default=0) > _GREAT:
            raise UnfitError
        self._np = np
        self._net, self._initial = net, initial
        self._random = np.random.default_rng(seed)
        self.goals = list(goals)
        self._program = _Program(net)
        self._numbers = [self._program.goal(goal) for goal in goals]
        self.steps = 0
        self._ends: list[State] = []
        self._watched: list[tuple[int, int]] = []
        self._made: _Arrays | None = None
        self._cycle = 0

    def watch(self, places: tuple[int, ...]) -> int:
        """Keep the greatest sum of these places from now on; gives the number to ask `greatest` for. Before the first `run`."""
        atom = self._program.atom(Linear(tuple((p, 1) for p in places), ">=", _GREAT))
        self._program.add([atom])  # a goal that is never reached, and leads to ever greater sums
        self._watched.append((atom, sum(self._initial[p] for p in places)))
        return len(self._watched) - 1

    def greatest(self, number: int) -> int:
        """The greatest sum seen."""
        atom, first = self._watched[number]
        return first if self._made is None else max(first, int(self._made.most_sum[atom]))

    @property
    def found(self) -> set[int]:
        """The numbers of the goals that held somewhere."""
        made = self._made
        return set() if made is None else {k for k, g in enumerate(self._numbers) if made.found[g]}

    @property
    def where(self) -> dict[int, State]:
        """By goal that was found, a state that shows it, where there are not too many to be kept."""
        made = self._made
        return (
            {}
            if made is None or not len(made.where)
            else {k: tuple(map(int, made.where[self._numbers[k]])) for k in self.found}
        )

    @property
    def dead(self) -> bool:
        """Whether the walker got stuck."""
        return self._made is not None and bool(self._made.state[2])

    @property
    def over(self) -> bool:
        """Whether a count grew so large that the walk has ended for good."""
        return self._made is not None and bool(self._made.state[4])

    @property
    def fired(self) -> frozenset[int]:
        """The transitions that were enabled in some state."""
        return frozenset() if self._made is None else frozenset(self._np.flatnonzero(self._made.fired).tolist())

    @property
    def moved(self) -> frozenset[int]:
        """The places that held something else than initially in some state."""
        return frozenset() if self._made is None else frozenset(self._np.flatnonzero(self._made.moved).tolist())

    @property
    def most(self) -> tuple[int, ...]:
        """By place, the most tokens seen."""
        return tuple(self._initial) if self._made is None else tuple(map(int, self._made.most))

    def ends(self, count: int) -> list[State]:
        """Where the last stretches ended."""
        return self._ends[-count:]

    def run(self, until: float, steps: int = 1 << 60, *, bounds: bool = False) -> None:
        """Walk until that time on the monotonic clock, so many times 256 steps, or until every goal is found."""
        if self._made is None:
            self._made = _Arrays(self._net, self._initial, self._program, int(self._random.integers(1, 1 << 60)))
        made, random = self._made, self._random
        again, steps = True, min(steps, 1 << 50) * _WALKERS
        while steps > 0 and not self.over and monotonic() < until:
            if self.goals and not self._watched and all(made.found[g] for g in self._numbers):
                return
            mode, focus = self._mode()
            longest = _TOWARDS if mode == 2 else _LONGEST
            length = int(_SHORTEST * (longest / _SHORTEST) ** random.random())
            again = again or random.random() < 0.7
            if again:
                made.restart()
            taken = made.stretch(min(length, steps), mode, focus, random)
            self._ends = [*self._ends[-_ENDS:], tuple(map(int, made.marking))]
            self.steps += taken
            steps -= max(1, taken)
            again = False

    def _mode(self) -> tuple[int, int]:
        """How the next stretch chooses: (mode of the kernel, goal)."""
        self._cycle += 1
        open_ = [g for g in range(len(self._program.goals)) if self._made is None or not self._made.found[g]]
        if self._cycle % 3 == 0 or not open_:
            return self._cycle // 3 % 2, 0
        return 2, open_[self._cycle // 3 * 2 % len(open_) if self._cycle % 3 == 1 else self._cycle % len(open_)]


class _Program:
    """Goals as the kernel wants them."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self.atoms: list[tuple[int, int, tuple[tuple[int, int], ...]]] = []  # (op, bound or transition, terms)
        self._known: dict[Predicate, int] = {}
        self.goals: list[list[int]] = []

    def goal(self, predicate: Predicate) -> int:
        """The number of a goal."""
        return self.add(self._postfix(predicate))

    def add(self, code: list[int]) -> int:
        """The number of a goal, given in postfix."""
        self.goals.append(code)
        return len(self.goals) - 1

    def _postfix(self, predicate: Predicate) -> list[int]:
        match predicate:
            case And(parts) | Or(parts):
                code = [c for part in parts for c in self._postfix(part)]
                return [*code, -1 if isinstance(predicate, And) else -2, len(parts)]
            case Not(And(parts)):
                return self._postfix(Or(tuple(_opposite(p) for p in parts)))
            case Not(Or(parts)):
                return self._postfix(And(tuple(_opposite(p) for p in parts)))
            case Not(Not(of)):
                return self._postfix(of)
            case Not(Linear() as of):
                return self._postfix(opposite(of))
        return [self.atom(predicate)]

    def atom(self, predicate: Predicate) -> int:
        """The number of an atom. Raises UnfitError."""
        found = self._known.get(predicate)
        if found is None:
            found = self._known[predicate] = len(self.atoms)
            self.atoms.append(self._atom(predicate))
        return found

    def _atom(self, predicate: Predicate) -> tuple[int, int, tuple[tuple[int, int], ...]]:
        match predicate:
            case Linear(terms, op, bound):
                places = len(self._net.places)
                if abs(bound) > _GREAT or any(i >= places or abs(c) > _GREAT for i, c in terms):
                    raise UnfitError
                if op in ("<", ">"):
                    op, bound = ("<=", bound - 1) if op == "<" else (">=", bound + 1)
                total: dict[int, int] = {}
                for i, c in terms:
                    total[i] = total.get(i, 0) + c
                return _OPS[op], bound, tuple((i, c) for i, c in total.items() if c)
            case Fireable(t):
                return 4, t, ()
            case Not(Fireable(t)):
                return 5, t, ()
            case Dead(ignoring) if not ignoring:
                return 6, 0, ()
            case Not(Dead(ignoring)) if not ignoring:
                return 7, 0, ()
        raise UnfitError


def _opposite(predicate: Predicate) -> Predicate:
    return opposite(predicate) if isinstance(predicate, Linear) else Not(predicate)


class _Arrays:
    """The net, the goals and the walker as arrays."""

    def __init__(self, net: Net, initial: Marking, program: _Program, seed: int) -> None:
        import numpy as np

        from placet.engines import walk_kernel

        self._np, self._kernel = np, walk_kernel
        places, transitions, atoms = len(net.places), len(net.transitions), len(program.atoms)
        ceilings = Ceilings(net, initial)
        conditions: list[list[tuple[int, int, bool]]] = [[] for _ in range(places)]
        self._never = np.zeros(transitions, dtype=np.int64)  # transitions that a ceiling of nothing forbids
        for t in range(transitions):
            for p, w in (*net.pre[t], *net.read[t]):
                conditions[p].append((t, w, False))
            for p, w in ceilings.of(t).items():
                if w <= 0:
                    self._never[t] += 1
                else:
                    conditions[p].append((t, w, True))
        self._conditions = conditions
        effects = [_effects(net, t) for t in range(transitions)]
        uses: list[list[tuple[int, int]]] = [[] for _ in range(places)]
        fires: list[list[int]] = [[] for _ in range(transitions)]
        for a, (op, bound, terms) in enumerate(program.atoms):
            for p, c in terms:
                uses[p].append((a, c))
            if op in (4, 5):
                fires[bound].append(a)
        of: list[list[int]] = [[] for _ in range(atoms)]
        for g, code in enumerate(program.goals):
            for a in set(_atoms(code)):
                of[a].append(g)
        self._program = program
        self.initial = np.array(initial, dtype=np.int64)
        self.marking = self.initial.copy()
        self.state = np.zeros(5, dtype=np.int64)
        self.state[1] = seed
        self._lacks = np.zeros(transitions, dtype=np.int64)
        self._enabled = np.zeros(transitions, dtype=np.int32)
        self._position = np.full(transitions, -1, dtype=np.int32)
        self._ops = np.array([op for op, _, _ in program.atoms], dtype=np.int64)
        self._bounds = np.array([bound for _, bound, _ in program.atoms], dtype=np.int64)
        self._sums = np.zeros(atoms, dtype=np.int64)
        self._gaps = np.zeros(atoms, dtype=np.int64)
        self.most_sum = np.full(atoms, -(1 << 62), dtype=np.int64)
        self.found = np.zeros(len(program.goals), dtype=bool)
        kept = len(program.goals) if len(program.goals) * places <= _KEPT else 0
        self.where = np.zeros((kept, places), dtype=np.int64)
        self._pending = np.zeros(len(program.goals), dtype=np.uint8)
        self.fired = np.zeros(transitions, dtype=np.uint8)
        self.moved = np.zeros(places, dtype=bool)
        self.most = self.initial.copy()
        self._order = np.zeros(transitions, dtype=np.float32)
        self._stack = np.zeros(2 + max((len(code) for code in program.goals), default=0), dtype=np.int64)
        self._fixed = (
            _offsets(conditions), *_columns(conditions, ("int32", "int64", "bool")),
            _offsets(effects), *_columns(effects, ("int32", "int64", "bool")),
        )  # fmt: skip
        self._uses = (_offsets(uses), *_columns(uses, ("int32", "int64")))
        self._fires = (_offsets(fires), np.array([a for row in fires for a in row], dtype=np.int32))
        self._dead_atoms = np.array([a for a, one in enumerate(program.atoms) if one[0] > 5], dtype=np.int32)
        self._of = (_offsets(of), np.array([g for row in of for g in row], dtype=np.int32))
        self._code = (
            _offsets(program.goals),
            np.array([c for code in program.goals for c in code], dtype=np.int64),
        )
        self._start()
        able = self._enabled[: self.state[0]].copy()
        self._first = tuple(a.copy() for a in (self._lacks, able, self._position, self._sums, self._gaps))

    def restart(self) -> None:
        """Put the walker at the initial marking."""
        self.marking[:] = self.initial
        self._lacks[:], self._position[:], self._sums[:], self._gaps[:] = (self._first[k] for k in (0, 2, 3, 4))
        self.state[0] = len(self._first[1])
        self._enabled[: self.state[0]] = self._first[1]

    def _start(self) -> None:
        np = self._np
        self._lacks[:] = self._never
        for p, row in enumerate(self._conditions):
            count = int(self.initial[p])
            for t, w, below in row:
                if (count >= w) is below:
                    self._lacks[t] += 1
        able = np.flatnonzero(self._lacks == 0)
        self.state[0] = len(able)
        self._enabled[: len(able)] = able
        self._position[:] = -1
        self._position[able] = np.arange(len(able))
        self.fired[able] = 1
        for a, (op, bound, terms) in enumerate(self._program.atoms):
            self._sums[a] = total = sum(int(self.initial[p]) * c for p, c in terms)
            if op <= 3:
                self.most_sum[a] = max(self.most_sum[a], total)
                gap = (max(0, total - bound), max(0, bound - total), abs(total - bound), int(total == bound))[op]
            elif op <= 5:
                gap = int(self._lacks[bound]) if op == 4 else int(self._lacks[bound] == 0)
            else:
                gap = len(able) if op == 6 else int(len(able) == 0)
            self._gaps[a] = gap
        for g, code in enumerate(self._program.goals):
            if not self.found[g] and _value(code, self._gaps):
                self.found[g] = True
                if len(self.where):
                    self.where[g] = self.initial

    def stretch(self, steps: int, mode: int, focus: int, random: numpy.random.Generator) -> int:
        """Take so many steps at most; how many it were."""
        if mode == 1:
            self._order = random.random(len(self._order), dtype=self._np.float32)
        return int(self._kernel.stretch(
            self.marking, self.initial, self.state, steps, mode, focus, self._order, self._lacks, self._enabled, self._position,
            *self._fixed, self._sums, self._ops, self._bounds, self._gaps, self.most_sum, *self._uses, *self._fires,
            self._dead_atoms, *self._of, *self._code, self._stack, self.found, self.where, self._pending,
            self.fired, self.moved, self.most, *self._first,
        ))  # fmt: skip


def _effects(net: Net, t: int) -> list[tuple[int, int, bool]]:
    """(place, what is added or set, whether it is set), for the places that firing changes."""
    post, emptied = dict(net.post[t]), set(net.reset[t])
    change = dict(post)
    for p, w in net.pre[t]:
        change[p] = change.get(p, 0) - w
    return [(p, w, False) for p, w in change.items() if w and p not in emptied] + [
        (p, post.get(p, 0), True) for p in sorted(emptied)
    ]


def _atoms(code: list[int]) -> Iterable[int]:
    at = 0
    while at < len(code):
        if code[at] >= 0:
            yield code[at]
            at += 1
        else:
            at += 2


def _value(code: list[int], gaps: NDArray[numpy.int64]) -> bool:
    """Whether a goal holds."""
    stack: list[bool] = []
    at = 0
    while at < len(code):
        if code[at] >= 0:
            stack.append(int(gaps[code[at]]) == 0)
            at += 1
        else:
            count = code[at + 1]
            parts = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            stack.append(all(parts) if code[at] == -1 else any(parts))
            at += 2
    return stack[0]


def _offsets(rows: Sequence[Sized]) -> NDArray[numpy.int64]:
    import numpy as np

    return np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)


def _columns(rows: Sequence[Sequence[Sequence[int]]], kinds: Sequence[str]) -> list[NDArray[Any]]:
    import numpy as np

    flat = [one for row in rows for one in row]
    return [np.array([one[k] for one in flat], dtype=kind) for k, kind in enumerate(kinds)]
