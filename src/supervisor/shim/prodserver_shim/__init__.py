"""Shim: the parent of all instances. See protocol.md for its messages and files."""
