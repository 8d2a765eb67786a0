"""The name that version 3 of django-prodserver gives to this command."""

from .prodserver import Command

__all__ = ["Command"]
