"""What is said of a type's fields: the docstrings behind them, which Python itself doesn't keep.

`kab explain` and the documentation tell them; nothing that measures asks for them.
"""

from __future__ import annotations

import ast
from inspect import cleandoc, getdoc, getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any


def field_docs(type_: type[Any]) -> dict[str, str]:
    """The first paragraph of each field's docstring, and of its properties', by name.

    Raises:
        OSError: its source isn't there.
    """
    class_: Any = ast.parse(dedent(getsource(type_))).body[0]
    found = {}
    for field, after in pairwise(class_.body):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
            name = ast.unparse(field.target)
            found[name] = cleandoc(ast.literal_eval(after.value)).partition("\n\n")[0]
    for name, it in vars(type_).items():
        if isinstance(it, property):
            found[name] = getdoc(it) or ""
    return {name: " ".join(text.split()) for name, text in found.items()}
