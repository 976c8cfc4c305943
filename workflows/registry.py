"""Finds every journey in this folder. Nothing to register: a class in a module of `workflows/` is a journey."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from domain.journeys import Declaration
from workflows.toolkit.journey import Journey
from workflows.toolkit.reading import steps_of


def journeys() -> tuple[type[Journey], ...]:
    """The journey classes, by name. Those defined in the modules here; not whatever subclasses exist elsewhere."""
    found: list[type[Journey]] = []
    for module_info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        module = importlib.import_module(f"workflows.{module_info.name}")
        found += [
            each
            for _, each in inspect.getmembers(module, inspect.isclass)
            if issubclass(each, Journey) and each is not Journey and each.__module__ == module.__name__
        ]
    return tuple(sorted(found, key=lambda each: each.__name__))


def declarations(of: tuple[type[Journey], ...] | None = None) -> tuple[Declaration, ...]:
    """What journeys declare, as data for the rest of the house: those of this folder, unless others are given."""
    return tuple(
        Declaration(
            name=each.__name__,
            folder=re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower(),
            plan=each.plan,
            story=inspect.getdoc(inspect.getmodule(each)) or "",
            steps=steps_of(each),
        )
        for each in (journeys() if of is None else of)
    )
