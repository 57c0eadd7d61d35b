"""An embedded memcached: a server of its text protocol on a loopback socket, in a thread of this process.

It supports the usual commands of memcached 1.6, and responds as memcached does, except that it closes the connection after
an unknown command. Its clock can be replaced. It never evicts items.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

LOOPBACK = "127.0.0.1"
VALUE_BYTES = 1024 * 1024 - 512  # memcached's limit of 1 MB includes the item's header
RELATIVE_SECONDS = 30 * 24 * 60 * 60  # a longer TTL is a Unix timestamp
COUNTER_DIGITS = 20
COUNTER_LIMIT = 2**64

STORED, NOT_STORED, NOT_FOUND = b"STORED\r\n", b"NOT_STORED\r\n", b"NOT_FOUND\r\n"
NOT_A_NUMBER = b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
UNKNOWN = b"ERROR\r\n"
TOO_LARGE = b"SERVER_ERROR object too large for cache\r\n"


@dataclass(frozen=True)
class Item:
    flags: bytes
    expires: float
    data: bytes
    version: int


class Memcached:
    """The server. It starts when ``address`` is first read.

    :param clock: Returns the seconds since 1970, like :func:`time.time`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._items: dict[bytes, Item] = {}
        self._versions = itertools.count(1)
        self._lock = threading.Lock()
        self._stale: Mapping[bytes, Item] | None = None
        self._read: set[bytes] = set()
        self._server: _Server | None = None

    @property
    def address(self) -> tuple[str, int]:
        """The host and port. Reading them starts the server."""
        with self._lock:
            if self._server is None:
                self._server = _Server(self)
                threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return LOOPBACK, self._server.server_address[1]

    def close(self) -> None:
        """Stop the server and close all connections, as if memcached had crashed."""
        if self._server is not None:
            self._server.shutdown()
            self._server.close_connections()
            self._server.server_close()

    def snapshot(self) -> Mapping[bytes, Item]:
        """Return all current items, by key."""
        with self._lock:
            return dict(self._items)

    @contextlib.contextmanager
    def read_first_from(self, snapshot: Mapping[bytes, Item]) -> Iterator[None]:
        """Serve the first read of each key from *snapshot*, until the block ends.

        This simulates a slow worker that read a key before other workers wrote it. A `cas` after such a read fails, as it
        does in memcached.
        """
        self._stale = snapshot
        self._read.clear()
        try:
            yield
        finally:
            self._stale = None

    def execute(self, line: bytes, read: Callable[[int], bytes]) -> bytes:
        """Execute the command *line*, and return the response.

        :param read: Reads a number of bytes that follow the line.
        """
        name, *arguments = line.split() or [b""]
        silent = arguments[-1:] == [b"noreply"]
        if silent:
            arguments.pop()
        data = None
        try:
            if name in STORE_COMMANDS:
                data = read(int(arguments[3]) + 2)
            with self._lock:
                response = self._run(name, arguments, data)
        except IndexError:
            response = UNKNOWN
        except ValueError:
            response = b"CLIENT_ERROR bad command line format\r\n"
        return b"" if silent else response

    def _run(self, name: bytes, arguments: list[bytes], data: bytes | None) -> bytes:
        if data is not None:
            return self._store(name, arguments, data)
        if name in (b"get", b"gets"):
            return self._values(arguments, with_version=name == b"gets")
        if name == b"delete":
            return b"DELETED\r\n" if self._find(arguments[0]) and self._items.pop(arguments[0]) else NOT_FOUND
        if name in (b"incr", b"decr"):
            return self._count(arguments[0], arguments[1], 1 if name == b"incr" else -1)
        if name == b"touch":
            item = self._find(arguments[0])
            if item:
                self._items[arguments[0]] = replace(item, expires=self._expires(arguments[1]))
            return b"TOUCHED\r\n" if item else NOT_FOUND
        if name == b"flush_all":
            self._items.clear()
            return b"OK\r\n"
        return b"VERSION 1.6.0-embedded\r\n" if name == b"version" else UNKNOWN

    def _store(self, name: bytes, arguments: list[bytes], data: bytes) -> bytes:
        key, flags, exptime = arguments[0], b"%d" % int(arguments[1]), arguments[2]
        if not data.endswith(b"\r\n"):
            return b"CLIENT_ERROR bad data chunk\r\n"
        data = data[:-2]
        old = self._find(key)
        if len(data) > VALUE_BYTES:
            self._items.pop(key, None)
            return TOO_LARGE
        if name == b"cas" and (old is None or old.version != int(arguments[4])):
            return b"EXISTS\r\n" if old else NOT_FOUND
        if (name == b"add") if old else (name in (b"replace", b"append", b"prepend")):
            return NOT_STORED
        item = Item(flags, self._expires(exptime), data, next(self._versions))
        if old and name in (b"append", b"prepend"):
            joined = old.data + data if name == b"append" else data + old.data
            item = replace(old, data=joined, version=item.version)
        self._items[key] = item
        return STORED

    def _values(self, keys: list[bytes], with_version: bool) -> bytes:
        lines = []
        for key in keys:
            if item := self._find_for_reader(key):
                version = b" %d" % item.version if with_version else b""
                head = b"VALUE %s %s %d%s" % (key, item.flags, len(item.data), version)
                lines += [head, item.data]
        return b"\r\n".join([*lines, b"END\r\n"])

    def _count(self, key: bytes, delta: bytes, sign: int) -> bytes:
        if not delta.isdigit():
            return b"CLIENT_ERROR invalid numeric delta argument\r\n"
        item = self._find(key)
        if item is None:
            return NOT_FOUND
        if not item.data.strip().isdigit() or len(item.data) > COUNTER_DIGITS:
            return NOT_A_NUMBER
        value = b"%d" % (max(0, int(item.data) + sign * int(delta)) % COUNTER_LIMIT)
        # As in memcached, a number that becomes shorter is padded with spaces.
        data = value.ljust(len(item.data))
        self._items[key] = replace(item, data=data, version=next(self._versions))
        return value + b"\r\n"

    def _find(self, key: bytes) -> Item | None:
        return self._unless_expired(self._items.get(key))

    def _find_for_reader(self, key: bytes) -> Item | None:
        if self._stale is None or key in self._read:
            return self._find(key)
        self._read.add(key)
        return self._unless_expired(self._stale.get(key))

    def _unless_expired(self, item: Item | None) -> Item | None:
        return item if item and self.clock() < item.expires else None

    def _expires(self, exptime: bytes) -> float:
        seconds = int(exptime)
        if seconds == 0:
            return float("inf")
        return seconds if seconds > RELATIVE_SECONDS else self.clock() + seconds


STORE_COMMANDS = {b"set", b"add", b"replace", b"append", b"prepend", b"cas"}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, memcached: Memcached) -> None:
        super().__init__((LOOPBACK, 0), _Connection)
        self.memcached = memcached
        self.connections: set[socket.socket] = set()

    def close_connections(self) -> None:
        for connection in list(self.connections):
            with contextlib.suppress(OSError):  # the client closed it first
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.server.connections.add(self.connection)
        try:
            while (line := self.rfile.readline()) and line.split() != [b"quit"]:
                response = self.server.memcached.execute(line, self.rfile.read)
                self.wfile.write(response)
                # A malicious web page can make a browser send an HTTP request with commands in its body.
                if response == UNKNOWN:
                    break
        except OSError:
            pass  # the client or the server closed the connection
        finally:
            self.server.connections.discard(self.connection)
