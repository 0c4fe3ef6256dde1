"""The documentation of a model's fields: the strings that follow them in the source.

pydantic would extract it (use_attribute_docstrings), and does so whenever a model is imported: every process of the
provider would read and parse its own source for what only the generator needs.
"""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel


@cache
def field_docs(kind: type[BaseModel]) -> Mapping[str, str]:
    """The documentation of each field by its name, those of the classes that it derives from too."""
    models = (base for base in reversed(kind.__mro__) if issubclass(base, BaseModel) and base is not BaseModel)
    return {name: text for model in models for name, text in _own(model)}


def _own(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for field, following in itertools.pairwise(body):
        match field, following:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                yield name, inspect.cleandoc(text)
