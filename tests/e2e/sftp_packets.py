"""Packets of SFTP as a test wants them: to a server program over pipes, by hand, also such as no client sends."""

import os
import pathlib
import struct
import subprocess

from lab import PREFIX, SLOW

# With sanitizers it is none of those that are installed.
SANITIZED = pathlib.Path(os.environ.get("JUMPBOX_BUILD", "build")) / "jumpbox-helper"
HELPER = SANITIZED if "JUMPBOX_SANITIZED" in os.environ else PREFIX / "libexec/jumpbox/jumpbox-helper.amd64"

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, \
    REALPATH, STAT, RENAME, READLINK, SYMLINK = range(1, 21)
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
EXTENDED, EXTENDED_REPLY = 200, 201

OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, _, _, OP_UNSUPPORTED = range(9)

R, W, APPEND, CREAT, TRUNC, EXCL = 1, 2, 4, 8, 16, 32


class Q(int):
    """A number of eight bytes; others have four."""


class Raw(bytes):
    """Bytes without a length before them."""


def field(value):
    if isinstance(value, Q):
        return struct.pack(">Q", value)
    if isinstance(value, int):
        return struct.pack(">I", value)
    if isinstance(value, Raw):
        return bytes(value)
    value = os.fsencode(value)
    return struct.pack(">I", len(value)) + value


def packet(kind, *fields):
    body = bytes([kind]) + b"".join(map(field, fields))
    return struct.pack(">I", len(body)) + body


def attrs(size=None, owner=None, mode=None, times=None):
    """Attributes as they are set."""
    flags, body = 0, b""
    if size is not None:
        flags, body = flags | 1, body + struct.pack(">Q", size)
    if owner is not None:
        flags, body = flags | 2, body + struct.pack(">II", *owner)
    if mode is not None:
        flags, body = flags | 4, body + struct.pack(">I", mode)
    if times is not None:
        flags, body = flags | 8, body + struct.pack(">II", *times)
    return Raw(struct.pack(">I", flags) + body)


class Reply:
    """A reply, taken apart from its front."""

    def __init__(self, body):
        self.kind, self.id = struct.unpack(">BI", body[:5])
        self.body = body[5:]

    def take(self, layout):
        n = struct.calcsize(">" + layout)
        values, self.body = struct.unpack(">" + layout, self.body[:n]), self.body[n:]
        return values if len(values) > 1 else values[0]

    def bytes(self):
        n = self.take("I")
        value, self.body = self.body[:n], self.body[n:]
        assert len(value) == n
        return value

    def attrs(self):
        """size, uid, gid, mode, atime, mtime"""
        assert self.take("I") == 15
        return self.take("QIIIII")

    def end(self):
        assert self.body == b"", self.body


class Server:
    """A server program that was greeted, in a directory."""

    def __init__(self, home, *args, greet=True, **popen):
        self.notes_file = open(pathlib.Path(home).parent / "notes", "w+b")  # pylint: disable=consider-using-with
        self.proc = subprocess.Popen([str(HELPER), "sftp", *args], cwd=home, stdin=subprocess.PIPE, bufsize=0,
                                     stdout=subprocess.PIPE, stderr=self.notes_file, **popen)
        self.id = 0
        if greet:
            self.send(packet(INIT, 3))
            hello = self.receive()
            assert (hello.kind, hello.id) == (VERSION, 3)
            self.extensions = {}
            while hello.body:
                name, version = hello.bytes(), hello.bytes()
                self.extensions[name.decode()] = version.decode()

    def send(self, data):
        while data:
            data = data[os.write(self.proc.stdin.fileno(), data):]

    def _read(self, n):
        data = b""
        while len(data) < n:
            more = os.read(self.proc.stdout.fileno(), n - len(data))
            if not more:
                raise EOFError(data)
            data += more
        return data

    def receive(self):
        n, = struct.unpack(">I", self._read(4))
        assert 5 <= n <= 256 * 1024
        return Reply(self._read(n))

    def ask(self, kind, *fields):
        self.id += 1
        self.send(packet(kind, self.id, *fields))
        reply = self.receive()
        assert reply.id == self.id
        return reply

    def extended(self, name, *fields):
        return self.ask(EXTENDED, name, *fields)

    def status(self, kind, *fields):
        """The status that answers a request."""
        reply = self.ask(kind, *fields)
        assert reply.kind == STATUS, reply.kind
        code = reply.take("I")
        self.why = reply.bytes().decode()
        reply.bytes()
        reply.end()
        return code

    def open(self, path, flags=R, attributes=attrs()):
        return self._handle(self.ask(OPEN, path, flags, attributes))

    def opendir(self, path):
        return self._handle(self.ask(OPENDIR, path))

    @staticmethod
    def _handle(reply):
        assert reply.kind == HANDLE, (reply.kind, reply.body)
        handle = reply.bytes()
        reply.end()
        return handle

    def close(self, handle):
        assert self.status(CLOSE, handle) == OK

    def read(self, handle, offset, n):
        reply = self.ask(READ, handle, Q(offset), n)
        if reply.kind == STATUS:
            return reply.take("I")
        assert reply.kind == DATA
        return reply.bytes()

    def stat(self, path, kind=STAT):
        reply = self.ask(kind, path)
        assert reply.kind == ATTRS, reply.body
        return reply.attrs()

    def name(self, kind, *fields):
        """The one name that answers a request."""
        reply = self.ask(kind, *fields)
        assert reply.kind == NAME and reply.take("I") == 1, reply.body
        name = reply.bytes()
        assert reply.bytes() == name and reply.take("I") == 0
        reply.end()
        return name

    def list(self, path):
        """The pages of a directory, each a list of (name, long name, attributes)."""
        handle, pages = self.opendir(path), []
        while True:
            reply = self.ask(READDIR, handle)
            if reply.kind == STATUS:
                assert reply.take("I") == EOF
                self.close(handle)
                return pages
            assert reply.kind == NAME and len(reply.body) <= 32 * 1024
            pages.append([(reply.bytes(), reply.bytes(), reply.attrs()) for _ in range(reply.take("I"))])
            reply.end()

    def notes(self, opens=False):
        """What was told, that files were opened only if it is wanted."""
        self.notes_file.seek(0)
        lines = self.notes_file.read().decode().splitlines()
        return [line for line in lines if opens or not line.startswith("open ")]

    def end(self, code=0):
        """Ends the input, and the server with it."""
        self.proc.stdin.close()
        assert self.proc.stdout.read() == b""
        assert self.proc.wait(20 * SLOW) == code

    def stop(self):
        self.proc.kill()
        self.proc.wait()
        for f in (self.proc.stdin, self.proc.stdout, self.notes_file):
            f.close()
