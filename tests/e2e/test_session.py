"""The session against clients that are broken, greedy, in a hurry or hostile."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import paramiko
import pexpect
import pytest

from lab import HERE, SLOW, ended, wait_for

PASSWORD = "correct horse"


def session_pids(host):
    """No zygote: there is another one after a session that died of a signal."""
    return set(host.serving("jumpbox-session"))


def new_session(host, before):
    """The one session process that is not of those."""
    (pid,) = wait_for(lambda: session_pids(host) - before, 10, "a session process")
    return pid


def session_at(host, sock):
    """The session process at the other end of a client's connection."""
    ends = f":{host.port:04X}", f":{sock.getsockname()[1]:04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()]
    inode, = [row[9] for row in rows if (row[1][8:], row[2][8:]) == ends]
    pid, = [pid for pid in session_pids(host)
            if f"socket:[{inode}]" in [os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()]]
    return pid


@contextlib.contextmanager
def transport(host, login="alice+bb", password=PASSWORD):
    """A paramiko connection, logged in unless password is None."""
    t = paramiko.Transport(("127.0.0.1", host.port))
    try:
        t.start_client(timeout=20 * SLOW)
        if password is not None:
            t.auth_password(login, password)
        yield t
    finally:
        t.close()


def output(ch, seconds=20):
    ch.settimeout(seconds * SLOW)
    got = b""
    while chunk := ch.recv(65536):
        got += chunk
    return got


def run_in(t, command, seconds=20):
    ch = t.open_session(timeout=seconds * SLOW)
    ch.exec_command(command)
    return output(ch, seconds), ch.recv_exit_status()


# ---- login ------------------------------------------------------------------


class OddKey(paramiko.PKey):
    """A public key of a kind that nobody knows."""

    public_blob = None

    def asbytes(self):
        m = paramiko.Message()
        m.add_string("ssh-ed448")
        m.add_string(b"x" * 57)
        return m.asbytes()

    def get_name(self):
        return "ssh-ed448"

    def sign_ssh_data(self, data, algorithm=None):
        m = paramiko.Message()
        m.add_string("ssh-ed448")
        m.add_string(b"x" * 114)
        return m


def test_a_wrong_signature_and_an_unknown_key_are_answered_at_once(host):
    """libssh drops both without a word: the client would wait for the login deadline."""
    good = paramiko.Ed25519Key(filename=str(host.key))

    class Forged(paramiko.Ed25519Key):
        def sign_ssh_data(self, data, algorithm=None):
            return super().sign_ssh_data(b"something else", algorithm)

    with transport(host, password=None) as t:
        with pytest.raises(paramiko.BadAuthenticationType):
            t.auth_none("alice+bb")
        for key in (Forged(filename=str(host.key)), OddKey()):
            start = time.monotonic()
            with pytest.raises(paramiko.AuthenticationException):
                t.auth_publickey("alice+bb", key)
            assert time.monotonic() - start < 5 * SLOW
        t.auth_publickey("alice+bb", good)
        assert run_in(t, "echo in") == (b"in\n", 0)


def test_an_unknown_key_behind_another_request_is_answered(host):
    """Both are in one read, of which one message comes."""
    before = session_pids(host)
    t = paramiko.Transport(("127.0.0.1", host.port))
    read, heard, mine = t.packetizer.read_message, [], threading.Event()

    def listen():
        while True:
            kind, message = read()
            if not mine.is_set():
                return kind, message
            heard.append(kind)
    t.packetizer.read_message = listen
    try:
        t.start_client(timeout=20 * SLOW)
        with pytest.raises(paramiko.BadAuthenticationType):
            t.auth_none("alice+bb")
        mine.set()
        session = new_session(host, before)
        key = OddKey()
        os.kill(session, signal.SIGSTOP)
        try:
            t._send_message(packet(5, "ssh-userauth"))
            t._send_message(packet(50, "alice+bb", "ssh-connection", "publickey", True, key.get_name(), key.asbytes(),
                                   key.sign_ssh_data(b"").asbytes()))
        finally:
            os.kill(session, signal.SIGCONT)
        wait_for(lambda: heard == [6, 51], 5, "an answer to each")  # SERVICE_ACCEPT, USERAUTH_FAILURE
    finally:
        t.close()


def test_wrong_signatures_end_the_connection(host):
    class Forged(paramiko.Ed25519Key):
        def sign_ssh_data(self, data, algorithm=None):
            return super().sign_ssh_data(b"something else", algorithm)

    before, said = session_pids(host), host.log_text().count(" session.refused ")
    with transport(host, password=None) as t:
        with pytest.raises(paramiko.BadAuthenticationType):
            t.auth_none("alice+bb")
        assert SLOW > 1 or os.readlink(f"/proc/{new_session(host, before)}/fd/2") == "/dev/null"
        for _ in range(6):
            assert t.is_active()
            with pytest.raises(paramiko.AuthenticationException):
                t.auth_publickey("alice+bb", Forged(filename=str(host.key)))
        wait_for(lambda: not t.is_active(), 10, "the connection's end")
    wait_for(lambda: host.log_text().count(" session.refused ") == said + 1, 10, "the reason in the log")


def test_no_two_children_of_a_zygote_draw_the_same_random_numbers(own_host):
    """They are forked from one state of the generator: each must leave it at once."""
    host = own_host()
    zygotes = host.log_text().count("zygote.start of=session")
    cookies, keys = set(), set()
    for _ in range(20):
        t = paramiko.Transport(("127.0.0.1", host.port))

        def listen(read=t.packetizer.read_message):
            kind, m = read()
            if kind == 20:  # KEXINIT
                cookies.add(m.asbytes()[:16])
            elif kind == 31:  # KEX_ECDH_REPLY: the host key, then the server's half of this exchange
                reply = paramiko.Message(m.asbytes())
                reply.get_string()
                keys.add(reply.get_string())
            return kind, m
        t.packetizer.read_message = listen
        t.start_client(timeout=20 * SLOW)
        t.close()
    assert len(cookies) == len(keys) == 20
    assert host.log_text().count("zygote.start of=session") == zygotes


def test_must_change_is_asked_on_one_channel_only(host):
    host.ctl("user", "add", "twice", "--password-stdin", "--must-change", input=b"first password\n")
    host.ctl("grant", "add", "twice", "bb")
    with transport(host, "twice+bb", "first password") as t:
        def shell():
            ch = t.open_session()
            ch.get_pty()
            ch.invoke_shell()
            ch.settimeout(20 * SLOW)
            return ch

        def expect(ch, text):
            got = b""
            while text not in got:
                chunk = ch.recv(4096)
                assert chunk, got
                got += chunk

        one = shell()
        expect(one, b"New password: ")
        two = shell()
        assert b"password must be changed" in output(two) and two.recv_exit_status() == 77
        one.sendall(b"second password\r")
        expect(one, b"again: ")
        one.sendall(b"second password\r")
        expect(one, b"is changed")
        assert run_in(t, "echo in") == (b"in\n", 0)


# ---- time -------------------------------------------------------------------


def test_a_live_client_survives_with_one_probe(own_host):
    """Each probe must really be sent: libssh leaves out every second one if asked plainly."""
    host = own_host(client_alive_interval=SLOW, client_alive_count_max=1)  # a client has that long for its answer
    p = host.popen("alice+bb", f"sleep {5 * SLOW}; echo in", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.communicate(timeout=60 * SLOW)[0] == b"in\n" and p.returncode == 0


def test_the_idle_warning_comes_once_and_only_to_a_terminal(own_host):
    host = own_host(idle_timeout=62)
    p = host.popen("alice+bb", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    t = host.terminal("alice+bb")
    t.expect(b"ends in a minute")
    assert t.expect([b"ends in a minute", pexpect.TIMEOUT], timeout=4) == 1
    t.sendline("exit")
    t.expect(pexpect.EOF)
    assert p.communicate(b"x", timeout=30 * SLOW) == (b"x", b"")


# ---- greed ------------------------------------------------------------------


def test_ten_thousand_resizes_and_then_the_right_size(host):
    with transport(host) as t:
        ch = t.open_session()
        ch.get_pty(width=80, height=24)
        ch.invoke_shell()
        for i in range(10000):
            ch.resize_pty(width=50 + i % 100, height=20)
        ch.resize_pty(width=123, height=45)

        def right():
            ch.sendall(b"stty size\n")
            ch.settimeout(20 * SLOW)
            return b"45 123" in ch.recv(65536)
        wait_for(right, 20, "the last size")


def test_more_channels_than_the_broker_answers_at_once(host):
    with transport(host, "alice") as t:
        channels = [t.open_session(timeout=30 * SLOW) for _ in range(400)]
        for ch in channels:
            ch.exec_command("help")
        for ch in channels:
            assert b"jumpbox commands" in output(ch) and ch.recv_exit_status() == 0
            ch.close()


def test_channels_have_a_limit_and_closed_ones_do_not_count(host):
    with transport(host, "alice") as t:
        opened = []
        with pytest.raises(paramiko.ChannelException):
            for _ in range(1100):
                opened.append(t.open_session(timeout=30 * SLOW))
        assert len(opened) == 1024
        for ch in opened:
            ch.close()
        assert b"jumpbox commands" in run_in(t, "help")[0]


def test_a_client_that_ignores_its_window_is_ended(host):
    before = session_pids(host)
    with transport(host) as t:
        ch = t.open_session()
        ch.exec_command("sleep 1000")
        session = new_session(host, before)
        peak = 0
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            for _ in range(4000):  # 64 MiB
                m = paramiko.Message()
                m.add_byte(b"\x5e")  # SSH_MSG_CHANNEL_DATA
                m.add_int(ch.remote_chanid)
                m.add_string(b"x" * 16384)
                t._send_user_message(m)
                with contextlib.suppress(OSError, StopIteration, ValueError):
                    status = pathlib.Path(f"/proc/{session}/status").read_text()
                    peak = max(peak, int(next(l for l in status.splitlines() if "VmRSS" in l).split()[1]))
        wait_for(lambda: not t.is_active(), 20, "the connection's end")
        assert 0 < peak and (SLOW > 1 or peak < 60000), f"{peak} kB"


class Deaf:
    """A socket that takes nothing while told so, and knows since when nothing could be sent."""

    def __init__(self, port):
        self.hears = threading.Event()
        self.hears.set()
        self.blocked = None
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        self.sock.connect(("127.0.0.1", port))

    def recv(self, n):
        if not self.hears.wait(0.1):
            raise socket.timeout
        return self.sock.recv(n)

    def send(self, data):
        try:
            n = self.sock.send(data)
        except socket.timeout:
            self.blocked = self.blocked or time.monotonic()
            raise
        self.blocked = None
        return n

    def blocked_for(self, seconds):
        since = self.blocked
        return since is not None and time.monotonic() - since > seconds

    def __getattr__(self, name):
        return getattr(self.sock, name)


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(l for l in status.splitlines() if "VmRSS" in l).split()[1])


def packet(number, *fields):
    m = paramiko.Message()
    m.add_byte(bytes([number]))
    for f in fields:
        {bool: m.add_boolean, int: m.add_int, str: m.add_string, bytes: m.add_string}[type(f)](f)
    return m


@pytest.mark.parametrize("login, message", [
    (False, (5, "ssh-userauth")), (False, (192,)), (True, (80, "keepalive@openssh.com", True)),
    (True, (90, "x", 1, 2, 3)), (True, (192,))],
    ids=["service", "unknown", "keepalive", "channel", "unknown-later"])
def test_answers_that_nobody_takes_do_not_pile_up(own_host, login, message):
    """The connection is not read any more until its answers are taken."""
    host = own_host()
    others = session_pids(host)
    sock = Deaf(host.port)
    t = paramiko.Transport(sock)
    done = threading.Event()

    def flood():
        with contextlib.suppress(OSError, EOFError):
            while not done.is_set():
                t._send_message(packet(*message))
    thread = threading.Thread(target=flood)
    try:
        t.start_client(timeout=20 * SLOW)
        if login:
            t.auth_password("alice", PASSWORD)
        session = new_session(host, others)
        before, peak = rss(session), 0
        sock.hears.clear()
        thread.start()

        def blocked():
            nonlocal peak
            peak = max(peak, rss(session))
            return sock.blocked_for(2)
        wait_for(blocked, 30, "the flood to be held up")
        assert SLOW > 1 or peak < 40000, f"{before} kB, {peak} kB"
        ticks = pathlib.Path(f"/proc/{session}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        wait_for(lambda: sock.blocked_for(4), 10, "two more seconds")
        assert pathlib.Path(f"/proc/{session}/stat").read_text().rsplit(")", 1)[1].split()[11:13] == ticks, "it spins"
        done.set()
        sock.hears.set()
        if message[0] in (80, 90):  # paramiko answers the others itself, and would wait for its own flood
            thread.join(30 * SLOW)
            assert not thread.is_alive()
            assert b"jumpbox commands" in run_in(t, "help", 60)[0]
    finally:
        done.set()
        t.close()


def test_a_client_that_reads_late_gets_everything(host):
    """An upload and its echo: neither side may wait for the other for ever."""
    data = bytes(range(256)) * (1 << 15)  # 8 MiB
    sock = Deaf(host.port)
    t = paramiko.Transport(sock)
    try:
        t.start_client(timeout=20 * SLOW)
        t.auth_password("alice+bb", PASSWORD)
        ch = t.open_session()
        ch.exec_command("cat")

        def upload():
            ch.sendall(data)
            ch.shutdown_write()
        thread = threading.Thread(target=upload, daemon=True)
        thread.start()
        ch.settimeout(60 * SLOW)
        got = bytearray()
        for _ in range(8):
            got += ch.recv(1 << 20)
            sock.hears.clear()
            threading.Event().wait(0.35)  # longer than the session's patience
            sock.hears.set()
        while len(got) < len(data):
            chunk = ch.recv(1 << 20)
            assert chunk
            got += chunk
        assert got == data
        thread.join(20 * SLOW)
        assert output(ch) == b"" and ch.recv_exit_status() == 0
    finally:
        t.close()


def test_one_busy_channel_leaves_the_others_their_turn(host):
    """What the connection can carry is shared, whichever channel was opened last."""
    with transport(host) as t:
        small = t.open_session()
        small.exec_command("cat")
        busy = [t.open_session() for _ in range(3)]
        for ch in busy:
            ch.exec_command("cat /dev/zero")
        deadline = time.monotonic() + 60 * SLOW
        small.settimeout(0)
        answered = 0
        small.sendall(b"%d\n" % answered)
        while answered < 5:
            assert time.monotonic() < deadline
            for ch in busy:
                if ch.recv_ready():
                    ch.recv(1 << 20)
            if small.recv_ready():
                assert small.recv(100) == b"%d\n" % answered
                answered += 1
                small.sendall(b"%d\n" % answered)


# ---- haste ------------------------------------------------------------------


def test_channels_closed_while_they_connect_leave_nothing(host, docker):
    with transport(host) as t:
        for round_ in range(5):
            channels = [t.open_session() for _ in range(8)]
            for ch in channels:
                ch.exec_command("sleep 98765")
                ch.resize_pty()
                ch.close()
            run_in(t, "true")
        assert run_in(t, "echo in") == (b"in\n", 0)
        wait_for(lambda: not any("sleep 98765" in c for _, _, c in docker.processes("bb")), 40,
                 "the commands' end")


def test_requests_of_channels_that_are_gone_end_nothing(host):
    with transport(host, "alice") as t:
        for _ in range(300):
            ch = t.open_session()
            for number, name in ((98, "window-change"), (98, "exec"), (97, None), (98, "shell"), (98, "env")):
                m = paramiko.Message()
                m.add_byte(bytes([number]))
                m.add_int(ch.remote_chanid)
                if name:
                    m.add_string(name)
                    m.add_boolean(True)
                    m.add_string(b"help")
                    m.add_string(b"x")
                    m.add_int64(0)
                t._send_user_message(m)
        assert b"jumpbox commands" in run_in(t, "help")[0]


def test_a_command_that_closes_its_output_and_goes_on(host):
    r = host.ssh("alice+bb", "exec >&- 2>&-; sleep 3; exit 3")
    assert (r.returncode, r.stdout, r.stderr) == (3, b"", b"")


def test_a_channel_with_tiny_packets_is_refused(host, caplog):
    """libssh would send empty packets for ever on such a channel."""
    with transport(host, "alice") as t:
        for size in (1, 10, 1023):
            m = paramiko.Message()
            m.add_byte(b"\x5a")  # SSH_MSG_CHANNEL_OPEN
            m.add_string("session")
            m.add_int(7000 + size)
            m.add_int(1 << 20)
            m.add_int(size)
            t._send_user_message(m)
        assert b"jumpbox commands" in run_in(t, "help")[0]
        for size in (1, 10, 1023):
            assert f"channel {7000 + size} open FAILED" in caplog.text


def test_a_signal_with_a_long_name_is_no_signal(host):
    with transport(host) as t:
        ch = t.open_session()
        ch.exec_command("read x; echo $x")
        for name in ("X" * 15, "X" * 40, "X" * 20000, ""):
            m = paramiko.Message()
            m.add_byte(b"\x62")
            m.add_int(ch.remote_chanid)
            m.add_string("signal")
            m.add_boolean(False)
            m.add_string(name)
            t._send_user_message(m)
        ch.sendall(b"in\n")
        assert output(ch) == b"in\n"


def test_ctrl_c_while_connecting_gives_up_whatever_was_typed_before(own_host):
    host = own_host()
    sock = host.dir / "hung.sock"
    fake = subprocess.Popen(["/usr/bin/python3", HERE / "fake_engine.py", sock, "hang", "/start"])
    try:
        wait_for(sock.exists, 10, "the fake engine")
        sock.chmod(0o777)
        host.ctl("node", "add", "hung", f"unix://{sock}")
        wait_for(lambda: b"fake" in host.ssh("alice", "ls").stdout, 10, "the inventory")
        t = host.terminal("alice", term="dumb")
        t.expect(b"quit[)]: ")
        for _ in range(2):
            t.sendline("hung+fake")
            t.expect(b"Ctrl-C gives up")
            for key in ("e", "x", "it\r", "\x03"):  # a packet each
                t.send(key)
            t.expect(b"cancelled")
            t.expect(b"quit[)]: ")
        t.sendline("bb")
        t.sendline("echo in''side; exit")
        t.expect(b"inside\r\n")
        t.expect(b"quit[)]: ")
        t.send("\x04")
        t.expect(pexpect.EOF)
        before = len(host.audit("attach.open"))
        t = host.terminal("alice+fake")
        wait_for(lambda: len(host.audit("attach.open")) > before, 10, "the attach")  # till then Ctrl-C ends the client
        t.send("typed")
        t.send("\x03")
        t.expect(b"cancelled")
        assert ended(t) == 75
    finally:
        fake.terminate()
        fake.wait(10)
