"""What a text may say of the shop and of a survey: the lists of products, the code and the survey that its message
declares, and no other.

Found when the texts are read. At the send, a name that is wrong would fail it.
"""

from dataclasses import dataclass, fields

from jinja2 import TemplateSyntaxError, nodes

from domain.messages import Message
from domain.offers import Code
from domain.products import Product

_OF_PRODUCTS = frozenset(each.name for each in fields(Product))
_OF_CODES = frozenset(each.name for each in fields(Code))
_OF_SURVEYS = frozenset({"url", "scores"})


@dataclass(frozen=True, kw_only=True)
class Names:
    """The lists of products that a message declares, and whether it gives a code, or asks a survey."""

    lists: frozenset[str] = frozenset()
    code: bool = False
    survey: bool = False

    @classmethod
    def of(cls, message: Message) -> "Names":
        """What a message declares."""
        return cls(lists=frozenset(message.products), code=bool(message.offer), survey=bool(message.survey))


def check_names(tree: nodes.Template, names: Names) -> None:
    """Raises TemplateSyntaxError, with the line, for a name that the message does not declare."""
    _look(tree, names, frozenset())


def _look(node: nodes.Node, names: Names, shown: frozenset[str]) -> None:
    """`shown` is what the loops around call a product."""
    match node:
        case nodes.For(target=nodes.Name(name=each)) if _is_of_products(node.iter):
            _look(node.iter, names, shown)
            inside = shown | {each}
            for inner in (*node.body, *([node.test] if node.test else [])):
                _look(inner, names, inside)
            for inner in node.else_:
                _look(inner, names, shown)
            return
        case nodes.Getattr(node=nodes.Name(name=of), attr=said):
            _check(of, said, names, shown, node.lineno)
            return
        case nodes.Name(name="products", lineno=line):
            raise TemplateSyntaxError("write which list: products.best", line)
        case nodes.Name(name="code", lineno=line):
            raise TemplateSyntaxError("write what of the code: code.text", line)
    for inner in node.iter_child_nodes():
        _look(inner, names, shown)


def _check(of: str, said: str, names: Names, shown: frozenset[str], line: int) -> None:
    if of in shown:
        _among(said, _OF_PRODUCTS, "a product", line)
    elif of == "products":
        _among(said, names.lists, "[products] in message.toml", line)
    elif of == "code" and not names.code:
        raise TemplateSyntaxError("there is no code: declare offer in message.toml", line)
    elif of == "survey" and not names.survey:
        raise TemplateSyntaxError("there is no survey: declare one in message.toml", line)
    elif of == "survey":
        _among(said, _OF_SURVEYS, "a survey", line)
    elif of == "code":
        _among(said, _OF_CODES, "a code", line)


def _among(said: str, known: frozenset[str], what: str, line: int) -> None:
    if said not in known:
        raise TemplateSyntaxError(f"{what} has no {said}, only {', '.join(sorted(known)) or 'nothing'}", line)


def _is_of_products(listed: nodes.Node) -> bool:
    """Whether a loop goes over a list of products, or a part of one: products.best, products.best[:3]."""
    while isinstance(listed, nodes.Filter | nodes.Getitem) and listed.node is not None:
        listed = listed.node
    return isinstance(listed, nodes.Getattr) and isinstance(listed.node, nodes.Name) and listed.node.name == "products"
