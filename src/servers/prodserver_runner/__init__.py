"""Runner of Python web servers; see __main__.py."""
