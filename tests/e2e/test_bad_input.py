"""What must not hurt: full disks, locked and damaged databases, nodes that lie, sessions taken over.

Each gives one clear sentence, nothing else is disturbed, and all works again
when the cause is gone.
"""

import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import paramiko
import pexpect
import pytest

from lab import HERE, PREFIX, SLOW, Engine, ended, live_terminal, run, wait_for
from test_session import new_session, session_pids

PROMPT = rb"quit\)[^:]*: "
# The calls of an attach, in their order, by what only their path contains.
CALLS = {"version": "/version", "inspect": "/containers/0", "create": "cdef/exec", "start": "/start"}


class FakeNode:
    """The scripted engine as node NAME of a jump host, with one container `fake`."""

    def __init__(self, host, name):
        self.host, self.name = host, name
        self.socket = host.dir / f"{name}.sock"
        self.proc = None

    def play(self, scenario, call=""):
        self.stop()
        self.proc = subprocess.Popen([sys.executable, HERE / "fake_engine.py", self.socket, scenario, call],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self.proc.stdout.readline() == b"ready\n"
        return self

    def stop(self):
        if self.proc is not None:
            self.proc.kill()
            self.proc.wait(10)
            self.proc.stdout.close()
            self.proc = None


@pytest.fixture
def fake(host):
    """Makes nodes of the shared jump host that play scenarios, in its inventory from the start."""
    made = []

    def make(scenario, call="", name="sick"):
        node = FakeNode(host, name)
        made.append(node)
        node.play("send-good")
        host.ctl("node", "add", name, f"unix://{node.socket}")
        host.ctl("node", "set", name, "helper", "off")
        listed(host, f"{name} ")
        return node.play(scenario, call)

    yield make
    for node in made:
        node.stop()
        host.ctl("node", "del", node.name)


def listed(host, text):
    wait_for(lambda: text in host.ssh("alice", "ls").stdout.decode(), 10, f"{text!r} in the list")


def one_sentence(said):
    """The one line of ours, which shows nothing of what was behind it."""
    assert said.count(b"\n") == 1 and said.startswith(b"jumpbox: "), said
    text = said.decode()
    assert not re.search(r"[/{}<>\[\]\\]|http|curl|sqlite|127\.0|secret|\bnull\b", text, re.I), text
    assert 20 < len(text) < 200, text
    return text


def still_works(t):
    t.sendline("echo st''ill")
    t.expect(b"still\r\n", timeout=2 * SLOW)


def leave(t):
    t.sendline("exit 0")
    t.expect(pexpect.EOF)
    t.close()


def connect(host, login):
    c = paramiko.SSHClient()
    c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    c.connect("127.0.0.1", host.port, login, key_filename=str(host.key), allow_agent=False, look_for_keys=False,
              timeout=20 * SLOW, banner_timeout=20 * SLOW, auth_timeout=20 * SLOW)
    return c


def execute(c, command):
    """(status, stdout, stderr) of a command on a connection that is there."""
    ch = c.get_transport().open_session()
    ch.settimeout(40 * SLOW)
    ch.exec_command(command)
    out, err = ch.makefile("rb").read(), ch.makefile_stderr("rb").read()
    return ch.recv_exit_status(), out, err


# ---- a full disk


@pytest.fixture
def small_disk(lab, docker):
    """A jump host whose state directory is a small file system; fill() and room() change that."""
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    run("mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "none", host.state)
    shutil.chown(host.state, "jumpbox", "jumpbox")
    ballast = host.state / "ballast"

    def fill():
        with open(ballast, "ab", buffering=0) as f:
            for size in (1 << 16, 4096):
                try:
                    while True:
                        f.write(bytes(size))
                except OSError:
                    pass
    host.fill, host.room = fill, ballast.unlink
    try:
        host.user("root1", "--admin")
        host.user("alice")
        host.ctl("grant", "add", "alice", "*")
        host.node(docker, "one")
        host.start()
        yield host
    finally:
        host.stop()
        run("umount", "--lazy", host.state)


def no_open_rows(host):
    return not host.ctl_json("session", "list")


def test_full_disk_refuses_and_loses_nothing(small_disk):
    host = small_disk
    t = live_terminal(host)
    c = connect(host, "alice+bb")
    assert execute(c, "echo in")[:2] == (0, b"in\n")
    before = host.audit()
    host.fill()
    # A connection that is there: its next attach cannot be recorded.
    code, out, err = execute(c, "echo in")
    assert (code, out) == (69, b"")
    assert "nothing was started" in one_sentence(err)
    # A new one cannot be recorded either.
    r = host.ssh("alice+bb", "echo in")
    assert (r.returncode, r.stdout) == (255, b"")
    assert b"the login could not be recorded, so it is refused" in r.stderr, r.stderr
    assert "disk is full" in host.log_text()
    # Nor can the administrator change anything.
    r = host.ctl("user", "add", "late", "--password-stdin", input="a long password\n", check=False)
    assert r.returncode == 69 and r.stderr.count(b"\n") == 1 and b"disk is full" in r.stderr, r.stderr
    still_works(t)
    host.room()
    still_works(t)
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
    assert execute(c, "echo in")[:2] == (0, b"in\n")
    after = host.audit()
    assert after[:len(before)] == before
    assert "late" not in {u["name"] for u in host.ctl_json("user", "list")}
    leave(t)
    c.close()
    wait_for(lambda: no_open_rows(host), 10, "the sessions' rows to be closed")
    assert host.ctl("check", check=False).returncode == 0


def test_what_ends_on_a_full_disk_is_recorded_afterwards(small_disk):
    host = small_disk
    t = live_terminal(host)
    other = live_terminal(host)
    host.fill()
    t.sendline("exit 7")
    assert ended(t) == 7
    wait_for(lambda: len(host.serving("jumpbox-session")) == 1, 10, "the session's end")
    host.room()
    wait_for(lambda: len(host.ctl_json("session", "list")) == 1, 20, "its row to be closed")
    closed = host.audit("attach.close")
    assert len(closed) == 1 and "status=7" in closed[0]["detail"], closed
    assert [r["detail"].split()[0] for r in host.audit("session.close")] == ["how=logout"]
    leave(other)
    wait_for(lambda: no_open_rows(host), 10, "the other row to be closed")
    assert host.ctl("check", check=False).returncode == 0


def test_what_is_left_on_a_full_disk_is_recorded_afterwards(small_disk, docker, stopping):
    host = small_disk
    host.ctl("node", "set", "one", "helper", "off")
    t = live_terminal(host)
    host.fill()
    os.kill(docker.proc.pid, signal.SIGSTOP)
    try:
        t.close()
        host.wait_for_log(" attach.not_closed ", 40)
    finally:
        os.kill(docker.proc.pid, signal.SIGCONT)
    host.room()
    wait_for(lambda: no_open_rows(host), 20, "the session's row to be closed")
    host.proc.send_signal(signal.SIGHUP)  # a fresh zygote looks at once what was left
    wait_for(lambda: host.audit("attach.close"), 30, "the other row to be closed")
    closed, = host.audit("attach.close")
    assert re.fullmatch(r"attach=1 in=[1-9]\d* out=[1-9]\d* status=\w+ how=lost connection", closed["detail"]), closed


def test_start_on_a_full_disk(small_disk):
    host = small_disk
    host.stop()
    for name in (".db-wal", ".db-shm"):
        assert not (host.state / f"jumpbox{name}").exists()
    (host.state / "ssh_host_rsa_key").unlink()
    host.fill()
    r = run(host.prefix / "sbin/jumpboxd", "-D", "-f", host.conf, check=False)
    assert r.returncode == 69 and r.stderr.count(b"\n") == 1, r
    assert str(host.database).encode() in r.stderr and b"the disk is full" in r.stderr, r.stderr
    host.room()
    host.start()
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"


# ---- a locked database


class Lock:
    """Another process with BEGIN EXCLUSIVE on a database."""

    SCRIPT = ("import sqlite3, sys\n"
              "db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n"
              "db.execute('BEGIN EXCLUSIVE')\n"
              "print('locked', flush=True)\n"
              "sys.stdin.read()\n")

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        self.proc = subprocess.Popen([sys.executable, "-c", self.SCRIPT, self.host.database], user="jumpbox",
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.proc.stdout.readline() == b"locked\n"
        return self

    def __exit__(self, *_):
        self.proc.communicate()


def test_a_short_lock_is_waited_for(own_host):
    host = own_host()
    t = live_terminal(host)
    before = set(host.serving("jumpbox-broker"))
    with Lock(host):
        p = host.popen("alice+bb", "echo in", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
        # It waits in its login: no session's row but the one that was there.
        wait_for(lambda: set(host.serving("jumpbox-broker")) - before, 10, "its broker")
        still_works(t)
        assert p.poll() is None and len(host.ctl_json("session", "list")) == 1
    out, err = p.communicate(timeout=30 * SLOW)
    assert (p.returncode, out, err) == (0, b"in\n", b"")
    still_works(t)


def test_a_long_lock_is_said(own_host):
    host = own_host()
    t = live_terminal(host)
    c = connect(host, "alice+bb")
    with Lock(host):
        login = host.popen("alice+bb", "echo in", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        change = subprocess.Popen([host.prefix / "sbin/jumpboxctl", "-f", host.conf, "group", "add", "g"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        code, out, err = execute(c, "echo in")
        assert (code, out) == (75, b"")
        assert "try again" in one_sentence(err)
        still_works(t)
        out, err = login.communicate(timeout=40 * SLOW)
        assert (login.returncode, out) == (255, b"") and b"busy" in err, err
        _, err = change.communicate(timeout=40 * SLOW)
        assert change.returncode == 69 and err.count(b"\n") == 1 and b"busy" in err, err
    assert execute(c, "echo in")[:2] == (0, b"in\n")
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
    still_works(t)
    leave(t)
    c.close()
    wait_for(lambda: no_open_rows(host), 10, "the sessions' rows to be closed")
    assert host.ctl("check", check=False).returncode == 0


def test_a_right_password_during_a_long_lock_is_told_why(own_host):
    """And it is no failed password: nothing is counted against the user."""
    host = own_host(backoff_after=1)
    with Lock(host):
        r = host.ssh_password("alice+bb", "correct horse", "echo in")
        assert (r.returncode, r.stdout) == (255, b"") and b"busy" in r.stderr, r.stderr
    assert host.ssh_password("alice+bb", "correct horse", "echo in").stdout == b"in\n"


TOTAL = b"this jump host has its 1 sessions: try again later"
OF_USER = b"alice has 1 sessions open, which is the limit: leave one, then try again"


@pytest.mark.parametrize("config, setting, said, others", (
    ({"max_sessions": 1}, None, TOTAL, 255), ({"max_sessions_per_user": 1}, None, OF_USER, 0), ({}, "1", OF_USER, 0)),
    ids=("in total", "per user", "of one user"))
def test_a_login_beyond_a_limit_is_told_why(own_host, config, setting, said, others):
    host = own_host(**config)
    if setting:
        host.ctl("user", "set", "alice", "max-sessions", setting)
    t = live_terminal(host)
    r = host.ssh("alice+bb", "true")
    assert (r.returncode, r.stdout) == (255, b"") and said in r.stderr and b"/" not in r.stderr, r.stderr
    row, = wait_for(lambda: host.audit("login.fail"), 10, "the row, which is behind the answer")
    assert row["user"] == "alice"
    r = host.ssh("root1+bb", "true")
    assert r.returncode == others and (others == 0 or said in r.stderr), r.stderr
    still_works(t)
    leave(t)
    wait_for(lambda: no_open_rows(host), 10, "the row to be closed")
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"


def test_many_attaches_beside_a_lock_do_not_hold_up_a_rekey(own_host):
    """What one cannot record is not waited for by the next in the same turn: a rekey is answered in between."""
    host = own_host()
    c = connect(host, "alice+bb")
    assert execute(c, "true")[0] == 0
    with Lock(host):
        channels = [c.get_transport().open_session() for _ in range(8)]
        for ch in channels:
            ch.settimeout(60 * SLOW)
            ch.exec_command("true")
        start = time.monotonic()
        c.get_transport().renegotiate_keys()
        assert time.monotonic() - start < 12 * SLOW  # one wait of 5 s, perhaps begun anew once
        assert [ch.recv_exit_status() for ch in channels] == [75] * 8
    c.close()


def test_many_nodes_do_not_lengthen_a_lock(own_host):
    """What cannot be asked for one node is not tried for nineteen more."""
    host = own_host()
    for i in range(19):
        host.ctl("node", "add", f"n{i}", f"unix://{host.dir}/none{i}")
    c = connect(host, "alice")
    with Lock(host):
        start = time.monotonic()
        code, out, _ = execute(c, "ls")
        assert time.monotonic() - start < 8 * SLOW
    c.close()
    assert code == 0


# ---- a damaged database


def damage(path, first=0):
    """Overwrites the file from that page on, in place: its owner and mode stay."""
    size = path.stat().st_size
    with open(path, "r+b") as f:
        f.seek(first * 4096)
        f.write(b"\xa5" * max(size - first * 4096, 4096))


@pytest.mark.parametrize("first", (0, 1), ids=("all", "all but the first page"))
def test_damaged_database_at_start(own_host, first):
    host = own_host(start=False)
    backup = host.dir / "backup"
    host.ctl("backup", backup)
    damage(host.database, first)
    kept = host.database.read_bytes()
    r = run(host.prefix / "sbin/jumpboxd", "-D", "-f", host.conf, check=False)
    assert r.returncode == 69 and r.stderr.count(b"\n") == 1, r.stderr
    assert b"damaged" in r.stderr and b"restore" in r.stderr and str(host.database).encode() in r.stderr
    assert host.database.read_bytes() == kept
    host.ctl("restore", backup)
    host.start()
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"


def test_database_damaged_while_running(own_host):
    host = own_host()
    backup = host.dir / "backup"
    host.ctl("backup", backup)
    t = live_terminal(host)
    c, menu = connect(host, "alice+bb"), connect(host, "alice")
    assert execute(c, "echo in")[:2] == (0, b"in\n")
    # Whole as a file first, so that the damage is not hidden by the log.
    db = sqlite3.connect(host.database)
    wait_for(lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, 10, "a checkpoint")
    db.close()
    damage(host.database)
    code, out, err = execute(c, "echo in")
    assert (code, out) == (69, b"")
    assert "database" in one_sentence(err)
    # A list that cannot be made is not an empty list.
    code, out, err = execute(menu, "ls")
    assert (code, out) == (69, b"")
    assert "database" in one_sentence(err)
    r = host.ssh("alice+bb", "echo in")
    assert (r.returncode, r.stdout) == (255, b"") and b"database" in r.stderr, r.stderr
    r = host.ctl("user", "list", check=False)
    assert r.returncode == 69 and r.stderr.count(b"\n") == 1 and b"restore" in r.stderr, r.stderr
    r = host.ctl("check", check=False)
    assert r.returncode == 69 and re.search(rb"^BAD  database: .*damaged", r.stdout, re.M), r
    still_works(t)
    assert host.proc.poll() is None and "damaged" in host.log_text()
    leave(t)
    c.close()
    menu.close()
    host.stop()
    host.ctl("restore", backup)
    host.start()
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
    assert host.ctl("check", check=False).returncode == 0


# ---- nodes that do not answer


def test_a_node_that_never_answers(host, fake):
    """Whichever call of an attach it hangs in: one sentence within the time-out."""
    t = live_terminal(host)
    for name, call in CALLS.items():
        fake("hang", call, name)
    start = time.monotonic()
    clients = {name: host.popen(f"alice+{name}+fake", "true", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE) for name in CALLS}
    for name, p in clients.items():
        out, err = p.communicate(timeout=40 * SLOW)
        assert (p.returncode, out) == (69, b""), (name, err)
        assert f"node {name} did not answer in time" in one_sentence(err)
    assert time.monotonic() - start < 15 * SLOW
    still_works(t)
    leave(t)


def test_a_dockerd_that_is_stopped(lab, own_host):
    """The kernel accepts for it, and nothing is ever answered."""
    engine = Engine("docker", lab.dir / "stopped-dockerd").start()
    try:
        engine.container("far", "busybox")
        host = own_host()
        host.node(engine, "sick")
        listed(host, "far ")
        assert host.ssh("alice+far", "echo in").stdout == b"in\n"
        t = live_terminal(host)
        engine.proc.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        r = host.ssh("alice+far", "echo in")
        assert (r.returncode, r.stdout) == (69, b"") and time.monotonic() - start < 15 * SLOW
        assert "node sick did not answer in time" in one_sentence(r.stderr)
        r = host.ctl("node", "test", "sick", check=False)
        assert (r.returncode, r.stdout, r.stderr) == (69, b"", b"jumpboxctl: node sick did not answer in time\n")
        assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
        still_works(t)
        leave(t)
        engine.proc.send_signal(signal.SIGCONT)
        assert host.ssh("alice+far", "echo in").stdout == b"in\n"
    finally:
        engine.proc.send_signal(signal.SIGCONT)
        engine.stop()


@pytest.mark.parametrize("typed", (b"", b"ls -l\r"), ids=("at once", "after typing"))
@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_while_connecting_returns_to_the_menu(host, fake, call, typed):
    fake("hang", CALLS[call])
    t = host.terminal("alice", term="dumb")
    t.expect(PROMPT)
    t.sendline("sick+fake")
    t.expect(rb"Connecting[^\n]*\n")
    if typed:
        t.send(typed)
        t.expect(pexpect.TIMEOUT, timeout=0.2)  # a packet of its own: the next one is another
    t.send(b"\x03")
    t.expect(PROMPT, timeout=2 * SLOW)
    t.sendline("bb")
    t.sendline("echo i''n; exit 0")
    t.expect(b"in\r\n")
    t.expect(PROMPT)
    t.sendline("q")
    t.expect(pexpect.EOF)


def test_ctrl_c_while_connecting_by_name_leaves(host, fake):
    fake("hang", CALLS["start"])

    def opened():
        return len([r for r in host.audit("attach.open") if r["target"] == "sick/fake"])
    before = opened()
    t = host.terminal("alice+sick+fake")
    wait_for(lambda: opened() > before, 10, "the attach")
    t.send(b"\x03")
    assert ended(t, timeout=2) == 75


@pytest.mark.parametrize("call", CALLS)
def test_a_hung_channel_delays_no_other_and_no_rekey(host, fake, call):
    fake("hang", CALLS[call])
    c = connect(host, "alice")

    def shell(name, text, within=None):
        ch = c.get_transport().open_session()
        ch.settimeout(20 * SLOW)
        ch.get_pty("dumb")
        ch.invoke_shell()
        got = b""
        while not re.search(PROMPT, got):
            got += ch.recv(4096)
        ch.send(name + "\r")
        while text not in got:
            got += ch.recv(4096)
        return ch

    def echoes(ch):
        start, got = time.monotonic(), b""
        ch.send("echo st''ill\r")
        while b"still\r\n" not in got:
            got += ch.recv(4096)
        return time.monotonic() - start
    hung = shell("sick+fake", b"Connecting")
    try:
        start = time.monotonic()
        one, two = shell("bb", b"#"), shell("deb", b"#")
        assert execute(c, "ls")[0] == 0
        for ch in (one, two):
            assert echoes(ch) < 1 * SLOW
        for _ in range(3):
            c.get_transport().renegotiate_keys()
            assert echoes(one) < 1 * SLOW
        assert time.monotonic() - start < 5 * SLOW
        assert not hung.recv_ready() and not hung.exit_status_ready()  # it hangs to this moment
    finally:
        c.close()


# ---- nodes that lie


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scenario", ("cut", "cut-head", "close", "not-json", "wrong-types", "deep", "big-header",
                                      "many-headers", "big-body", "error", "teapot", "not-http"))
def test_a_node_that_lies(host, fake, scenario, call):
    fake(scenario, CALLS[call])
    t = live_terminal(host)
    r = host.ssh("alice+sick+fake", "echo in")
    assert (r.returncode, r.stdout) == (69, b""), r.stderr
    said = one_sentence(r.stderr)
    assert "sick" in said or "container" in said, said
    # With a terminal the same sentence, and the menu goes on.
    menu = host.terminal("alice", term="dumb")
    menu.expect(PROMPT)
    menu.sendline("sick+fake")
    menu.expect(PROMPT)
    shown = re.sub(rb"^.*Connecting[^\n]*\n", b"", menu.before, flags=re.S)
    assert said.encode().rstrip() in shown, shown
    menu.sendline("q")
    menu.expect(pexpect.EOF)
    still_works(t)
    leave(t)


@pytest.mark.parametrize("scenario", ("cut", "close", "not-json", "wrong-types", "deep", "big-header", "big-body",
                                      "error", "not-http"))
def test_a_node_that_lies_in_its_list(host, fake, scenario):
    """Nothing is forgotten of what it had, nobody else's containers are touched."""
    fake(scenario, "/containers/json")
    # As long as it is asked again, whichever of its answers is in the table.
    def failed():
        host.ssh("alice", "ls")
        return next(n for n in host.ctl_json("node", "list") if n["name"] == "sick")["state"] == "failed"
    wait_for(failed, 60, "the node to be seen as failed")
    node = next(n for n in host.ctl_json("node", "list") if n["name"] == "sick")
    one_sentence(f"jumpbox: {node['last_error']}\n".encode())
    out = host.ssh("alice", "ls").stdout.decode()
    assert re.search(r"\bfake\b.*unreachable.*sick|\bfake\b.*sick", out) and re.search(r"\bbb\b.*running", out), out


# ---- certificates


def test_certificates_of_a_tls_node(lab):
    """Of another host or CA, expired, a client that the node does not know: one sentence each, and none of it stays."""
    engine = Engine("tls", lab.dir / "certificates").start()
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    try:
        engine.container("behind", "busybox")
        certs = engine.certs
        host.user("alice")
        host.ctl("grant", "add", "alice", "*")
        host.node(engine, "far")
        host.start()

        def attach():
            r = host.ssh("alice+behind", "echo in")
            return r.returncode, r.stdout, r.stderr
        assert attach() == (0, b"in\n", b"")

        host.ctl("node", "set", "far", "url", f"tcp://localhost:{engine.port}")  # it is made out to 127.0.0.1
        code, out, err = attach()
        assert (code, out) == (69, b"") and "certificate for another host name" in one_sentence(err)
        host.ctl("node", "set", "far", "url", engine.url)
        assert attach() == (0, b"in\n", b"")

        host.ctl("node", "set", "far", "ca", certs / "otherca.pem")
        code, out, err = attach()
        assert (code, out) == (69, b"") and "certificate that its CA did not sign" in one_sentence(err)
        host.ctl("node", "set", "far", "ca", certs / "ca.pem")
        assert attach() == (0, b"in\n", b"")

        host.ctl("node", "set", "far", "cert", certs / "stranger.pem")
        host.ctl("node", "set", "far", "key", certs / "stranger.key")
        code, out, err = attach()
        assert (code, out) == (69, b"") and "client certificate" in one_sentence(err)
        host.ctl("node", "set", "far", "cert", certs / "client.pem")
        host.ctl("node", "set", "far", "key", certs / "client.key")
        assert attach() == (0, b"in\n", b"")

        engine.kill()
        for kind in ("pem", "key"):
            (certs / f"server.{kind}").rename(certs / f"good.{kind}")
            shutil.copy(certs / f"expired.{kind}", certs / f"server.{kind}")
        engine.start()
        code, out, err = attach()
        assert (code, out) == (69, b"") and "expired certificate" in one_sentence(err)
        engine.kill()
        for kind in ("pem", "key"):
            (certs / f"good.{kind}").rename(certs / f"server.{kind}")
        engine.start()
        wait_for(lambda: attach() == (0, b"in\n", b""), 20, "the good certificate to be seen")
    finally:
        host.stop()
        engine.stop()


# ---- foreign text


def harmless(text):
    """No byte that a terminal or a reader could take for more than a character."""
    text = text.decode()
    bad = [c for c in text if (ord(c) < 32 and c not in "\r\n") or 0x7f <= ord(c) < 0xa0
           or c in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
    assert not bad, (bad, text)
    return text


def test_names_that_would_take_over_a_terminal(host, fake):
    fake("odd-names")
    listed(host, "odd")
    assert "odd" in harmless(host.ssh("alice", "ls").stdout)
    harmless(host.ssh("alice", "ls --json").stdout)
    for flags in ((), ("--json",)):
        assert "odd" in harmless(host.ctl(*flags, "container", "list").stdout.replace(b"\t", b" "))
    t = host.terminal("alice", cols=200, term="dumb")
    t.expect(PROMPT)
    screen = harmless(t.before)
    row = [line for line in screen.splitlines() if "odd" in line]
    assert len(row) == 1 and "image" in row[0], screen
    t.sendline(re.match(r"\s*(\d+)", row[0]).group(1))
    t.expect(PROMPT)
    assert "paused" in harmless(t.before)  # a sentence with the name in it
    t.sendline("q")
    t.expect(pexpect.EOF)
    r = host.ssh("alice+sick+odd", "true")
    assert r.returncode == 69 and "paused" in harmless(r.stderr) and r.stderr.count(b"\n") == 1
    harmless(host.log_text().encode())


# ---- a session that was taken over


def hostile_cases():
    """The names in the table of cases, and of what hostile.c checks beside it."""
    table = re.findall(r'^\t\{ "([^"]+)", +\w+, [^}]+\},$', (HERE / "hostile_cases.c").read_text(), re.M)
    assert len(table) > 50
    return table + re.findall(r'report\("([^"]+)"', (HERE / "hostile.c").read_text())


@pytest.fixture(scope="session")
def hostile(lab):
    """What the hostile session says of the installed broker: {case: problem}."""
    build = pathlib.Path(os.environ.get("JUMPBOX_BUILD", lab.dir / "build"))
    program = build / "tests/e2e/hostile"
    run("make", "-s", "-j2", f"PREFIX={PREFIX}", f"BUILD={build}", f"SANITIZE={'1' if SLOW > 1 else ''}", program,
        cwd=HERE.parents[1], timeout=300)
    r = run(program, PREFIX / "libexec/jumpbox/jumpbox-broker", check=False, timeout=200)
    lines = [re.fullmatch(r"(ok|FAIL) +(.*)", line) for line in r.stdout.decode().splitlines()]
    return {m[2] if m[1] == "ok" else m[2].split(": ")[0]: m[1] + " " + m[2] for m in lines if m}


@pytest.mark.parametrize("case", dict.fromkeys(hostile_cases()))
def test_hostile_session(hostile, case):
    """The pair dies, the log says broker.protocol once, a bystander is served before and after."""
    assert hostile.get(case, "it never came to it") == f"ok {case}"


@pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="a debugger calls into the real build")
@pytest.mark.parametrize("what", ("a datagram that is no message", "a request that does not exist"))
def test_a_live_session_that_turns_hostile_dies_alone(host, what):
    t = live_terminal(host)
    before = session_pids(host)
    victim = live_terminal(host)
    pid = new_session(host, before)
    fd = next(fd for fd in sorted(map(int, os.listdir(f"/proc/{pid}/fd"))) if is_seqpacket(pid, fd))
    said = host.log_text().count("broker.protocol")
    size, text = {"a datagram that is no message": (5, "hello"),
                  "a request that does not exist": (12, r"\0\0\0\143\0\0\1\0\0\0\0\0")}[what]
    run("gdb", "-nx", "-batch", "-p", pid, "-ex", "set debuginfod enabled off",
        "-ex", f'print (long)send({fd}, "{text}", {size}, 0)', check=False, timeout=60)
    victim.expect(pexpect.EOF, timeout=10 * SLOW)
    wait_for(lambda: host.log_text().count("broker.protocol") == said + 1, 10, "the line in the log")
    still_works(t)
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
    leave(t)


def is_seqpacket(pid, fd):
    """Whether a descriptor is the session's end of the pair."""
    inode = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
    rows = [line.split() for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]]
    return bool(inode) and any(row[6] == inode[1] and row[4] == "0005" for row in rows)


# ---- retention


SHIFTED_CLOCK = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME)
		ts->tv_sec -= 3 * 24 * 3600;
	return r;
}
time_t time(time_t *t)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (t)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
"""


def test_retention_removes_what_is_too_old(lab, docker):
    """Rows that jumpboxctl wrote three days ago by its clock are gone, and the chain still verifies."""
    host = lab.host(audit_retention=1)
    source, shim = host.dir / "clock.c", host.dir / "clock.so"
    source.write_text(SHIFTED_CLOCK)
    run("cc", "-shared", "-fPIC", "-o", shim, source)
    env = {**os.environ, "LD_PRELOAD": str(shim),
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    for i in range(20):
        host.ctl("group", "add", f"old{i}", env=env)
    host.user("alice", "--admin")
    host.node(docker, "one")
    old = [r for r in host.audit("group.add")]
    young = host.audit("user.add")
    assert len(old) == 20 and len(young) == 1
    host.start()
    try:
        wait_for(lambda: not host.audit("group.add"), 20, "the old rows to go")
        assert host.audit("user.add") == young
        assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
        r = host.ctl("check", check=False)
        assert r.returncode == 0, r.stdout
    finally:
        host.stop()
