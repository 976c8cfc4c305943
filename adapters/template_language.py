"""What a text may say in Jinja2: show, choose and repeat. It calls nothing, assigns nothing and cannot grow (F22).

The sandbox keeps a template from reaching out, and does not keep it from running for ever or filling the memory. This
small language does, for texts that came by a reviewed commit. Texts of strangers would need a process that can be
killed as well.
"""

from typing import Any

from jinja2 import StrictUndefined, Template, TemplateRuntimeError, TemplateSyntaxError, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 256 * 1024  # characters of one rendered text

FILTERS = frozenset(
    {
        "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int", "join", "last", "length", "list",
        "lower", "max", "min", "round", "sort", "string", "sum", "title", "trim", "unique", "upper", "urlencode",
    }
)  # fmt: skip
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "a text cannot call anything; use a filter",
    nodes.Assign: "a text cannot set a variable",
    nodes.AssignBlock: "a text cannot set a variable",
    nodes.Macro: "a text has no macros",
    nodes.CallBlock: "a text has no macros",
    nodes.FilterBlock: "write the filter behind each value",
    nodes.Block: "a text has no blocks",
    nodes.Extends: "a text stands alone",
    nodes.Include: "a text stands alone",
    nodes.Import: "a text stands alone",
    nodes.FromImport: "a text stands alone",
    nodes.Mod: "a text cannot format by %",
    nodes.Pow: "a text cannot raise to a power",
}


class TooLong(TemplateRuntimeError):
    """A text grew beyond every measure."""


class _Bounded(Template):
    def render(self, *args: Any, **kwargs: Any) -> str:
        """As ever, up to a length. Raises TooLong."""
        parts, size = [], 0
        for part in self.generate(*args, **kwargs):
            size += len(part)
            if size > LONGEST:
                raise TooLong(f"more than {LONGEST} characters")
            parts.append(part)
        return "".join(parts)


class TextEnvironment(ImmutableSandboxedEnvironment):
    """Compiles texts. Raises TemplateSyntaxError, with the line, for what a text may not do."""

    template_class = _Bounded
    intercepted_binops = frozenset({"*"})

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=autoescape)
        self.globals.clear()
        self.filters = {name: work for name, work in self.filters.items() if name in FILTERS}

    def compile(self, source: Any, *args: Any, **kwargs: Any) -> Any:
        """Code of a template, once its language is checked."""
        tree = self.parse(source) if isinstance(source, str) else source
        _check(tree)
        return super().compile(tree, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Numbers may be multiplied; a text may not, by a number as large as anybody likes."""
        if not all(isinstance(side, (int, float)) for side in (left, right)):
            raise TemplateRuntimeError("only numbers can be multiplied")
        return super().call_binop(context, operator, left, right)


def _check(tree: nodes.Template) -> None:
    for node in tree.find_all(tuple(_REFUSED)):
        raise TemplateSyntaxError(next(why for kind, why in _REFUSED.items() if isinstance(node, kind)), node.lineno)
    for loop in tree.find_all(nodes.For):
        if loop.recursive or next(loop.find_all(nodes.For), None):
            raise TemplateSyntaxError("a text has no loop within a loop", loop.lineno)
    for used in tree.find_all(nodes.Filter):
        if used.name == "join" and not all(isinstance(each, nodes.Const) for each in used.args):
            raise TemplateSyntaxError("join by a text in quotes", used.lineno)
