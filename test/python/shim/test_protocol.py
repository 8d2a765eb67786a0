"""protocol.md and its vectors hold for the shim. protocol.spec.ts checks the supervisor."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from prodserver_shim import messages, shim
from prodserver_shim.index import pack_record
from prodserver_shim.log import last_numbers
from prodserver_shim.output import pipe_name
from prodserver_shim.wire import WireError, pack, split, unpack

FOLDER = Path(shim.__file__).resolve().parents[1]
VECTORS: dict[str, Any] = json.loads((FOLDER / "protocol.vectors.json").read_text(encoding="utf-8"))
COMMANDS: list[dict[str, Any]] = VECTORS["commands"]
REPLIES: list[dict[str, Any]] = VECTORS["replies"]


def type_of(sample: dict[str, Any]) -> str:
    return str(sample["message"]["type"])


def as_bytes(value: Any) -> Any:
    """Turn the texts of a message into what the shim reads."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [as_bytes(item) for item in value]
    if isinstance(value, dict):
        return {name: as_bytes(item) for name, item in value.items()}
    return value


@pytest.mark.parametrize("sample", COMMANDS + REPLIES, ids=type_of)
def test_packs_and_unpacks_each_message(sample: dict[str, Any]) -> None:
    packed = pack(sample["message"])
    assert packed[4:].decode() == sample["encoded"]
    (body,), rest = split(packed)
    assert rest == b""
    assert unpack(body).fields == as_bytes(sample["message"])


@pytest.mark.parametrize("sample", VECTORS["frames"], ids=lambda sample: str(sample["hex"]))
def test_frames_messages(sample: dict[str, Any]) -> None:
    assert pack(sample["message"]).hex() == sample["hex"]


@pytest.mark.parametrize("encoded", VECTORS["malformed"])
def test_refuses_malformed_messages(encoded: str) -> None:
    with pytest.raises(WireError):
        unpack(encoded.encode())


@pytest.mark.parametrize("sample", REPLIES, ids=type_of)
def test_makes_each_reply(sample: dict[str, Any]) -> None:
    makers = {
        "busy": messages.busy,
        "welcome": messages.welcome,
        "spawned": messages.spawned,
        "failed": messages.failed,
        "exited": messages.exited,
        "notified": messages.notified,
        "bound": messages.bound,
        "not-bound": messages.not_bound,
        "log-full": messages.log_full,
        "log-error": messages.log_error,
        "log-lost": messages.log_lost,
        "rotated": messages.rotated,
    }
    expected = sample["message"]
    values = [value for name, value in expected.items() if name not in ("type", "protocol")]
    if expected["type"] == "welcome":
        values[2] = [messages.held_invocation(*invocation.values()) for invocation in values[2]]
    make: Any = makers[expected["type"]]
    assert make(*values) == expected


def test_knows_each_command(tmp_path: Path) -> None:
    for name in ("logs", "run"):
        (tmp_path / name).mkdir()
    assert sorted(shim.Shim(str(tmp_path), []).commands) == sorted(map(type_of, COMMANDS))


def test_agrees_on_names_and_numbers() -> None:
    assert VECTORS["protocol"] == messages.PROTOCOL
    assert VECTORS["exitCodes"]["alreadyRunning"] == shim.ALREADY_RUNNING
    assert [VECTORS["names"]["lock"], VECTORS["names"]["socket"]] == [shim.LOCK, shim.SOCKET]


@pytest.mark.parametrize("record", VECTORS["indexRecords"])
def test_packs_index_records(record: dict[str, Any]) -> None:
    assert pack_record(record["timeUs"], record["offset"], record["invocation"]).hex() == record["hex"]


def test_packs_a_larger_offset_as_the_largest() -> None:
    assert pack_record(1, 1 << 40, 2) == pack_record(1, 0xFFFFFFFF, 2)


@pytest.mark.parametrize("pipe", VECTORS["pipes"])
def test_names_pipes(pipe: dict[str, Any]) -> None:
    assert pipe_name(pipe["instance"], pipe["invocation"]) == pipe["name"]


def test_finds_the_last_number_of_a_log(tmp_path: Path) -> None:
    for file in VECTORS["logFiles"]:
        (tmp_path / file["name"]).touch()
    numbers = last_numbers(str(tmp_path))
    assert numbers["web.1"] == max(file["sequence"] or 0 for file in VECTORS["logFiles"])


@pytest.mark.parametrize("sample", VECTORS["waitStatuses"])
def test_reads_wait_statuses(sample: dict[str, Any]) -> None:
    status = sample["status"]
    if sample["code"] is None:
        assert os.WIFSIGNALED(status)
    else:
        assert os.WEXITSTATUS(status) == sample["code"]
