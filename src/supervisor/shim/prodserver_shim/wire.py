"""Encodes and decodes messages: a length, then a bencoded dictionary. See protocol.md."""

from __future__ import annotations

import struct

# typing takes longer to import than everything else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Mapping, Sequence, Union

    Decoded = Union[int, bytes, List["Decoded"], Dict[str, "Decoded"]]
    Value = Union[int, str, bytes, Sequence["Value"], Mapping[str, "Value"], None]

LENGTH = struct.Struct("<I")
# Longest message, in bytes. The system limits a program's arguments and environment to less.
MAX_BYTES = 1 << 24
MAX_DEPTH = 8


class WireError(ValueError):
    """Bytes that are no message, or a message without a field that it must have."""


class Message:
    """The fields of one message, with the type that the reader expects."""

    def __init__(self, fields: dict[str, Decoded]) -> None:
        self.fields = fields

    def data(self, name: str, default: bytes | None = None) -> bytes:
        """Return a byte string."""
        value = self.fields.get(name, default)
        if not isinstance(value, bytes):
            raise WireError(f"{name} is {value!r}, not a string")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return a byte string as text. Bytes that are not UTF-8 become what os.fsdecode makes of them."""
        value = self.fields.get(name, default)
        if isinstance(value, str):
            return value
        return self.data(name).decode("utf-8", "surrogateescape")

    def number(self, name: str, default: int | None = None) -> int:
        """Return an integer."""
        value = self.fields.get(name, default)
        if not isinstance(value, int):
            raise WireError(f"{name} is {value!r}, not a number")
        return value

    def items(self, name: str) -> list[bytes]:
        """Return a list of byte strings; empty if the field is missing."""
        values = self.fields.get(name, [])
        if not isinstance(values, list):
            raise WireError(f"{name} is no list")
        return [_bytes_of(name, value) for value in values]

    def table(self, name: str) -> dict[str, bytes]:
        """Return a dictionary of byte strings; empty if the field is missing."""
        values = self.fields.get(name, {})
        if not isinstance(values, dict):
            raise WireError(f"{name} is no dictionary")
        return {key: _bytes_of(name, value) for key, value in values.items()}

    def has(self, name: str) -> bool:
        """Tell whether the message has a field."""
        return name in self.fields


def _bytes_of(name: str, value: Decoded) -> bytes:
    if not isinstance(value, bytes):
        raise WireError(f"{name} holds {value!r}, not only strings")
    return value


def pack(message: Mapping[str, Value]) -> bytes:
    """Encode a message. Fields that are None are left out."""
    body: list[bytes] = []
    _encode(message, body)
    encoded = b"".join(body)
    return LENGTH.pack(len(encoded)) + encoded


def unpack(body: bytes) -> Message:
    """Decode a message without its length."""
    try:
        value, end = _decode(body, 0, 0)
    except ValueError as error:
        raise WireError(f"cannot decode {body[:40]!r}: {error}") from error
    if end != len(body) or not isinstance(value, dict):
        raise WireError(f"not a message: {body[:40]!r}")
    return Message(value)


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Take the whole messages from the start of what has arrived. Return their bodies, and the rest."""
    bodies = []
    at = 0
    while len(data) - at >= LENGTH.size:
        (size,) = LENGTH.unpack_from(data, at)
        if size > MAX_BYTES:
            raise WireError(f"a message of {size} bytes is too long")
        end = at + LENGTH.size + size
        if len(data) < end:
            break
        bodies.append(data[at + LENGTH.size : end])
        at = end
    return bodies, data[at:]


def _encode(value: Value, out: list[bytes]) -> None:
    if isinstance(value, int):
        out.append(b"i%de" % value)
    elif isinstance(value, (str, bytes)):
        data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        out.append(b"%d:%b" % (len(data), data))
    elif isinstance(value, (list, tuple)):
        out.append(b"l")
        for item in value:
            _encode(item, out)
        out.append(b"e")
    elif isinstance(value, dict):
        out.append(b"d")
        for key, item in value.items():
            if item is not None:
                _encode(key, out)
                _encode(item, out)
        out.append(b"e")
    else:
        raise TypeError(f"cannot encode {value!r}")


def _decode(body: bytes, at: int, depth: int) -> tuple[Decoded, int]:
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    kind = body[at : at + 1]
    if kind == b"i":
        end = body.index(b"e", at)
        return int(body[at + 1 : end]), end + 1
    if kind == b"l":
        items: list[Decoded] = []
        at += 1
        while body[at : at + 1] != b"e":
            item, at = _decode(body, at, depth + 1)
            items.append(item)
        return items, at + 1
    if kind == b"d":
        fields: dict[str, Decoded] = {}
        at += 1
        while body[at : at + 1] != b"e":
            key, at = _decode_bytes(body, at)
            fields[key.decode("utf-8", "surrogateescape")], at = _decode(body, at, depth + 1)
        return fields, at + 1
    return _decode_bytes(body, at)


def _decode_bytes(body: bytes, at: int) -> tuple[bytes, int]:
    colon = body.index(b":", at)
    if not body[at:colon].isdigit():
        raise WireError(f"no value at byte {at}")
    start = colon + 1
    end = start + int(body[at:colon])
    if end > len(body):
        raise WireError(f"cut off at byte {at}")
    return body[start:end], end
