"""The settings, as an object for code that imported it from here."""

from __future__ import annotations

from django.conf import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AppSettings:
    @property
    def PRODUCTION_PROCESSES(self) -> Any:  # noqa: N802 - The attribute has the name of the setting.
        """The declared processes; empty where the setting does not exist."""
        return getattr(settings, "PRODUCTION_PROCESSES", {})


app_settings = AppSettings()
