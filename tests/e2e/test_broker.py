"""The broker against sessions that do not obey, engines that are late, and what it cannot find out."""

import collections
import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys

import paramiko
import pexpect
import pytest

from lab import HERE, SLOW, live_terminal, parent_of, wait_for


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
    others = set(host.serving("jumpbox-session"))
    t = host.terminal(login.split("+")[0], term="dumb")
    t.expect(rb"quit\)[^:]*: ")
    session, = set(host.serving("jumpbox-session")) - others
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
            host.wait_for_log(" broker.protocol ", 8)
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


# ---- engines that are late -----------------------------------------------------


@contextlib.contextmanager
def transport(host, login, password="correct horse"):
    """A paramiko connection, logged in."""
    t = paramiko.Transport(("127.0.0.1", host.port))
    try:
        t.start_client(timeout=20 * SLOW)
        t.auth_password(login, password)
        yield t
    finally:
        t.close()


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def sleepers(engine, name, what):
    return [c for _, _, c in engine.processes(name) if what in c]


def commands(t, n, command):
    channels = [t.open_session(timeout=30 * SLOW) for _ in range(n)]
    for ch in channels:
        ch.get_pty()
        ch.exec_command(command)
    return channels


def test_what_cannot_be_ended_in_time_is_ended_later(own_host, docker, stopping):
    host = own_host()
    host.ctl("node", "set", "one", "helper", "off")
    with transport(host, "alice+bb") as tidy, transport(host, "alice+bb") as torn:
        counted = tidy.open_session(timeout=30 * SLOW)
        counted.exec_command("head -c 300 >/dev/null; head -c 1000 /dev/zero; exec sleep 424242")
        counted.sendall(bytes(300))
        assert len(counted.makefile("rb").read(1000)) == 1000
        channels = [counted, *commands(tidy, 30, "sleep 424242")]
        lost = commands(torn, 30, "sleep 424242")
        wait_for(lambda: len(sleepers(docker, "bb", "sleep 424242")) >= 61, 60, "the commands")
        with stopped(docker.proc.pid):
            for ch in channels:
                ch.close()
            tidy.close()
            torn.close()
            wait_for(lambda: not host.serving("jumpbox-broker"), 40, "the brokers' end")
            assert not host.ctl_json("session", "list") and not host.audit("attach.close")
    host.proc.send_signal(signal.SIGHUP)  # a fresh zygote looks at once what was left
    wait_for(lambda: not sleepers(docker, "bb", "sleep 424242"), 90, "the commands' end")
    wait_for(lambda: len(host.audit("attach.close")) == 61, 90, "the rows to be closed")
    closed = [re.fullmatch(r"attach=\d+ (in=\d+ out=\d+) status=\w+ (how=.*)", r["detail"]).groups()
              for r in host.audit("attach.close")]
    assert collections.Counter(closed) == {("in=300 out=1000", "how=closed by the client"): 1,
                                           ("in=0 out=0", "how=closed by the client"): 30,
                                           ("in=0 out=0", "how=lost connection"): len(lost)}
    assert {r["detail"] for r in host.audit("session.close")} == {"how=logout in=300 out=1000", "how=lost in=0 out=0"}


def begun(host, login, command, n=1):
    """Clients whose command runs; one that does not get there fails with its words."""
    clients = [host.popen(login, f"echo in; {command}", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) for _ in range(n)]
    for p in clients:
        assert (said := p.stdout.readline()) == b"in\n", said
    return clients


def test_a_silent_node_keeps_no_other_from_being_cleaned(own_host, lab, docker, stopping):
    """On a node that stops three times as many as are ended at once; on another one, and one more that dies later."""
    host, other = own_host(), lab.engine("tls")
    host.may_crash = True
    other.container("aside", "busybox")
    host.node(other, "two")
    for node in ("one", "two"):
        host.ctl("node", "set", node, "helper", "off")
    clients = begun(host, "alice+aside", "sleep 525252") + begun(host, "alice+one+bb", "sleep 535353", 24) \
        + begun(host, "alice+aside", "sleep 545454")
    *brokers, later = [session["pid"] for session in host.ctl_json("session", "list")]
    with stopped(docker.proc.pid):
        with stopped(parent_of(later)):  # one cleaner finds all of them: half a minute's work on the silent node
            for pid in brokers:
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not {*brokers} & {*host.processes("jumpbox-broker")}, 10, "their end")
        wait_for(lambda: not sleepers(other, "aside", "sleep 525252"), 10, "the other node to be cleaned")
        os.kill(later, signal.SIGKILL)
        wait_for(lambda: not sleepers(other, "aside", "sleep 545454"), 10, "it to be cleaned again")
        assert " attach.not_ended node=" not in host.log_text()  # both while the silent one was given its time
        host.wait_for_log(" attach.not_ended node=one ", 60)
        host.live(0)
        wait_for(lambda: len(host.audit("attach.close")) == 2, 10, "the rows of the other node")
    host.proc.send_signal(signal.SIGHUP)  # or within a minute
    wait_for(lambda: not sleepers(docker, "bb", "sleep 535353"), 90, "the one to be cleaned when it answers")
    wait_for(lambda: len(host.audit("attach.close")) == 26, 90, "the rows to be closed")
    for p in clients:
        p.communicate(timeout=10 * SLOW)
    other.remove("aside")


# ---- what cannot be found out --------------------------------------------------


def test_a_password_that_cannot_be_checked_is_not_a_wrong_one(own_host):
    host = own_host(backoff_after=1)
    assert host.ssh_password("alice+bb", "correct horse", "echo in").stdout == b"in\n"
    lock = host.dir / "run/hash.lock"
    lock.unlink()
    lock.mkdir()
    for user in ("alice", "alice", "nobody-here", "alice"):
        r = host.ssh_password(f"{user}+bb", "correct horse", "echo in")
        assert r.returncode == 255 and b"could not be checked; try again" in r.stderr, r.stderr
    lock.rmdir()
    assert host.ssh_password("alice+bb", "correct horse", "echo in").stdout == b"in\n"
    reasons = {r["detail"].split("reason=")[1] for r in host.audit("login.fail")}
    assert reasons == {"the password could not be checked; try again"}


# ---- whose session it is -------------------------------------------------------


def test_a_session_is_not_the_next_ones_who_has_its_name(own_host):
    host = own_host()
    t = live_terminal(host)
    with contextlib.closing(sqlite3.connect(host.database, isolation_level=None, timeout=10)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        db.executescript("""
            BEGIN IMMEDIATE;
            CREATE TEMP TABLE old AS SELECT * FROM users WHERE name = 'alice';
            DELETE FROM users WHERE name = 'alice';
            UPDATE old SET id = (SELECT max(id) + 1 FROM users) + 1000;
            INSERT INTO users SELECT * FROM old;
            INSERT INTO grants (user_id, selector, allow, created) SELECT id, '*', 'shell', 1 FROM old;
            COMMIT;""")
    t.expect(b"your account is deleted", timeout=8 * SLOW)
    t.expect(pexpect.EOF)


# ---- a new password is due -----------------------------------------------------


def new_password_due(host):
    host.ctl("user", "add", "newly", "--password-stdin", "--must-change", input="first password\n")
    host.ctl("grant", "add", "newly", "bb")
    t = host.terminal("newly+bb", key=False)
    t.expect(b"assword: ")
    t.sendline("first password")
    t.expect(b"New password: ")
    return t


def test_an_administrators_reset_is_not_overwritten(host):
    t = new_password_due(host)
    host.ctl("user", "passwd", "newly", "--password-stdin", input="reset password\n")
    t.sendline("stolen password")
    t.expect(b"again: ")
    t.sendline("stolen password")
    t.expect(b"an administrator changed your password meanwhile")
    t.expect(pexpect.EOF)
    assert host.ssh_password("newly+bb", "stolen password", "true").returncode == 255
    assert host.ssh_password("newly+bb", "reset password", "true").returncode == 0


def test_a_new_password_has_a_deadline(own_host):
    host = own_host(login_grace_time=3 * SLOW)
    t = new_password_due(host)
    t.expect(b"took too long; log in again", timeout=15 * SLOW)
    t.expect(pexpect.EOF)
    wait_for(lambda: not host.ctl_json("session", "list"), 10, "the row to be closed")


# ---- odd engines ---------------------------------------------------------------


@contextlib.contextmanager
def fake_node(host, *scenario):
    """The scripted engine as a node `sick`."""
    path = host.dir / "sick.sock"
    proc = subprocess.Popen([sys.executable, HERE / "fake_engine.py", path, *scenario], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE)
    try:
        assert proc.stdout.readline() == b"ready\n"
        host.ctl("node", "add", "sick", f"unix://{path}")
        host.ctl("node", "set", "sick", "helper", "off")
        yield proc
    finally:
        proc.kill()
        proc.wait(10)
        proc.stdout.close()


def test_a_damaged_image_hides_no_node(own_host):
    host = own_host()
    with fake_node(host, "damaged-image"):
        wait_for(lambda: b"fake" in host.ssh("root1", "ls").stdout, 10, "the container in the list")
        p = host.popen("root1+fake", "true", stdin=subprocess.DEVNULL)
        wait_for(lambda: [r for r in host.audit("attach.open") if r["target"] == "sick/fake"], 10, "the attach")
        p.kill()
        p.wait(10)


def test_owners_of_many_images(own_host):
    host = own_host()
    for grant in host.ctl_json("grant", "list"):
        host.ctl("grant", "del", str(grant["id"]))
    with fake_node(host, "many-images"):
        wait_for(lambda: len(re.findall(rb"fake\d", host.ssh("alice", "ls").stdout)) == 299, 20, "all that alice owns")


def test_a_size_that_the_engine_did_not_take_is_told_again(own_host):
    host = own_host()
    with fake_node(host, "error-once", "w=100") as engine:
        wait_for(lambda: b"fake" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        t = host.terminal("alice+fake")
        wait_for(lambda: host.audit("attach.open"), 10, "the attach")
        os.set_blocking(engine.stdout.fileno(), False)
        said = b""

        def told_twice():
            nonlocal said
            said += engine.stdout.read() or b""
            return said.count(b"h=30&w=100") == 2

        t.setwinsize(30, 100)
        wait_for(told_twice, 10, "the size to be told again")
        t.close(force=True)


def test_a_tls_relay_keeps_one_connection(own_host, lab):
    host = own_host()
    node = lab.engine("tls")
    node.container("far", "busybox")
    host.node(node, "two")
    t = live_terminal(host, "alice+far")

    def connections():
        """This jump host's: others may still watch that node."""
        own = set()
        for pid in host.processes("jumpbox-broker") + host.processes("jumpbox-watcher"):
            with contextlib.suppress(OSError):  # it ended
                own |= set(sockets(pid).values())
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(f":{node.port:04X}") and row[3] == "01" and f"socket:[{row[9]}]" in own
                   for row in rows)
    wait_for(lambda: connections() == 3, 8, "no connection but the stream's, and its watcher's two")
    t.close()


# ---- what is recorded ----------------------------------------------------------


def test_who_leaves_in_order_is_not_lost(own_host, docker):
    host = own_host()
    with transport(host, "alice+bb") as t:
        ch = t.open_session()
        ch.exec_command("trap '' HUP TERM; echo ready; while :; do sleep 1; done")
        assert ch.recv(100) == b"ready\n"
        ch.close()
        other = t.open_session()
        other.exec_command("true")
        assert other.recv_exit_status() == 0
    wait_for(lambda: not host.ctl_json("session", "list"), 30, "the row to be closed")
    assert [r["detail"].split()[0] for r in host.audit("session.close")] == ["how=logout"]
    with transport(host, "alice+bb") as t:
        ch = t.open_session()
        ch.exec_command("trap '' HUP TERM; echo ready; while :; do sleep 1; done")
        assert ch.recv(100) == b"ready\n"
    wait_for(lambda: not host.ctl_json("session", "list"), 30, "the row to be closed")
    assert [r["detail"].split()[0] for r in host.audit("session.close")][1:] == ["how=lost"]


def test_tries_while_one_has_to_wait_leave_nothing(own_host):
    host = own_host(backoff_after=2)

    def tables():
        with contextlib.closing(sqlite3.connect(f"file:{host.database}?mode=ro", uri=True)) as db:
            return sorted(row[0] for row in db.execute("select what from login_failures"))

    for user in ("nobody-1", "nobody-2"):
        assert host.ssh_password(f"{user}+bb", "wrong", "true").returncode == 255
    assert tables() == ["source:127.0.0.1"]
    host.ctl("unlock", "--source", "127.0.0.1")
    for _ in range(5):  # 1, 2, 4 ... seconds
        wait_for(lambda: host.ssh_password("alice+bb", "wrong", "true").returncode == 255, 5, "a refusal")
    rows = host.audit("login.fail")
    waiting = [r for r in rows if "have to wait" in r["detail"]]
    assert waiting and not [r for r in rows if "too many" in r["detail"]], rows
    assert "too many failed passwords lately" in host.log_text()
    assert tables() == ["source:127.0.0.1", "user:alice"]
