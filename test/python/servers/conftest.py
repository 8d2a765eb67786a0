"""Stubs of the places that the runner changes, under the names of the servers' own modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Callable

import pytest
from prodserver_runner import common

Stub = Callable[..., Any]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """
    Return a function that puts a module with these members in the place of a real one. A member of a package is also an
    attribute of the package.
    """

    def make(name: str, **members: Any) -> Any:
        module: Any = ModuleType(name)
        module.__path__ = []
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
        parent, _, last = name.rpartition(".")
        if parent:
            monkeypatch.setattr(sys.modules[parent], last, module, raising=False)
        return module

    yield make
    for name in [name for name in sys.modules if name.startswith("prodserver_runner.")]:
        if name.rpartition(".")[2] in ("daphne", "granian", "gunicorn", "hypercorn", "uvicorn", "waitress"):
            del sys.modules[name]


@pytest.fixture
def no_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait for silent connections."""
    monkeypatch.setattr(common, "LINGER", 0.0)
