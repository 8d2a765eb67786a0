"""Django's development server, under the name that goes with ``prodserver``."""

from django.core.management import get_commands, load_command_class

# Whichever app provides it: with django.contrib.staticfiles it serves static files, with Channels it speaks ASGI.
_provider = get_commands()["runserver"]
Command = type(_provider if not isinstance(_provider, str) else load_command_class(_provider, "runserver"))
