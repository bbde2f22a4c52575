"""`placet explore FILE --structure`: what the structure of a net tells, in plain words or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from placet.cli import exit_codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.analysis.invariants import Semiflows
    from placet.analysis.siphon_list import Sets
    from placet.analysis.structure import Structure
    from placet.compiled import Compiled
    from placet.evidence import Budget

SHOWN = 12  # of each list; JSON has all


def tell(compiled: Compiled, form: str, budget: Budget) -> int:
    """Print it."""
    from placet.analysis.structure import structure

    found = structure(compiled)
    levels = _levels(compiled, budget)
    if form == "json":
        import json

        click.echo(json.dumps(_document(compiled, found, levels), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(compiled, found, levels)))
    return exit_codes.PROVED


def _levels(compiled: Compiled, budget: Budget) -> tuple[int, ...] | None:
    """The levels of the transitions, where all markings can be seen within the budget."""
    from placet.analysis.components import Rows
    from placet.analysis.liveness_levels import levels
    from placet.engines.chosen import engine
    from placet.engines.protocol import Needs, Visitor
    from placet.logic.state import FALSE

    some = budget._replace(states=min(budget.states or 200_000, 200_000), seconds=min(budget.seconds or 4.0, 4.0))
    seen = engine(None).explore(compiled.net, compiled.initial, (), (Visitor(FALSE, Needs.EDGES),), some)
    if not seen.complete:
        return None
    offsets, labels, targets = seen.graph()
    if not compiled.split:
        return levels(Rows(seen.states, offsets, labels, targets), len(compiled.net.transitions))
    first = [compiled.same(t)[0] for t in range(len(compiled.net.transitions))]
    found = levels(Rows(seen.states, offsets, [first[t] for t in labels], targets), len(first))
    return tuple(found[t] for t in first)


def _lines(compiled: Compiled, found: Structure, levels: tuple[int, ...] | None) -> list[str]:
    from placet.analysis.liveness_levels import NAMES

    net = compiled.net
    places, transitions = _short(compiled, net.places), _short(compiled, net.transitions)
    kinds = sorted(kind.name.lower().replace("_", " ") for kind in found.classes)
    lines = [
        f"{compiled.kind} {compiled.subject}",
        f"  {len(places)} places, {len(transitions)} transitions, {found.arcs} arcs, {found.clusters} clusters",
        f"  class: {', '.join(kinds) if kinds else 'none of the classic ones'}",
    ]
    if found.rank is not None:
        lines.append(
            f"  rank of the incidence matrix {found.rank}: {len(places) - found.rank} independent place invariants, "
            f"{len(transitions) - found.rank} transition invariants"
        )
    lines += ["", *_flows("what every step keeps (place semiflows)", found.place_flows, places)]
    covered = {p for flow in found.place_flows.found for p, _ in flow.weights}
    missing = [places[p] for p in range(len(places)) if p not in covered]
    if not missing:
        lines.append("  every place is in one: nothing can pile up, whatever is there at first")
    elif found.place_flows.complete:
        lines.append(f"  in none: {_listed(missing)}")
    lines += _mixed(found.place_invariants, found.place_flows, places)
    lines += [
        "",
        *_flows("what leads back to where it began (transition semiflows)", found.transition_flows, transitions),
    ]
    lines += ["", *_sets("siphons: once empty, empty for ever", found.siphons, places, compiled)]
    lines += ["", *_sets("traps: once marked, marked for ever", found.traps, places, compiled)]
    lines += ["", *_theorems(compiled, found, places)]
    lines += ["", "how alive each transition is (levels L0 to L4)"]
    if levels is None:
        lines.append("  not all situations were seen, so this is not known; see `placet explore` without --structure")
    else:
        for level in (0, 1, 3, 4):
            some = [transitions[t] for t, own in enumerate(levels) if own == level]
            if some:
                lines.append(f"  L{level}, {NAMES[level]}: {_listed(some)}")
    return lines


def _flows(title: str, flows: Semiflows, names: Sequence[str]) -> list[str]:
    lines = [f"{title}: {_count(len(flows.found), complete=flows.complete)}"]
    for flow in flows.found[:SHOWN]:
        shown = [names[i] if w == 1 else f"{w} {names[i]}" for i, w in flow.weights]
        lines.append("  " + " + ".join(shown[:20]) + (f" + {len(shown) - 20} more" if len(shown) > 20 else ""))
    return lines + _rest(len(flows.found))


def _mixed(basis: tuple[tuple[tuple[int, int], ...], ...] | None, flows: Semiflows, names: Sequence[str]) -> list[str]:
    """The invariants of the basis that have weights below zero: differences that stay."""
    known = {flow.weights for flow in flows.found}
    mixed = [some for some in basis or () if some not in known and any(w < 0 for _, w in some)]
    if not mixed or len(basis or ()) <= len(known):
        return []
    lines = [f"differences that stay (invariants with weights below zero): {len(mixed)}"]
    for some in mixed[:SHOWN]:
        words = [f"{'-' if w < 0 else '+'} {names[i] if abs(w) == 1 else f'{abs(w)} {names[i]}'}" for i, w in some[:20]]
        lines.append(
            "  " + " ".join(words).removeprefix("+ ") + (f" and {len(some) - 20} more" if len(some) > 20 else "")
        )
    return lines + _rest(len(mixed))


def _sets(title: str, sets: Sets | None, names: Sequence[str], compiled: Compiled) -> list[str]:
    if sets is None:
        return [f"{title}: not a question of nets with inhibitor or reset arcs"]
    lines = [f"{title}: {_count(len(sets.found), complete=sets.complete)} smallest"]
    for some in sets.found[:SHOWN]:
        empty = "" if any(compiled.initial[p] for p in some) else "  (empty at first)"
        lines.append(f"  {_listed([names[p] for p in some], 20)}{empty}")
    return lines + _rest(len(sets.found))


def _theorems(compiled: Compiled, found: Structure, places: Sequence[str]) -> list[str]:
    from placet.analysis.structure import unmarked_trap

    if found.commoner is None and found.live_and_bounded is None and found.sound is None:
        return ["theorems of free choice: they are not about this net"]
    lines = ["theorems of free choice"]
    words = {True: "yes", False: "no", None: "not found out"}
    if found.well_formed is not None or found.live_and_bounded is not None:
        lines.append(f"  some marking makes it live and bounded (rank theorem): {words[found.well_formed]}")
        lines.append(f"  live and bounded as it begins: {words[found.live_and_bounded]}")
    if found.commoner is not None and found.siphons is not None:
        lines.append(f"  live (Commoner: every siphon contains a marked trap): {words[found.commoner]}")
        if not found.commoner:
            siphon = unmarked_trap(compiled.net, compiled.initial, found.siphons)
            lines.append(f"    no marked trap in: {_listed([places[p] for p in siphon], 20)}")
    if found.sound is not None:
        lines.append(f"  sound as a workflow net (live and bounded once its ends lead back): {words[found.sound]}")
    return lines


def _document(compiled: Compiled, found: Structure, levels: tuple[int, ...] | None) -> dict[str, Any]:
    net = compiled.net
    return {
        "schema": "placet.structure/1",
        "subject": compiled.subject,
        "places": len(net.places),
        "transitions": len(net.transitions),
        "arcs": found.arcs,
        "classes": sorted(kind.name.lower() for kind in found.classes),
        "rank": found.rank,
        "clusters": found.clusters,
        "place_invariants": _basis_values(found.place_invariants, net.places),
        "transition_invariants": _basis_values(found.transition_invariants, net.transitions),
        "place_semiflows": _flow_values(found.place_flows, net.places),
        "transition_semiflows": _flow_values(found.transition_flows, net.transitions),
        "siphons": _set_values(found.siphons, net.places),
        "traps": _set_values(found.traps, net.places),
        "free_choice": {
            "well_formed": found.well_formed,
            "live_and_bounded": found.live_and_bounded,
            "live": found.commoner,
            "sound": found.sound,
        },
        "levels": None if levels is None else dict(zip(net.transitions, levels, strict=True)),
    }


def _flow_values(flows: Semiflows, names: Sequence[str]) -> dict[str, Any]:
    return {"complete": flows.complete, "found": [{names[i]: w for i, w in flow.weights} for flow in flows.found]}


def _basis_values(
    basis: tuple[tuple[tuple[int, int], ...], ...] | None, names: Sequence[str]
) -> list[dict[str, int]] | None:
    return None if basis is None else [{names[i]: w for i, w in weights} for weights in basis]


def _set_values(sets: Sets | None, names: Sequence[str]) -> dict[str, Any] | None:
    return None if sets is None else {"complete": sets.complete, "found": [[names[p] for p in s] for s in sets.found]}


def _count(count: int, *, complete: bool) -> str:
    return str(count) if complete else f"{count} found, there may be more"


def _rest(count: int) -> list[str]:
    return [f"  and {count - SHOWN} more (all with --format json)"] if count > SHOWN else []


def _listed(names: Sequence[str], most: int = SHOWN) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _short(compiled: Compiled, ids: Iterable[str]) -> list[str]:
    return [identifier.removeprefix(f"{compiled.subject}/") for identifier in ids]
