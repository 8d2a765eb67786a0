"""Messages in pieces, and bytes that are no messages."""

import random
from typing import Any

import pytest
from prodserver_shim.wire import MAX_BYTES, Message, WireError, pack, split, unpack


def message(**fields: Any) -> Message:
    return Message(fields)


def test_takes_whole_messages_in_whatever_pieces_they_arrive() -> None:
    packed = b"".join(pack({"type": "signal", "signal": number}) for number in range(5))
    for seed in range(20):
        cuts = sorted(random.Random(seed).randrange(len(packed) + 1) for _ in range(6))
        pieces = [packed[a:b] for a, b in zip([0, *cuts], [*cuts, len(packed)])]
        inbox, numbers = b"", []
        for piece in pieces:
            bodies, inbox = split(inbox + piece)
            numbers += [unpack(body).number("signal") for body in bodies]
        assert (numbers, inbox) == (list(range(5)), b"")


def test_keeps_bytes_that_are_no_text() -> None:
    (body,), _ = split(pack({"text": b"\xff\x00e"}))
    assert unpack(body).data("text") == b"\xff\x00e"
    assert unpack(body).text("text") == "\udcff\x00e"
    assert pack({"text": "\udcff\x00e"}) == pack({"text": b"\xff\x00e"})


def test_leaves_out_fields_without_a_value() -> None:
    (body,), _ = split(pack({"type": "exited", "status": None}))
    assert body == b"d4:type6:exitede"


def test_refuses_a_message_that_is_too_long_before_it_has_arrived() -> None:
    split((MAX_BYTES).to_bytes(4, "little"))
    with pytest.raises(WireError):
        split((MAX_BYTES + 1).to_bytes(4, "little"))


def test_refuses_deep_nesting() -> None:
    with pytest.raises(WireError):
        unpack(b"d1:x" + b"l" * 100_000 + b"e" * 100_000 + b"e")


@pytest.mark.parametrize("seed", range(200))
def test_refuses_rubbish(seed: int) -> None:
    source = random.Random(seed)
    rubbish = bytes(source.choice(b"dlie0123:\xff-") for _ in range(source.randrange(40)))
    try:
        assert isinstance(unpack(rubbish), Message)
    except WireError:
        pass


def test_cannot_encode_other_types() -> None:
    value: Any = 1.5
    with pytest.raises(TypeError):
        pack({"value": value})


WRONG: dict[str, Any] = {"text": 1, "number": b"x", "items": [1], "table": {"name": 1}}


@pytest.mark.parametrize("reader", ["text", "number", "items", "table"])
def test_refuses_fields_of_another_type(reader: str) -> None:
    with pytest.raises(WireError):
        getattr(message(field=WRONG[reader]), reader)("field")


def test_refuses_missing_fields_and_fills_in_defaults() -> None:
    for reader in ("data", "text", "number"):
        with pytest.raises(WireError):
            getattr(message(), reader)("field")
    assert message().text("field", "x") == "x"
    assert message().number("field", 3) == 3
    assert (message().items("field"), message().table("field")) == ([], {})


def test_reads_lists_and_dictionaries_only_as_such() -> None:
    for reader in ("items", "table"):
        with pytest.raises(WireError):
            getattr(message(field=1), reader)("field")
