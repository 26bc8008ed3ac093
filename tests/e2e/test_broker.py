"""The broker against sessions that do not obey, engines that are late, and what it cannot find out."""

import contextlib
import ctypes
import os
import pathlib
import select
import signal
import socket

import pytest

from lab import live_terminal, wait_for


# ---- a session that was taken over keeps its streams --------------------------


def sockets(pid):
    """{descriptor: inode} of a process."""
    found = {}
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if (target := os.readlink(fd)).startswith("socket:"):
                found[int(fd.name)] = target
    return found


def steal(pid, fd):
    """A copy of another process's socket: what a session would hold that ignores what it is told."""
    pidfd = os.pidfd_open(pid)
    copy = ctypes.CDLL(None, use_errno=True).syscall(438, pidfd, fd, 0)  # pidfd_getfd
    error = ctypes.get_errno()
    os.close(pidfd)
    assert copy >= 0, os.strerror(error)
    return socket.socket(fileno=copy)


def kept_stream(host, login):
    """A terminal whose shell has no marker any more, its session, and a copy of its stream."""
    others = set(host.processes("jumpbox-session"))
    t = host.terminal(login.split("+")[0])
    t.expect(rb"quit\)[^:]*: ")
    session, = set(host.processes("jumpbox-session")) - others
    before = sockets(session)
    t.sendline(login.split("+")[1])
    t.sendline("exec env -u JUMPBOX_EXEC sh")
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    after = sockets(session)
    fd, = [fd for fd in after if after[fd] != before.get(fd)]
    return t, session, steal(session, fd)


def dead(stream):
    """Nothing can be read or written any more."""
    ready, _, _ = select.select([stream], [], [], 0)
    if not ready:
        return False
    with contextlib.suppress(OSError):
        if stream.recv(65536):
            return False
    with pytest.raises(OSError):
        stream.send(b"echo still\n", socket.MSG_NOSIGNAL)
    return True


@pytest.mark.parametrize("end, obeys, kind", (
    ("grant", True, "docker"), ("grant", False, "docker"), ("grant", False, "tls"), ("kill", True, "docker"),
    ("lock", False, "docker")))
def test_a_stream_that_is_kept_dies_with_the_permission(own_host, lab, docker, end, obeys, kind):
    host = own_host()
    node = lab.engine(kind)
    if kind == "tls":
        node.container("far", "busybox")
        host.node(node, "two")
    t, session, stream = kept_stream(host, "alice+bb" if kind == "docker" else "alice+far")
    if not obeys:
        os.kill(session, signal.SIGSTOP)
    try:
        if end == "grant":
            grant, = host.ctl_json("grant", "list")
            host.ctl("grant", "del", str(grant["id"]))
        elif end == "lock":
            host.ctl("user", "lock", "alice")
        else:
            row, = host.ctl_json("session", "list")
            host.ctl("session", "kill", str(row["id"]))
        wait_for(lambda: dead(stream), 8, "the stream's end")
        if end == "grant" and not obeys:
            wait_for(lambda: " broker.protocol " in host.log_text(), 8, "the end of who did not obey")
        elif obeys:
            assert " broker.protocol " not in host.log_text()
    finally:
        stream.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(session, signal.SIGCONT)
    t.close()
    wait_for(lambda: not host.ctl_json("session", "list"), 30, "the rows to be closed")


def test_a_stream_that_is_kept_dies_when_its_channel_ends(own_host):
    host = own_host()
    t, _, stream = kept_stream(host, "alice+bb")
    t.close()
    wait_for(lambda: dead(stream), 8, "the stream's end")
    stream.close()
