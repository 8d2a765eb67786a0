"""Lets settings be read without importing Celery, where that cannot change them.

Celery's documentation has the project's package import its application (``from .celery import app as celery_app``),
so importing ``mysite.settings`` imports Celery first, which takes longer than everything else together. Where the
package's file does nothing but that, and the application's file does nothing but make an application, the package is
entered without running it. If the settings touch anything of the package after all, it runs at that moment.

Whatever is not exactly of that form is imported as it stands.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ONLY_AST = 0x400  # ast.PyCF_ONLY_AST; importing ast itself would cost more than it tells
# Modules whose import, if it does not happen, no setting can miss.
HARMLESS_IMPORTS = ("__future__", "os", "celery", "kombu")
SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"


class DeferredPackage(ModuleType):
    """A package that runs its file when something of it is asked for that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        # The import system itself looks for names such as __path__, and must not run anything by that.
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        loader: Any = self.__loader__
        loader.exec_module(self)
        return getattr(self, name)


def defer(settings_module: str, root: str) -> None:
    """Put the settings' package into sys.modules without running it, if nothing can be missed by that."""
    name = settings_module.partition(".")[0]
    folder = os.path.join(root, name)
    file = os.path.join(folder, "__init__.py")
    if name in sys.modules or not os.path.isfile(file):
        return
    application = imported_application(parse(file), name)
    if application is None or not only_makes_an_application(parse(os.path.join(folder, application + ".py"))):
        return
    from importlib.util import spec_from_file_location

    spec = spec_from_file_location(name, file, submodule_search_locations=[folder])
    package = DeferredPackage(name)
    package.__spec__ = spec
    package.__loader__ = spec.loader if spec else None
    package.__file__ = file
    package.__path__ = [folder]
    package.__package__ = name
    sys.modules[name] = package


def parse(file: str) -> list[Any] | None:
    try:
        with open(file, "rb") as source:
            tree: Any = compile(source.read(), file, "exec", ONLY_AST)
            body: list[Any] = tree.body
            return body
    except (OSError, SyntaxError, ValueError):
        return None


def kind(node: Any) -> str:
    return type(node).__name__


def imported_application(body: list[Any] | None, package: str) -> str | None:
    """The module that a package's file imports, if it does nothing else; else None."""
    modules = set()
    for node in body or ():
        if kind(node) == "Try" and all(is_import_guard(handler) for handler in node.handlers) and not node.finalbody:
            statements = node.body + node.orelse
        else:
            statements = [node]
        for statement in statements:
            if is_text(statement) or is_assignment_of_text(statement, "__all__"):
                continue
            if kind(statement) != "ImportFrom":
                return None
            if statement.level == 1 and statement.module and "." not in statement.module:
                modules.add(statement.module)
            elif (
                statement.level == 0 and statement.module.startswith(package + ".") and statement.module.count(".") == 1
            ):
                modules.add(statement.module.partition(".")[2])
            elif statement.module != "__future__":
                return None
    return modules.pop() if len(modules) == 1 else None


def is_import_guard(handler: Any) -> bool:
    return (
        kind(handler.type) == "Name"
        and handler.type.id in ("ImportError", "ModuleNotFoundError")
        and all(
            kind(node) == "Pass" or (kind(node) == "Assign" and kind(node.value) == "Constant") for node in handler.body
        )
    )


def is_text(node: Any) -> bool:
    return kind(node) == "Expr" and kind(node.value) == "Constant"


def is_assignment_of_text(node: Any, name: str) -> bool:
    return (
        kind(node) == "Assign"
        and [getattr(target, "id", None) for target in node.targets] == [name]
        and kind(node.value) in ("List", "Tuple")
        and all(kind(element) == "Constant" for element in node.value.elts)
    )


def only_makes_an_application(body: list[Any] | None) -> bool:
    """Whether a file does nothing but define a Celery application and its tasks."""
    if body is None:
        return False
    names: set[str] = set()  # what comes from Celery, or was made by it
    return all(is_text(node) or is_harmless_statement(node, names) for node in body)


def is_harmless_statement(node: Any, names: set[str]) -> bool:
    """Tell whether a statement only imports, makes or changes an application, and add the names that it defines."""
    what = kind(node)
    if what in ("Import", "ImportFrom"):
        modules = [alias.name for alias in node.names] if what == "Import" else [node.module or ""]
        if getattr(node, "level", 0) or any(m.partition(".")[0] not in HARMLESS_IMPORTS for m in modules):
            return False
        if "os" not in modules and "__future__" not in modules:
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        return True
    if what == "Assign":
        if not is_harmless(node.value, names) or not all(is_own(target, names) for target in node.targets):
            return False
        names.update(target.id for target in node.targets if kind(target) == "Name")
        return True
    if what == "Expr":
        return sets_settings_module(node.value) or is_harmless(node.value, names)
    return what == "FunctionDef" and all(is_harmless(decorator, names) for decorator in node.decorator_list)


def is_own(target: Any, names: set[str]) -> bool:
    """``app = ...``, or ``app.conf.something = ...`` of an application that the file has made."""
    return kind(target) == "Name" or root_name(target) in names


def root_name(node: Any) -> Any:
    while kind(node) in ("Attribute", "Subscript", "Call"):
        node = node.func if kind(node) == "Call" else node.value
    return getattr(node, "id", None)


def sets_settings_module(node: Any) -> bool:
    """``os.environ.setdefault("DJANGO_SETTINGS_MODULE", ...)``, which is set already."""
    if kind(node) != "Call" or not node.args or kind(node.func) != "Attribute" or node.func.attr != "setdefault":
        return False
    first = node.args[0]
    return root_name(node.func) == "os" and kind(first) == "Constant" and first.value == SETTINGS_VARIABLE


def is_harmless(node: Any, names: set[str]) -> bool:
    """Made of constants, reads of the environment, and what comes from Celery."""
    what = kind(node)
    if what == "Constant":
        return True
    if what == "Name":
        return node.id in names
    if what in ("List", "Tuple", "Set"):
        return all(is_harmless(element, names) for element in node.elts)
    if what == "Dict":
        return all(is_harmless(item, names) for item in (*node.keys, *node.values) if item is not None)
    if what in ("Attribute", "Subscript"):
        return root_name(node) in names
    if what == "Call":
        reads_environment = root_name(node.func) == "os" and getattr(node.func, "attr", "") in ("getenv", "get")
        arguments = (*node.args, *(keyword.value for keyword in node.keywords))
        return (reads_environment or root_name(node.func) in names) and all(is_harmless(a, names) for a in arguments)
    return False
