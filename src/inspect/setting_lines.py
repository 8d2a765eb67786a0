"""Tells in which lines of the project's files a setting, and each of the keys in it, is written.

Read from the text of the files, so what a loop or a function makes is known by where it was assigned.
"""

from __future__ import annotations

import ast
import os
import sys

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    Path = tuple[str, ...]


def find_lines(names: Collection[str], settings_file: str | None, root: str) -> dict[str, Any]:
    """
    ``lines``: pairs of a path of keys, the first of which is the setting, and ``FILE:LINE``; what comes later has won.
    ``literals``: the paths whose value is a text that stands there as it is.
    """
    found: dict[Path, str] = {}
    literals: dict[Path, bool] = {}
    for file in files_with(names, settings_file, root):
        try:
            with open(file, "rb") as source:
                tree = ast.parse(source.read())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            for path, value, line in assigned(node):
                if path[0] in names:
                    note(found, literals, file, path, value, line)
    lines = [[list(path), place] for path, place in found.items()]
    return {"lines": lines, "literals": [list(path) for path, is_literal in literals.items() if is_literal]}


def files_with(names: Collection[str], settings_file: str | None, root: str) -> list[str]:
    """Modules of the project that have one of the names, that of the settings last: it may change what it imports."""
    files = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not file or not file.endswith(".py") or not os.path.abspath(file).startswith(root + os.sep):
            continue
        if file != settings_file and any(name in vars(module) for name in names):
            files.append(file)
    return [*files, settings_file] if settings_file else files


def assigned(node: ast.AST) -> Iterator[tuple[Path, ast.expr, int]]:
    """The paths that a statement gives a value: ``NAME = …``, ``NAME: type = …``, ``NAME["key"]["key"] = …``."""
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    else:
        return
    for target in targets:
        path = path_of(target)
        if path:
            yield path, value, node.lineno


def path_of(target: ast.expr) -> Path | None:
    keys: list[str] = []
    while isinstance(target, ast.Subscript):
        # Python 3.8 wraps it.
        key: Any = target.slice
        if type(key).__name__ == "Index":
            key = key.value
        if not isinstance(key, ast.Constant):
            return None
        keys.insert(0, str(key.value))
        target = target.value
    return (target.id, *keys) if isinstance(target, ast.Name) else None


def note(found: dict[Path, str], literals: dict[Path, bool], file: str, path: Path, value: ast.expr, line: int) -> None:
    found[path] = f"{file}:{line}"
    literals[path] = isinstance(value, ast.Constant) and isinstance(value.value, str)
    for key, inner, at in items(value):
        note(found, literals, file, (*path, key), inner, at)


def items(value: ast.expr) -> Iterator[tuple[str, ast.expr, int]]:
    if isinstance(value, ast.Dict):
        for key, inner in zip(value.keys, value.values):
            if isinstance(key, ast.Constant):
                yield str(key.value), inner, key.lineno
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        for keyword in value.keywords:
            if keyword.arg is not None:
                yield keyword.arg, keyword.value, keyword.value.lineno
