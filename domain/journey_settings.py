"""What marketers set of a journey besides its own options: what starts it, its experiments, its control group."""

from collections.abc import Mapping

from domain.errors import NotFound
from domain.experiments import MOST_HELD_OUT, Experiment
from domain.journeys import Plan
from domain.triggers import Trigger, event_of, events_of

STARTS_ON = "starts_on"
EXPERIMENTS = "experiments"
HOLDOUT = "holdout"
RESERVED = frozenset({STARTS_ON, EXPERIMENTS, HOLDOUT})
HEAVIEST = 1000


def problems_in(plan: Plan, settings: Mapping[str, object]) -> list[str]:
    """What is wrong with settings of these names, each with what is right."""
    problems = []
    starts_on = settings.get(STARTS_ON, [])
    if not isinstance(starts_on, list) or not set(map(str, starts_on)) <= set(plan.beginnings):
        able = ", ".join(sorted(plan.beginnings)) or "none"
        problems.append(f"options.{STARTS_ON}: must be a list of some of: {able}")
    held = settings.get(HOLDOUT, 0)
    if isinstance(held, bool) or not isinstance(held, (int, float)) or not 0 <= held <= MOST_HELD_OUT:
        problems.append(f"options.{HOLDOUT}: must be a share from 0 to {MOST_HELD_OUT}, such as 0.05")
    tried = settings.get(EXPERIMENTS, {})
    if not isinstance(tried, dict) or not tried.keys() <= plan.experiments.keys():
        there = ", ".join(sorted(plan.experiments)) or "none"
        return [*problems, f"options.{EXPERIMENTS}: must be an object whose names are some of: {there}"]
    for name, given in tried.items():
        variants = plan.experiments[name]
        if given not in variants and not _are_weights(given, variants):
            problems.append(
                f"options.{EXPERIMENTS}.{name}: must be weights such as "
                f'{{"{variants[0]}": 1, "{variants[1]}": 1}}, from 0 to {HEAVIEST} and not all 0, '
                f"or the variant that won: {', '.join(variants)}"
            )
    return problems


def starts_here(plan: Plan, settings: Mapping[str, object]) -> frozenset[str]:
    """The names of the events that start a journey here."""
    names = settings.get(STARTS_ON)
    return frozenset(names if isinstance(names, list) else events_of(plan.starts_on))


def triggers_here(plan: Plan, settings: Mapping[str, object]) -> list[Trigger]:
    """What starts a journey here."""
    here = starts_here(plan, settings)
    return [each for each in (*plan.starts_on, *plan.may_start_on) if event_of(each) in here]


def told_starts(plan: Plan, settings: Mapping[str, object]) -> list[str]:
    """What starts a journey here, in words."""
    return [str(each) for each in triggers_here(plan, settings)]


def experiment_of(plan: Plan, journey: str, settings: Mapping[str, object], name: str) -> Experiment:
    """An experiment as it runs here; nothing set, its variants weigh alike. Raises NotFound.

    Weights that name variants which the journey has no more count for those that it still has.
    """
    if name not in plan.experiments:
        raise NotFound("experiment", name)
    variants, tried = plan.experiments[name], settings.get(EXPERIMENTS)
    given = tried.get(name) if isinstance(tried, dict) else None
    salt = f"{journey}/{name}"
    if isinstance(given, str) and given in variants:
        return Experiment(salt=salt, weights=dict.fromkeys(variants, 1), winner=given)
    weights = {variant: given.get(variant, 0) for variant in variants} if isinstance(given, dict) else {}
    if not any(weights.values()):
        weights = dict.fromkeys(variants, 1)
    return Experiment(salt=salt, weights=weights)


def holdout_of(settings: Mapping[str, object]) -> float:
    """Which share of those who enter a journey is its control group."""
    held = settings.get(HOLDOUT)
    return float(held) if isinstance(held, (int, float)) else 0.0


def _are_weights(given: object, variants: tuple[str, ...]) -> bool:
    if not isinstance(given, dict) or not given.keys() <= set(variants):
        return False
    whole = [each for each in given.values() if isinstance(each, int) and not isinstance(each, bool)]
    return len(whole) == len(given) and all(0 <= each <= HEAVIEST for each in whole) and any(whole)
