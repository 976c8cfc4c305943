"""What customers live through, by journey: told on a bench by the tests, and recorded by `make history` for replay.

One module for each journey, named like its file in `workflows/`; each of its public functions is a story.
"""

import importlib
import inspect
from collections.abc import Awaitable, Callable

from tests.support.playback import Playback
from workflows.registry import declarations

Story = Callable[[Playback], Awaitable[None]]


def _told(folder: str) -> dict[str, Story]:
    module = importlib.import_module(f"{__name__}.{folder}")
    return {
        name: story
        for name, story in vars(module).items()
        if inspect.iscoroutinefunction(story) and story.__module__ == module.__name__ and not name.startswith("_")
    }


STORIES = {each.name: _told(each.folder) for each in declarations()}
