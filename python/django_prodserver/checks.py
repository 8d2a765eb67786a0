"""``manage.py check`` says what ``prodserver check`` says."""

from __future__ import annotations

import json
import subprocess
import sys

from django.conf import settings
from django.core import checks
from django.core.management import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# What prodserver has from Django's own checks, which are told here anyway.
FROM_DJANGO = ("E706", "W704")


def check_processes(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    # Every command has checks; only who asks for them, and for those of all apps, waits for ours.
    if sys.argv[1:2] != ["check"] or app_configs is not None:
        return []
    # They import Django in another process, which would be asked for checks as well.
    from django_prodserver.handover import find_node, find_package, inherited_environment, project_root

    try:
        package = find_package()
        command = [find_node(package), str(package / "dist" / "bin.js"), "check", "--json"]
    except CommandError as error:
        return [checks.Warning(f"The production processes were not checked. {error}")]
    command += [f"--python={sys.executable}", f"--project={project_root()}"]
    command += [f"--settings={settings.SETTINGS_MODULE}"] if getattr(settings, "SETTINGS_MODULE", None) else []
    command += ["--deploy"] if "--deploy" in sys.argv else []
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=inherited_environment()
    )
    problems = [json.loads(line) for line in done.stdout.splitlines()]
    return [message_of(problem) for problem in problems if problem["id"] not in FROM_DJANGO]


def message_of(problem: dict[str, Any]) -> checks.CheckMessage:
    make = checks.Error if problem["id"].startswith("E") else checks.Warning
    where = problem.get("at") or problem["place"]
    text = f"{problem['place']}\n{problem['message']}"
    return make(text, hint=problem.get("hint"), obj=where, id="prodserver." + problem["id"])
