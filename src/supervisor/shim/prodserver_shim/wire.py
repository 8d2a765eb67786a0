"""Messages between the keeper and the supervisor: lists of byte strings."""

import struct


def pack(*fields):
    """A message: its length, then each field with its own."""
    parts = [f if isinstance(f, bytes) else str(f).encode() for f in fields]
    body = b"".join(struct.pack("<I", len(part)) + part for part in parts)
    return struct.pack("<I", len(body)) + body


def unpack(body):
    fields, at = [], 0
    while at < len(body):
        (size,) = struct.unpack_from("<I", body, at)
        fields.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    return fields
