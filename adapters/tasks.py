"""The words of tasks for people: `templates/tasks/<journey>/<task>.toml`, in the language of the staff."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from adapters.template_language import TextEnvironment
from domain.errors import InvalidDeclaration, NotFound

FOLDER = Path(__file__).parent.parent / "templates" / "tasks"


class TaskLibrary:
    """Every task's title and text, by language. Raises InvalidDeclaration for a file that lacks one."""

    def __init__(self, locale: str, folder: Path = FOLDER) -> None:
        environment = TextEnvironment(autoescape=False)
        self._tasks = {}
        for file in sorted(folder.glob("*/*.toml")):
            words = tomllib.loads(file.read_text())
            for language in ("en", "ru"):
                if set(words.get(language, {})) != {"title", "text"}:
                    raise InvalidDeclaration(f"{file.parent.name}/{file.name}: needs [{language}] with title and text.")
            own = words[locale]
            self._tasks[file.parent.name, file.stem] = (
                environment.from_string(own["title"]),
                environment.from_string(own["text"]),
            )

    def write(self, journey: str, task: str, attributes: Mapping[str, object]) -> tuple[str, str]:
        """Title and text of a task about a customer with these attributes. Raises NotFound."""
        if (journey, task) not in self._tasks:
            raise NotFound("task", f"{journey}/{task}")
        title, words = self._tasks[journey, task]
        names = [attributes.get("first_name"), attributes.get("last_name")]
        context = {"customer": {"name": " ".join(str(n) for n in names if n), "attributes": attributes}}
        return title.render(context).strip(), words.render(context).strip()

    def names(self) -> tuple[tuple[str, str], ...]:
        """All tasks as (journey folder, task)."""
        return tuple(self._tasks)
