"""The options that say what is checked and how much it may cost: of `verify`, and of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from placet.evidence import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.faults.hypothesis import Hypothesis
    from placet.pipeline import Options
    from placet.project.configuration import Configuration

Command = TypeVar("Command", bound="Callable[..., Any]")

LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5")


def budget_options(command: Command) -> Command:
    """What each check may use."""
    for option in reversed(
        (
            click.option("--budget-states", type=click.IntRange(1), metavar="N", help="States each check may visit."),
            click.option("--budget-mb", type=click.IntRange(1), metavar="MB", help="Memory each check may use."),
            click.option(
                "--budget-seconds",
                type=click.FloatRange(0, min_open=True),
                metavar="S",
                help="Time each check may take.",
            ),
            click.option("--engine", metavar="NAME", help="Force an engine."),
        )
    ):
        command = option(command)
    return command


def fault_options(command: Command) -> Command:
    """Which faults may happen."""
    for option in reversed(
        (
            click.option("--faults", metavar="KIND,...", help="Faults that may happen, such as reject,lost,slow."),
            click.option("--fault-budget", type=click.IntRange(0), metavar="K", help="How many of them in one run."),
            click.option("--transient", is_flag=True, default=None, help="Each fault spoils one attempt only."),
            click.option("--level", type=click.Choice(LEVELS), help="A named set of faults with its budget."),
        )
    ):
        command = option(command)
    return command


def check_options(command: Command) -> Command:
    """What is asked, and under which assumptions."""
    command = fault_options(budget_options(command))
    for option in reversed(
        (
            click.option("--check", "checks", metavar="ID,...", help="Ask exactly these checks."),
            click.option("--final", type=click.Choice(["any-sink"]), help="Which markings are final."),
            click.option("--closed", is_flag=True, default=None, help="Nothing arrives from outside."),
            click.option("--strict", is_flag=True, default=None, help="A bound that nothing justifies proves nothing."),
            click.option("--no-reduce", is_flag=True, help="Explore the net as it is."),
        )
    ):
        command = option(command)
    return command


def run_options(configuration: Configuration, given: dict[str, Any]) -> Options:
    """The options of the pipeline: the command line before the configuration before the defaults."""
    from placet.pipeline import Options

    def chosen(name: str) -> Any:  # noqa: ANN401 - as click gives it
        value = given.get(name)
        return getattr(configuration, name) if value is None else value

    asked = tuple(_listed(given["checks"])) if given.get("checks") else ()
    return Options(
        checks=_known_checks(asked, "--check")
        or _known_checks(configuration.checks, f"`checks` in {configuration.path}"),
        budget=_budget(chosen),
        hypothesis=_hypothesis(chosen),
        instead=bool(asked) and _hypothesis(given.get) is not None,
        reduce=not given.get("no_reduce"),
        engine=given.get("engine"),
        final=chosen("final") or "",
        closed=bool(chosen("closed")),
        strict=bool(chosen("strict")),
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def budget_of(given: dict[str, Any]) -> Budget:
    """The budget of a command line, where no configuration counts."""
    return _budget(given.get)


def _budget(chosen: Callable[[str], Any]) -> Budget:
    normal = Budget()
    megabytes = chosen("budget_mb")
    return Budget(
        chosen("budget_states") or normal.states,
        megabytes << 20 if megabytes else normal.bytes,
        chosen("budget_seconds") or normal.seconds,
    )


def _known_checks(checks: tuple[str, ...], where: str) -> tuple[str, ...]:
    if not checks:
        return ()
    from placet.analysis.check import CHECKS
    from placet.analysis.questions import MEASURED, RECORDED

    known = (*CHECKS, *sorted(MEASURED | RECORDED, key=lambda name: (len(name), name)))
    for check in checks:
        if check not in known:
            from difflib import get_close_matches

            near = get_close_matches(check, known, 1)
            name, asked, _ = check.partition("(")
            if asked and name in known:
                message = f"`{name}` is given here by its name alone; what it is asked of stands in the model: `check {name}(...)`"
                raise click.BadParameter(message, param_hint=where)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"
            raise click.BadParameter(f"there is no check `{check}`; {hint}", param_hint=where)
    return tuple(dict.fromkeys(checks))


def hypothesis_of(given: dict[str, Any]) -> Hypothesis | None:
    """The faults of a command line, where no configuration counts."""
    return _hypothesis(given.get)


def _hypothesis(chosen: Callable[[str], Any]) -> Hypothesis | None:
    """The faults to weave in; None where nobody named any. Raises UsageError for one that does not exist."""
    faults, level, budget, transient = (chosen(n) for n in ("faults", "level", "fault_budget", "transient"))
    if isinstance(faults, str) and not _listed(faults):
        why = "it names no fault; `--fault-budget 0` checks without any"
        raise click.BadParameter(why, param_hint="--faults")
    if not faults and not level and budget is None and not transient:
        return None
    from placet.pipeline import choose_hypothesis

    kinds = _listed(faults) if isinstance(faults, str) else faults
    return choose_hypothesis(level or "", kinds or None, budget, "transient" if transient else "")
