"""Hands over to the ``prodserver`` command: same pid, and this process's interpreter and settings."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def hand_over(arguments: Sequence[str], extra: Sequence[str] = ()) -> None:
    """Become ``prodserver ARGUMENTS -- EXTRA``. Does not return."""
    package = find_package()
    node = find_node(package)
    answer = settings_answer(package)
    command = [
        node,
        str(package / "dist" / "bin.js"),
        arguments[0],
        f"--python={sys.executable}",
        f"--project={project_root()}",
        f"--answer-fd={answer}",
        *arguments[1:],
        *(["--", *extra] if extra else []),
    ]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(node, command, inherited_environment())


def inherited_environment() -> dict[str, str]:
    """The environment with the time zone as it was before Django: each server reads it from the settings anyway."""
    environment = dict(os.environ)
    try:
        given = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return environment
    environment.pop("TZ", None)
    for entry in given:
        if entry.startswith(b"TZ="):
            environment["TZ"] = os.fsdecode(entry[3:])
    return environment


def find_package() -> Path:
    """The folder of the npm package: named, around this file, in a ``node_modules`` upwards, or of the command."""
    named = os.environ.get("PRODSERVER_PACKAGE")
    root = project_root()
    candidates = [Path(named)] if named else [Path(__file__).resolve().parents[2]]
    if not named:
        candidates += [folder / "node_modules" / "prodserver" for folder in (root, *root.parents)]
        installed = shutil.which("prodserver")
        candidates += Path(installed).resolve().parents if installed else []
    for folder in candidates:
        if (folder / "dist" / "bin.js").is_file() and (folder / "package.json").is_file():
            return folder
    where = f" in {named}" if named else ""
    raise CommandError(f"Cannot find prodserver{where}.\nInstall it in the project: npm install prodserver")


def find_node(package: Path) -> str:
    # A Node installed as a package beside prodserver is newer than many a system's own.
    for folder in (package, *package.parents):
        beside = folder / "node_modules" / "node" / "bin" / "node"
        if os.access(str(beside), os.X_OK):
            return str(beside)
    node = shutil.which("node")
    if node is None:
        raise CommandError("Cannot find Node.\nInstall it, or as a package: npm install node@24")
    return node


def settings_answer(package: Path) -> int:
    """The settings in force, as prodserver would read them, on a descriptor that outlives this program."""
    chunks = package / "dist" / "chunks"
    spec: Any = spec_from_file_location("prodserver_probe", str(chunks / "django_probe.py"))
    probe = module_from_spec(spec)
    spec.loader.exec_module(probe)
    modules = json.loads((chunks / "modules.json").read_text())
    module = getattr(settings, "SETTINGS_MODULE", None)
    if module is None:
        raise CommandError("The settings have no module; prodserver starts servers that must be able to import it.")
    answer = probe.describe(settings, getattr(sys.modules.get(module), "__file__", None), modules)
    answer["settingsModule"] = module
    # A server's environment and command line are visible to others; an unlinked file is not.
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(answer).encode())
        file.flush()
        descriptor = os.dup(file.fileno())
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.set_inheritable(descriptor, True)
    return descriptor


def project_root() -> Path:
    script = Path(sys.argv[0])
    return script.resolve().parent if script.name == "manage.py" else Path.cwd()
