"""The Django app of prodserver: hands ``manage.py prodserver`` over to the ``prodserver`` command."""

# The version of django-prodserver whose settings, classes and commands are understood, then prodserver's own.
__version__ = "3.0.0+prodserver.0.1.0"
