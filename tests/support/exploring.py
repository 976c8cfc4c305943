"""Searches of journeys, each made once in a run of the tests, bounded by count: seconds differ between machines."""

import logging

from domain.journeys import Declaration
from domain.messages import Message
from tests.support.factories import compiled
from tropa.rehearsal.exploring.search import Found, explore
from workflows.registry import declarations
from workflows.toolkit import Journey

MOST_WALKS = 250  # what a journey must show all of itself in


def declared(journey: type[Journey]) -> Declaration:
    """What a journey declares."""
    [found] = declarations((journey,))
    return found


def said_by(journey: type[Journey]) -> tuple[Message, ...]:
    """Its messages."""
    return tuple(message for message in compiled().messages() if message.journey == declared(journey).folder)


def found(journey: type[Journey]) -> Found:
    """What may happen in a journey."""
    name = journey.__name__
    if name not in _FOUND:
        logging.disable(logging.WARNING)  # what breaks is told by what is found
        try:
            _FOUND[name] = explore(journey, declared(journey), said_by(journey), most=MOST_WALKS, patience=600)
        finally:
            logging.disable(logging.NOTSET)
    return _FOUND[name]


_FOUND: dict[str, Found] = {}
