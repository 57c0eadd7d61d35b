"""The SDK's cache client, on the embedded memcached and on a real one."""

from __future__ import annotations

import contextlib
import math
import socket
import time
from collections.abc import Iterator
from typing import Any

import memcached as real_memcached
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheError,
    MemcacheIllegalInputError,
    MemcacheServerError,
)

from q2mfa_cli.platform.cache import Q2CacheClient
from q2mfa_cli.platform.memcached import Memcached

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def embedded_address() -> Iterator[tuple[str, int]]:
    server = Memcached(time.time)
    yield server.address
    server.close()


@pytest.fixture(scope="module")
def memcached_address() -> Iterator[tuple[str, int]]:
    with real_memcached.running() as address:
        yield address


@pytest.fixture(params=["embedded", pytest.param("memcached", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest) -> tuple[str, int]:
    address: tuple[str, int] = request.getfixturevalue(f"{request.param}_address")
    return address


@pytest.fixture
def cache(address: tuple[str, int]) -> Iterator[Q2CacheClient]:
    client = Q2CacheClient(address)
    client.flush_all(noreply=False)
    yield client.with_prefix("stack:")
    client.close()


@pytest.fixture(params=["raw", "prefixed"])
def cache_of_reading(request: pytest.FixtureRequest, cache: Q2CacheClient) -> Q2CacheClient:
    cache.inherited = request.param
    return cache


def test_value_is_read_with_its_own_prefix_only(cache: Q2CacheClient) -> None:
    other = cache.with_prefix("session:")
    assert cache.set("key", "value", 60) is True
    assert cache.get("key") == "value"
    assert other.get("key", "default") == "default"
    assert other.get("key") is None


@pytest.mark.parametrize("value", ["ü", "", 7, [1, "b"], {"a": [1, 2.5, None, True], "b": {}}])
def test_value_of_supported_type_is_unchanged(value: Any, cache: Q2CacheClient) -> None:
    cache.set("key", value)
    assert cache.get("key") == value


UNSUPPORTED = [
    *(None, True, 1.5, b"bytes", (1, 2), {1, 2}, object()),
    *({1: "a"}, {"a": (1, 2)}, {"a": math.nan}, [math.inf], {"a": {1}}),
]


@pytest.mark.parametrize("value", UNSUPPORTED)
def test_value_of_other_type_is_refused(value: Any, cache: Q2CacheClient) -> None:
    with pytest.raises((TypeError, ValueError)):
        cache.set("key", value, 60)
    assert cache.get("key") is None


@pytest.mark.parametrize("key", ["two words", "line\n", "ü", "nul\0", "x" * 245])
def test_key_that_memcached_does_not_support_is_refused(key: str, cache: Q2CacheClient) -> None:
    with pytest.raises(MemcacheIllegalInputError):
        cache.set(key, 1, 60)
    assert cache.set("x" * 244, 1, 60)  # 250 with the prefix


@pytest.mark.parametrize("seconds", [1.5, "60", None])
def test_expiry_that_is_not_an_integer_is_refused(seconds: Any, cache: Q2CacheClient) -> None:
    with pytest.raises(MemcacheIllegalInputError):
        cache.set("key", 1, seconds)


def test_expiry_above_30_days_is_a_date(cache: Q2CacheClient) -> None:
    cache.set("relative", 1, 30 * DAY)
    cache.set("past", 1, 30 * DAY + 1)
    cache.set("future", 1, int(time.time()) + 60)
    assert cache.get_many(["relative", "past", "future"]) == {"relative": 1, "future": 1}


def test_many_keys_are_read_and_deleted_at_once(cache: Q2CacheClient) -> None:
    cache.set("a", 1)
    cache.set("b", {"x": "y"})
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": {"x": "y"}}
    assert cache.delete_many(["a", "c"])
    assert cache.get_many(["a", "b"]) == {"b": {"x": "y"}}


def test_result_without_noreply_false_is_always_true(cache_of_reading: Q2CacheClient) -> None:
    cache = cache_of_reading
    assert cache.add("key", "1") is True
    assert cache.add("key", "2") is True
    assert cache.delete("other") is True
    assert cache.touch("other", 60) is True


def test_add_with_noreply_false_succeeds_for_the_first_only(cache_of_reading: Q2CacheClient) -> None:
    first, second = cache_of_reading, cache_of_reading.with_prefix("stack:")
    assert first.add("key", "1", 60, noreply=False) is True
    assert second.add("key", "2", 60, noreply=False) is False
    assert first.touch("key", 100, noreply=False) is True
    assert first.touch("other", 100, noreply=False) is False


def test_counter_starts_with_add_and_never_falls_below_zero(cache_of_reading: Q2CacheClient) -> None:
    cache = cache_of_reading
    assert cache.incr("counter", 1) is None
    cache.add("counter", 9)
    assert cache.incr("counter", 1) == 10
    assert cache.decr("counter", 3) == 7
    assert cache.decr("counter", 100) == 0


def test_cas_after_another_write_changes_nothing(cache_of_reading: Q2CacheClient) -> None:
    cache = cache_of_reading
    assert cache.gets("key") == (None, None)
    cache.add("key", "first")
    _, version = cache.gets("key")
    assert cache.cas("key", "second", version) is True
    assert cache.cas("key", "third", version) is False
    assert cache.cas("other", "x", version) is None
    assert cache.gets("key")[0] in ("second", b"second")


def test_inherited_method_when_raw_ignores_prefix_and_type(cache: Q2CacheClient) -> None:
    cache.add("key", "value", noreply=False)
    assert cache.get("key") is None
    assert cache.gets("key")[0] == b"value"
    assert cache.with_prefix("session:").add("key", "other", noreply=False) is False


def test_inherited_method_when_prefixed_shares_keys_with_get(cache: Q2CacheClient) -> None:
    cache.inherited = "prefixed"
    cache.add("key", {"a": 1}, noreply=False)
    assert cache.get("key") == {"a": 1}
    assert cache.with_prefix("session:").add("key", 9, noreply=False) is True
    cache.set("counter", 10)
    assert (cache.decr("counter", 1), cache.get("counter")) == (9, 9)


def test_counter_of_text_is_refused(cache: Q2CacheClient) -> None:
    cache.add("key", "text", noreply=False)
    with pytest.raises(MemcacheClientError, match="non-numeric"):
        cache.incr("key", 1)


def test_value_above_1_mib_is_not_stored(cache: Q2CacheClient) -> None:
    cache.set("key", "old")
    assert cache.set("key", "x" * 2**20) is True
    assert cache.get("key") is None
    with pytest.raises(MemcacheServerError, match="too large"):
        cache.set("key", "x" * 2**20, noreply=False)
    assert cache.set("key", "x" * 1_000_000, noreply=False) is True


def test_recent_keys_show_every_key_with_its_prefix(cache: Q2CacheClient) -> None:
    cache.set("a", 1)
    cache.with_prefix("session:").get("b")
    cache.get_many(["c"])
    cache.add("d", 1)
    assert list(cache.recent_keys) == ["stack:a", "session:b", "stack:c", "d"]


# The embedded memcached.


def test_value_after_its_expiry_is_gone() -> None:
    now = 1000.0
    server = Memcached(lambda: now)
    cache = Q2CacheClient(server.address)
    cache.set("key", 1, 60, noreply=False)
    cache.set("forever", 1)
    now += 59
    assert cache.get("key") == 1
    now += 1
    assert cache.get_many(["key", "forever"]) == {"forever": 1}
    assert cache.add("key", 2, noreply=False) is True
    server.close()


def test_slow_worker_reads_the_earlier_value_and_writes_to_the_current_one() -> None:
    server = Memcached(time.time)
    client = Q2CacheClient(server.address, "prefixed")
    client.set("count", 1, noreply=False)
    before = server.snapshot()
    client.set("count", 2, noreply=False)
    with server.read_first_from(before):
        value, version = client.gets("count")
        assert value == 1
        assert client.cas("count", value + 1, version, noreply=False) is False
        assert client.get("count") == 2  # its second read is of now
        assert client.add("other", 1, noreply=False) is True
    with server.read_first_from(before):
        assert client.incr("count", 1, noreply=False) == 3
        assert client.get("other") is None
    assert client.get("other") == 1
    server.close()


def test_every_command_when_memcached_is_down_raises() -> None:
    server = Memcached(time.time)
    cache = Q2CacheClient(server.address)
    cache.set("key", 1)
    server.close()
    for command in (
        lambda: cache.get("key", "default"),
        lambda: cache.set("key", 1, noreply=False),
        lambda: cache.add("key", 1),
        lambda: cache.incr("key", 1),
    ):
        with pytest.raises((OSError, MemcacheError)):
            command()


def test_server_closes_after_a_connection_that_its_client_has_closed() -> None:
    server = Memcached(time.time)
    address = server.address
    with socket.create_server(("127.0.0.1", 0)) as other:
        gone = socket.create_connection(other.getsockname())
    gone.close()
    assert server._server is not None
    server._server.connections.add(gone)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)


@pytest.mark.slow
def test_unresponsive_memcached_raises_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        Q2CacheClient(silent.getsockname()).get("key")


def test_http_request_with_commands_in_its_body_changes_nothing() -> None:
    server = Memcached(time.time)
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nset stack:key 0 0 1\r\n1\r\n")
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(100):
                pass  # until the server closes the connection
    assert Q2CacheClient(server.address).with_prefix("stack:").get("key") is None
    server.close()


NAMES = ["get", "gets", "set", "add", "replace", "append", "prepend", "delete", "incr", "decr", "touch"]
COMMANDS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["x", "7", "10", "18446744073709551615", "-1", "", " 3", "007"]),
    st.sampled_from([0, 60, -1, 30 * DAY + 1]),
)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(COMMANDS, max_size=12))
def test_embedded_memcached_answers_like_memcached(
    commands: list[tuple[str, str, str, int]],
    embedded_address: tuple[str, int],
    memcached_address: tuple[str, int],
) -> None:
    assert converse(embedded_address, commands) == converse(memcached_address, commands)


def converse(server: tuple[str, int], commands: list[tuple[str, str, str, int]]) -> bytes:
    """Send *commands* and return all responses."""
    lines = [b"flush_all\r\n"]
    for name, key, value, expire in commands:
        if name in ("get", "gets", "delete"):
            # A version number of `gets` counts all writes of a server.
            lines.append(f"{name.removesuffix('s')} {key}\r\n".encode())
        elif name in ("incr", "decr"):
            lines.append(f"{name} {key} {value or 5}\r\n".encode())
        elif name == "touch":
            lines.append(f"{name} {key} {expire}\r\n".encode())
        else:
            lines.append(f"{name} {key} 5 {expire} {len(value)}\r\n{value}\r\n".encode())
    with socket.create_connection(server, timeout=20) as connection:
        connection.sendall(b"".join([*lines, b"quit\r\n"]))
        return b"".join(iter(lambda: connection.recv(65536), b""))
