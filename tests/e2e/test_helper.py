"""jumpbox-helper alone: its frames over pipes, run here, for arm64 under qemu, and in a container."""

import collections
import contextlib
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import pytest

from lab import PREFIX, SLOW, frozen, run, served, wait_for

HEADER = (pathlib.Path(__file__).resolve().parents[2] / "include/jumpbox/mux.h").read_text()
NAMES = re.findall(r"^\tMUX_(\w+)", HEADER.split("enum mux_type {")[1].split("};")[0], re.M)[:-1]
WHYS = re.findall(r"\tMUX_WHY_(\w+)", HEADER.split("enum mux_why {")[1])
TYPES = {name: n for n, name in enumerate(NAMES, 1)}
SHELL, EXEC, FILES, FILES_RO, FORWARD = 1, 2, 4, 8, 16
ALL = SHELL | EXEC | FILES | FORWARD
WINDOW = 512 * 1024
TOP = 1 << 31

pytestmark = pytest.mark.timeout(60 * SLOW)

HELPERS = {arch: PREFIX / f"libexec/jumpbox/jumpbox-helper.{arch}" for arch in ("amd64", "arm64")}
SANITIZED = os.environ.get("JUMPBOX_SANITIZED")
DIRECT = [str(pathlib.Path(os.environ.get("JUMPBOX_BUILD", "build/asan")) / "jumpbox-helper" if SANITIZED
              else HELPERS["amd64"])]
QEMU = ["qemu-aarch64-static", str(HELPERS["arm64"])]


def u32(*values):
    return struct.pack(f">{len(values)}I", *values)


def string(text):
    text = text.encode() if isinstance(text, str) else text
    return u32(len(text)) + text


def frame(channel, name, payload=b""):
    return u32(channel, TYPES[name] << 24 | len(payload)) + payload


class Reader:
    """The fields of a payload, in order."""

    def __init__(self, payload):
        self.p = payload

    def u32(self):
        value, self.p = struct.unpack(">I", self.p[:4])[0], self.p[4:]
        return value

    def str(self):
        n = self.u32()
        value, self.p = self.p[:n], self.p[n:]
        return value.decode()


class Mux:
    """The session's end of a helper's stream."""

    def __init__(self, argv=DIRECT, perms=ALL, items="", hello=True, **kw):
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, bufsize=0, start_new_session=True, **kw)
        self.fds = self.proc.stdin.fileno(), self.proc.stdout.fileno()
        for fd in self.fds:
            os.set_blocking(fd, False)
        self.out, self.raw = bytearray(), bytearray()
        self.frames = collections.defaultdict(collections.deque)
        self.accepted = collections.deque()
        self.stalled = set()  # channels whose data is not acknowledged
        self.owed = collections.Counter()
        self.room = collections.defaultdict(lambda: WINDOW)  # what may be sent
        self.over = False
        self.last = 0
        if hello:
            self.send(0, "HELLO", u32(1, perms) + string(items) + string("12.ab"))
            r = Reader(self.wait(0, "READY"))
            assert r.u32() == 1
            self.uid, self.gid, self.home, self.shell, self.user = r.u32(), r.u32(), r.str(), r.str(), r.str()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc.poll() is None:
            self.proc.kill()
        for pipe in (self.proc.stdin, self.proc.stdout, self.proc.stderr):
            pipe.close()
        self.proc.wait(20)

    # ---- frames

    def send(self, channel, name, payload=b""):
        self.out += frame(channel, name, payload)
        self.until(lambda: not self.out, "end of what is to be sent")

    def pump(self, seconds=0.05):
        reads = [] if self.over else [self.fds[1]]
        readable, writable, _ = select.select(reads, [self.fds[0]] if self.out else [], [], seconds)
        if writable:
            try:
                del self.out[:os.write(self.fds[0], self.out[:1 << 17])]
            except BrokenPipeError:
                self.out.clear()
        if readable:
            got = os.read(self.fds[1], 1 << 18)
            self.over = not got
            self.raw += got
        at = 0
        while len(self.raw) - at >= 8:
            channel, word = struct.unpack_from(">II", self.raw, at)
            n = word & 0xffffff
            if len(self.raw) - at - 8 < n:
                break
            self.take(channel, NAMES[(word >> 24) - 1], bytes(self.raw[at + 8:at + 8 + n]))
            at += 8 + n
        del self.raw[:at]

    def take(self, channel, name, payload):
        if name == "WINDOW":
            self.room[channel] += Reader(payload).u32()
            return
        if name in ("DATA", "ERRDATA"):
            self.owed[channel] += len(payload)
            assert self.owed[channel] <= WINDOW, "the helper went over the window"
            if self.owed[channel] >= WINDOW // 2 and channel not in self.stalled:
                self.grant(channel)
        if name == "ACCEPT":
            self.accepted.append((channel, payload))
            return
        self.frames[channel].append((name, payload))

    def grant(self, channel):
        self.stalled.discard(channel)
        if self.owed[channel]:
            self.out += frame(channel, "WINDOW", u32(self.owed.pop(channel)))

    def until(self, condition, what, seconds=10):
        deadline = time.monotonic() + seconds * SLOW
        while not condition():
            assert time.monotonic() < deadline, f"no {what} in {seconds} s: {dict(self.frames)}"
            assert not (self.over and not self.frames), f"no {what}: the stream is over"
            self.pump()
        return time.monotonic()

    def wait(self, channel, *names, seconds=10):
        """The payload of the channel's next frame, which must be of that name."""
        self.until(lambda: self.frames[channel], f"{names} on {channel}", seconds)
        name, payload = self.frames[channel].popleft()
        assert name in names, (name, payload[:200])
        return payload

    # ---- channels

    def open(self, name, payload=b""):
        self.last += 1
        self.send(self.last, name, payload)
        return self.last

    def opened(self, name, payload=b"", seconds=10):
        channel = self.open(name, payload)
        r = Reader(self.wait(channel, "OPENED", seconds=seconds))
        return channel, r.u32(), r.str()

    def why(self, name, payload=b"", seconds=10):
        r = Reader(self.wait(self.open(name, payload), "FAILED", seconds=seconds))
        return WHYS[r.u32() - 1]

    @staticmethod
    def exec_payload(command=None, pty=False, size=(80, 24), login=False, env=()):
        return (u32(pty, *size, login, command is not None) + string(command or "") + u32(len(env)) +
                b"".join(string(k) + string(v) for k, v in env))

    def exec(self, command=None, **kw):
        return self.opened("OPEN_EXEC", self.exec_payload(command, **kw))[:2]

    def tcp(self, port, host="localhost"):
        return self.opened("OPEN_TCP", string(host) + u32(port))[0]

    def accept(self):
        self.until(lambda: self.accepted, "ACCEPT")
        channel, payload = self.accepted.popleft()
        r = Reader(payload)
        return channel, r.u32(), r.str(), r.u32()

    def data(self, channel, data):
        """Sends all of it, within the window."""
        data = memoryview(data)
        while data:
            n = min(65536, len(data), self.room[channel])
            if n:
                self.send(channel, "DATA", bytes(data[:n]))
                self.room[channel] -= n
                data = data[n:]
            else:
                self.pump()
            assert not self.over

    def read(self, channel, n, name="DATA"):
        got = b""
        while len(got) < n:
            got += self.wait(channel, name)
        return got

    def expect(self, channel, *texts):
        """What came until it contained these one after the other: of a program that goes on."""
        got, at = b"", 0
        for text in texts:
            while (found := got.find(text, at)) < 0:
                got += self.wait(channel, "DATA")
            at = found + len(text)
        return got

    def finish(self, channel, seconds=10):
        """To the end of a program: its output, its error output, its signal and code."""
        out, err, end = b"", b"", None
        while True:
            self.until(lambda: self.frames[channel], f"an end of {channel}", seconds)
            name, payload = self.frames[channel].popleft()
            if name == "DATA":
                out += payload
            elif name == "ERRDATA":
                err += payload
            elif name == "EXIT":
                r = Reader(payload)
                end = r.u32(), r.u32()
            elif name == "CLOSE":
                self.send(channel, "CLOSE")
                return out, err, *end
            else:
                assert name == "EOF" and end is None

    def run(self, command, **kw):
        return self.finish(self.exec(command, **kw)[0])

    def end(self, seconds=15):
        """Ends the stream as a connection does; the exit code."""
        self.proc.stdin.close()
        return self.proc.wait(seconds * SLOW)

    def is_ended(self, seconds=10):
        """It ended the stream by itself."""
        deadline = time.monotonic() + seconds * SLOW
        while not self.over:
            assert time.monotonic() < deadline, "the stream goes on"
            self.pump()
        code = self.proc.wait(10 * SLOW)
        assert self.proc.stderr.read() == b""
        return code


@pytest.fixture(scope="module")
def box(docker):
    """A busybox container with the helper in it, as a command line that runs it there."""
    name = docker.container("helper-box")
    docker.cli("cp", HELPERS["amd64"], f"{name}:/jumpbox-helper")
    yield ["docker", "--host", f"unix://{docker.socket}", "exec", "-i", name, "/jumpbox-helper"]
    docker.remove(name)


@pytest.fixture(params=("here", "arm64", "container"))
def mux(request):
    """The helper, wherever it runs."""
    if request.param == "arm64" and not HELPERS["arm64"].exists():
        pytest.skip("no cross compiler, no helper for arm64")
    argv = {"here": DIRECT, "arm64": QEMU}.get(request.param) or request.getfixturevalue("box")
    with Mux(argv) as m:
        yield m


@pytest.fixture
def here():
    with Mux() as m:
        yield m


class Echo:
    """A server here: what it is sent it sends back, until it is sent no more."""

    def __init__(self, family=socket.AF_INET):
        self.sock = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family,
                                         backlog=512)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    @staticmethod
    def talk(peer):
        with peer:
            while data := peer.recv(65536):
                peer.sendall(data)
            peer.sendall(b"end")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def alive(pid):
    with contextlib.suppress(OSError):  # it is gone, perhaps at this moment
        return ") Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    return False


# ---- the programs ----------------------------------------------------------

@pytest.mark.parametrize("arch", HELPERS)
def test_it_is_small_and_needs_nothing(arch):
    if not HELPERS[arch].exists():
        pytest.skip(f"no compiler, no helper for {arch}")
    assert HELPERS[arch].stat().st_size < 200 * 1024
    kind = run("readelf", "-hl", HELPERS[arch]).stdout.decode()
    assert {"amd64": "X86-64", "arm64": "AArch64"}[arch] in kind
    assert "INTERP" not in kind and "DYNAMIC" not in kind


def test_it_takes_itself_away(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    copy = shutil.copy(HELPERS["amd64"], place / "jumpbox-helper")
    assert run(copy, "version").stdout == b"1\n"
    assert run(copy, "nonsense", check=False).returncode == 64
    run(copy, "remove")
    assert not place.exists()


def test_no_input_ends_it_at_once():
    assert run(*DIRECT).stdout == b""


# ---- shells and commands ---------------------------------------------------

def test_ready_says_who_it_is(mux):
    assert (mux.uid, mux.gid, mux.user, mux.home) == (0, 0, "root", "/root")
    assert mux.shell in ("/bin/bash", "/bin/sh")


def test_three_streams_and_the_exit_code(mux):
    channel, pid = mux.exec("cat; echo error >&2; exit 42")
    assert pid > 1
    everything = bytes(range(256)) * 4
    mux.data(channel, everything)
    mux.send(channel, "EOF")
    assert mux.finish(channel) == (everything, b"error\n", 0, 42)
    assert mux.end() == 0


def test_a_terminal_has_its_size_before_the_program_begins(mux):
    channel, _ = mux.exec("stty size; tty; echo $SSH_TTY; read x; stty size; exit 7", pty=True, size=(132, 50))
    first = mux.expect(channel, b"\n/dev/pts/", b"\n/dev/pts/", b"\n").split()
    assert first[:2] == [b"50", b"132"] and first[2] == first[3]
    mux.send(channel, "RESIZE", u32(90, 30))
    mux.data(channel, b"go\n")
    out, err, sig, code = mux.finish(channel)
    assert out.split() == [b"go", b"30", b"90"] and err == b"" and (sig, code) == (0, 7)


def test_the_terminal_controls_the_program(mux):
    channel, _ = mux.exec(f"trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done", pty=True)
    mux.expect(channel, b"ready")
    mux.data(channel, b"\x03")
    out, _, sig, code = mux.finish(channel)
    assert b"interrupted" in out and (sig, code) == (0, 3)


def test_environment(mux):
    env = (("TERM", "vt220"), ("LANG", "zh_CN.UTF-8"), ("GIT_PROTOCOL", "version=2"))
    out = mux.run("env; echo name=$0", env=env)[0].decode().splitlines()
    want = {"HOME=/root", "USER=root", "LOGNAME=root", f"SHELL={mux.shell}", "JUMPBOX_EXEC=12.ab",
            f"name={pathlib.Path(mux.shell).name}", *(f"{k}={v}" for k, v in env)}
    assert want <= set(out)
    assert any(line.startswith("PATH=/") for line in out)


def test_a_login_shell_is_one(mux):
    channel, _ = mux.exec(login=True)
    mux.data(channel, b"echo name=$0\nexit 5\n")
    out, _, sig, code = mux.finish(channel)
    assert f"name=-{pathlib.Path(mux.shell).name}\n".encode() in out and (sig, code) == (0, 5)


def test_the_shell_is_that_of_the_containers_passwd(docker, box):
    name = box[-2]
    docker.exec(name, "sh", "-c", "[ -e /bin/ash ] || cp /bin/sh /bin/ash; echo 'ann:x:1234:77::/home/ann:/bin/ash' >>/etc/passwd;"
                "echo 'svc:x:1235:77::/:/sbin/nologin' >>/etc/passwd; mkdir -p /home/ann")
    with Mux([*box[:4], "-u", "1234:77", *box[4:]]) as m:
        assert (m.uid, m.gid, m.user, m.home, m.shell) == (1234, 77, "ann", "/home/ann", "/bin/ash")
        assert m.run("echo $HOME $0; id -u")[0] == b"/home/ann ash\n1234\n"
    with Mux([*box[:4], "-u", "1235", *box[4:]]) as m:
        assert (m.user, m.shell) == ("svc", "/bin/sh")
    with Mux([*box[:4], "-u", "4321", "-e", "HOME=/", *box[4:]]) as m:
        assert (m.user, m.home, m.shell) == ("4321", "/", "/bin/sh")


def test_no_shell(docker):
    name = docker.container("helper-bare", "noshell")
    docker.cli("cp", HELPERS["amd64"], f"{name}:/jumpbox-helper")
    with Mux(["docker", "--host", f"unix://{docker.socket}", "exec", "-i", name, "/jumpbox-helper"]) as m:
        assert m.shell == ""
        assert m.why("OPEN_EXEC", m.exec_payload("true")) == "NO_SHELL"
    docker.remove(name)


@pytest.mark.parametrize("size", (120_000, 150_000))
def test_long_commands(mux, size):
    command = f"printf %s '{'x' * size}' | wc -c"
    assert mux.run(command)[0].split() == [str(size).encode()]


@pytest.mark.parametrize("name", ("TERM", "KILL", "USR1", "INT"))
def test_death_by_signal_is_exact(mux, name):
    channel, _ = mux.exec("echo ready; exec sleep 100")
    mux.expect(channel, b"ready")
    mux.send(channel, "SIGNAL", string(name))
    assert mux.finish(channel)[2:] == (getattr(signal, f"SIG{name}"), 0)


def test_a_signal_reaches_what_the_command_started(here):
    channel, pid = here.exec("trap 'echo got; exit 9' TERM; sleep 100; echo no")
    wait_for(lambda: run("pgrep", "-P", pid, check=False).returncode == 0, 5, "its child")
    here.send(channel, "SIGNAL", string("NONSENSE"))
    here.send(channel, "SIGNAL", string("TERM"))
    out, _, sig, code = here.finish(channel)
    assert (out, sig, code) == (b"got\n", 0, 9)


def test_all_output_comes_before_the_exit(here):
    for pty in (False, True):
        channel, _ = here.exec("seq 1 200000; exit 6", pty=pty)
        out, _, sig, code = here.finish(channel)
        want = "".join(f"{n}\n" for n in range(1, 200001)).encode()
        assert out.replace(b"\r", b"") == want and (sig, code) == (0, 6)


def test_a_reader_that_sleeps_after_the_exit_loses_nothing(here):
    here.stalled.add(1)
    channel, pid = here.exec(f"head -c {WINDOW + 50000} /dev/zero; exit 3")
    here.until(lambda: here.owed[channel] == WINDOW, "a full window")
    wait_for(lambda: not alive(pid), 5, "the end of the program")
    deadline = time.monotonic() + 1.5  # longer than what others are waited for
    while time.monotonic() < deadline:
        here.pump()
    here.grant(channel)
    out, _, sig, code = here.finish(channel)
    assert len(out) == WINDOW + 50000 and (sig, code) == (0, 3)


def test_who_holds_the_output_open_delays_the_end_by_a_second(here):
    began = time.monotonic()
    channel, _ = here.exec("sleep 100 & echo $!; (sleep 0.1; echo late) & exit 4")
    out, _, sig, code = here.finish(channel)
    assert 0.9 < time.monotonic() - began < 3 * SLOW
    assert out.endswith(b"late\n") and (sig, code) == (0, 4)
    daemon = int(out.split()[0])
    assert alive(daemon)
    os.kill(daemon, signal.SIGKILL)


# ---- the end of a channel and of the stream --------------------------------

STUBBORN = "trap '' HUP TERM; echo $$; while :; do sleep 0.1; done"
DETACHED = "nohup sleep 1000 >/dev/null 2>&1 </dev/null & echo $!; sleep 1000 & echo $!; echo $$; exec sleep 1000"


def pids(here, channel, n):
    got = b""
    while len(got.split()) < n:
        got += here.wait(channel, "DATA")
    return [int(pid) for pid in got.split()]


@pytest.mark.parametrize("how", ("stdin", "TERM", "HUP", "close"))
def test_the_end_takes_the_main_process_and_leaves_what_was_detached(here, how):
    channel, pid = here.exec(DETACHED)
    detached, background, main = pids(here, channel, 3)
    assert main == pid
    terminal, leader = here.exec(pty=True)
    here.data(terminal, b"echo up; sleep 1000\n")
    here.expect(terminal, b"up\r\n")
    began = time.monotonic()
    if how == "stdin":
        assert here.end() == 0
    elif how == "close":
        here.send(channel, "CLOSE")
        here.send(terminal, "CLOSE")
        here.wait(channel, "CLOSE")
        wait_for(lambda: not alive(main) and not alive(leader), 10, "the ends of both")
        assert here.run("echo still here")[0] == b"still here\n"
    else:
        here.proc.send_signal(getattr(signal, f"SIG{how}"))
        assert here.is_ended() == 0
    assert time.monotonic() - began < 1.5 * SLOW
    assert not alive(main) and not alive(leader)
    assert alive(detached) and alive(background)
    for one in (detached, background):
        os.kill(one, signal.SIGKILL)


def test_who_ignores_hup_and_term_is_killed(here):
    channel, pid = here.exec(STUBBORN)
    assert pids(here, channel, 1) == [pid]
    began = time.monotonic()
    assert here.end() == 0
    assert 3.5 < time.monotonic() - began < 7 * SLOW
    assert not alive(pid)


def test_sftp_is_a_channel_and_its_audit_outlives_it(mux):
    def packet(kind, payload):
        return u32(len(payload) + 1) + bytes([kind]) + payload

    path = f"/tmp/helper-{os.getpid()}"
    channel, _, _ = mux.opened("OPEN_SFTP", u32(0))
    mux.data(channel, packet(1, u32(3)))
    assert mux.wait(channel, "DATA")[4:9] == b"\x02" + u32(3)
    mux.send(channel, "EOF")
    assert mux.finish(channel)[2:] == (0, 0)
    channel, _, _ = mux.opened("OPEN_SFTP", u32(0))
    mux.data(channel, packet(1, u32(3)) + packet(3, u32(7) + string(path) + u32(0xa, 0)))
    assert Reader(mux.wait(channel, "NOTE")).str() == f'open path="{path}" for=write'
    mux.read(channel, 20)
    mux.send(channel, "CLOSE")
    assert f'path="{path}"' in Reader(mux.wait(channel, "NOTE")).str()
    mux.wait(channel, "CLOSE")
    assert mux.run(f"rm {path} && echo gone")[0] == b"gone\n"


# ---- TCP and unix sockets --------------------------------------------------

@pytest.mark.parametrize("family", (socket.AF_INET, socket.AF_INET6))
def test_half_close_both_ways(here, family):
    with Echo(family) as echo:
        channel = here.tcp(echo.port)
        here.data(channel, b"to and fro")
        assert here.read(channel, 10) == b"to and fro"
        here.send(channel, "EOF")
        assert here.read(channel, 3) == b"end"  # after our end there is still its answer
        here.wait(channel, "EOF")
        here.wait(channel, "CLOSE")
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = here.tcp(server.getsockname()[1])
        peer, _ = server.accept()
        peer.shutdown(socket.SHUT_WR)
        here.wait(channel, "EOF")
        here.data(channel, b"still")
        here.send(channel, "EOF")
        assert peer.recv(100) == b"still" and peer.recv(100) == b""
        here.wait(channel, "CLOSE")
        peer.close()


def test_a_connection_that_was_reset_is_closed(here):
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = here.tcp(server.getsockname()[1])
        peer, _ = server.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        here.wait(channel, "EOF")
        here.wait(channel, "CLOSE")


def test_close_closes_the_connection(here):
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = here.tcp(server.getsockname()[1])
        peer, _ = server.accept()
        here.send(channel, "CLOSE")
        here.wait(channel, "CLOSE")
        assert peer.recv(1) == b""
        peer.close()


def test_what_came_before_the_close_is_delivered(here, tmp_path):
    """To somebody who reads late, and first wants to be rid of more than the session has room for."""
    for end in ((), ("EOF",)):
        path = str(tmp_path / f"socket{len(end)}")  # takes less than a window, as TCP need not
        with socket.create_server(path, family=socket.AF_UNIX) as server:
            channel, _, _ = here.opened("OPEN_UNIX", string(path))
            here.stalled.add(channel)
            peer, _ = server.accept()
            sent = os.urandom(WINDOW)  # all that may be sent before the other takes any
            for at in range(0, WINDOW, 1 << 16):
                here.send(channel, "DATA", sent[at:at + (1 << 16)])
            for name in (*end, "CLOSE"):
                here.send(channel, name)
            assert here.run("echo meanwhile")[0] == b"meanwhile\n"
            assert not any(name == "CLOSE" for name, _ in here.frames[channel])
            peer.sendall(bytes(8 * WINDOW))
            got = b"".join(iter(lambda: peer.recv(1 << 16), b""))
            assert got == sent
            here.wait(channel, "CLOSE")
            peer.close()


def test_a_close_is_no_reset(here, tmp_path):
    """Which it would be to somebody of whose bytes some are unread."""
    path = str(tmp_path / "socket")
    with socket.create_server(path, family=socket.AF_UNIX) as server:
        channel, _, _ = here.opened("OPEN_UNIX", string(path))
        here.stalled.add(channel)
        peer, _ = server.accept()
        sent = os.urandom(WINDOW)
        for at in range(0, WINDOW, 1 << 16):
            here.send(channel, "DATA", sent[at:at + (1 << 16)])
        here.send(channel, "CLOSE")
        assert here.run("echo meanwhile")[0] == b"meanwhile\n"
        here.proc.send_signal(signal.SIGSTOP)
        wait_for(lambda: "T" in pathlib.Path(f"/proc/{here.proc.pid}/stat").read_text().rsplit(")", 1)[1][:3])
        peer.sendall(bytes(150 << 10))  # which is there, all of it, when the last is written
        here.proc.send_signal(signal.SIGCONT)
        assert b"".join(iter(lambda: peer.recv(1 << 16), b"")) == sent
        here.wait(channel, "CLOSE")
        peer.close()


def test_where_close_range_is_refused(docker, tmp_path):
    """As an old engine does on a new kernel: a process that is forked for SFTP keeps no connection open."""
    profile = tmp_path / "profile"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["close_range"], "action": "SCMP_ACT_ERRNO"}]}))
    name = docker.container("helper-old", "debian", "--security-opt", f"seccomp={profile}")
    docker.cli("cp", HELPERS["amd64"], f"{name}:/jumpbox-helper")
    with Mux(["docker", "--host", f"unix://{docker.socket}", "exec", "-i", name, "/jumpbox-helper"]) as m:
        listener, _ = m.exec("exec perl -MIO::Socket -e 'my $l = IO::Socket::INET->new(LocalAddr => \"127.0.0.1\", "
                             "LocalPort => 80, Listen => 1) or die; $| = 1; print qq(up\\n); print $l->accept->getline // qq(end\\n)'")
        m.expect(listener, b"up\n")
        connection = m.tcp(80)
        m.opened("OPEN_SFTP", u32(0))
        m.send(connection, "CLOSE")
        assert m.expect(listener, b"end\n")
    docker.remove(name)


def test_a_refused_port_is_told_at_once(mux):
    began = time.monotonic()
    assert mux.why("OPEN_TCP", string("localhost") + u32(1)) == "REFUSED"
    assert mux.why("OPEN_TCP", string("127.0.0.1") + u32(1)) == "REFUSED"
    assert time.monotonic() - began < 1 * SLOW


SERVERS = """
import socket
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # a name server that answers nobody
asked.bind(("127.0.0.1", 53))
echo = socket.create_server(("127.0.0.1", 7777))
print("up", flush=True)
peer, _ = echo.accept()
while data := peer.recv(100):
    peer.sendall(data)
"""


def test_names_are_those_of_the_container(docker, box):
    name = box[-2]
    docker.exec(name, "sh", "-c", "echo '127.0.0.1 myself' >>/etc/hosts; echo 'nameserver 127.0.0.1' >/etc/resolv.conf")
    pid = docker.cli("inspect", "--format", "{{.State.Pid}}", name).stdout.decode().strip()
    with subprocess.Popen(["nsenter", "-t", pid, "-n", "/usr/bin/python3", "-c", SERVERS],
                          stdout=subprocess.PIPE) as servers, Mux(box) as m:
        assert servers.stdout.readline() == b"up\n"
        channel = m.tcp(7777, "myself")
        m.data(channel, b"by name")
        assert m.read(channel, 7) == b"by name"
        slow = m.open("OPEN_TCP", string("nobody.example") + u32(80))
        began = time.monotonic()
        m.data(channel, b"meanwhile")
        assert m.read(channel, 9) == b"meanwhile"
        assert m.run("echo meanwhile")[0] == b"meanwhile\n"
        assert time.monotonic() - began < 1 * SLOW and not m.frames[slow]
        r = Reader(m.wait(slow, "FAILED", seconds=25))
        assert WHYS[r.u32() - 1] == "TIMED_OUT"
        m.send(channel, "EOF")
        m.wait(channel, "EOF")


def test_a_name_that_is_none(here):
    assert here.why("OPEN_TCP", string("no such name") + u32(80), seconds=25) in ("NO_NAME", "TIMED_OUT")
    assert here.why("OPEN_TCP", string("") + u32(80), seconds=25) in ("NO_NAME", "TIMED_OUT")


def test_unix_sockets(here, tmp_path):
    path = str(tmp_path / "sock")
    assert here.why("OPEN_UNIX", string(path)) == "NO_FILE"
    assert here.why("OPEN_UNIX", string("/" + "x" * 200)) == "NO_FILE"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        assert here.why("OPEN_UNIX", string(path)) == "REFUSED"
        server.listen()
        channel, _, _ = here.opened("OPEN_UNIX", string(path))
        peer, _ = server.accept()
        with peer:
            here.data(channel, b"hello")
            here.send(channel, "EOF")
            assert peer.recv(100) == b"hello" and peer.recv(100) == b""
            peer.sendall(b"bye")
        assert here.read(channel, 3) == b"bye"
        here.wait(channel, "EOF")
        here.wait(channel, "CLOSE")


@pytest.mark.parametrize("what, why", (("OPEN_UNIX", "NO_FILE"), ("LISTEN_UNIX", "DENIED")))
def test_a_socket_in_a_file_system_that_hangs_delays_nobody(here, tmp_path, what, why):
    with served(tmp_path) as (mount, server):
        os.kill(server, signal.SIGSTOP)
        channels = [here.open(what, string(f"{mount}/{n}")) for n in range(3)]
        assert here.run("echo meanwhile")[0] == b"meanwhile\n"
        assert not any(here.frames[c] for c in channels)
        os.kill(server, signal.SIGCONT)
        for c in channels:
            assert WHYS[Reader(here.wait(c, "FAILED")).u32() - 1] == why


# ---- listening -------------------------------------------------------------

@pytest.mark.parametrize("host", ("localhost", "", "127.0.0.1", "::1"))
def test_listening(here, host):
    listener, port, _ = here.opened("LISTEN_TCP", string(host) + u32(0))
    assert port > 0
    for address in ("127.0.0.1", "::1"):
        if host in ("127.0.0.1", "::1") and host != address:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address, port))
            continue
        with socket.create_connection((address, port)) as peer:
            channel, of, seen, seen_port = here.accept()
            assert channel & TOP and (of, seen, seen_port) == (listener, address, peer.getsockname()[1])
            peer.sendall(b"from outside")
            assert here.read(channel, 12) == b"from outside"
            here.data(channel, b"from inside")
            assert peer.recv(100) == b"from inside"
            peer.shutdown(socket.SHUT_WR)
            here.wait(channel, "EOF")
            here.send(channel, "EOF")
            assert peer.recv(1) == b""
            here.wait(channel, "CLOSE")
            here.send(channel, "CLOSE")
    assert here.why("LISTEN_TCP", string(host) + u32(port)) == "IN_USE"
    here.send(listener, "CLOSE")
    here.wait(listener, "CLOSE")
    assert here.opened("LISTEN_TCP", string(host) + u32(port))[1] == port


def test_listening_on_a_name_or_elsewhere(here):
    assert here.why("LISTEN_TCP", string("example.org") + u32(0)) == "NO_NAME"
    assert here.why("LISTEN_TCP", string("192.0.2.1") + u32(0)) == "UNREACHABLE"


def test_listening_on_a_path(here, tmp_path):
    path = tmp_path / "sock"
    listener, _, told = here.opened("LISTEN_UNIX", string(str(path)))
    assert told == str(path) and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert here.why("LISTEN_UNIX", string(str(path))) == "IN_USE"
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(told)
        channel, of, _, _ = here.accept()
        assert of == listener
        peer.sendall(b"x")
        assert here.read(channel, 1) == b"x"
    here.send(listener, "CLOSE")
    here.wait(listener, "CLOSE")
    assert not path.exists()
    here.opened("LISTEN_UNIX", string(str(path)))
    path.unlink()
    path.write_text("somebody else's")
    assert here.end() == 0
    assert path.exists()


def test_an_agents_socket(here):
    _, _, path = here.opened("LISTEN_AGENT")
    path = pathlib.Path(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        here.accept()
    assert here.end() == 0
    assert not path.parent.exists()


def running(what):
    """The processes of a helper, those that it leaves, too."""
    return [p for p in run("pgrep", "--session", what.proc.pid, check=False).stdout.decode().split() if alive(p)]


@pytest.mark.parametrize("what", ("LISTEN_UNIX", "LISTEN_AGENT"))
def test_a_path_that_hangs_delays_nobody_and_nothing_is_left_there(tmp_path, what):
    with frozen(tmp_path) as (mount, freeze, thaw):
        there = ["unshare", "--mount", "sh", "-c",
                 f'exec 3<"$1" && mount --bind {mount} /tmp && exec /proc/self/fd/3', "sh", *DIRECT]
        before = os.listdir(mount)
        payload = string("/tmp/sock") if what == "LISTEN_UNIX" else b""
        with Mux(there) as m:
            freeze()
            given_up = m.open(what, payload)
            assert m.run("echo meanwhile")[0] == b"meanwhile\n"
            r = Reader(m.wait(given_up, "FAILED", seconds=15))
            assert WHYS[r.u32() - 1] == "TIMED_OUT"
            thaw()
            wait_for(lambda: running(m) == [str(m.proc.pid)], 10, "an end of what bound it")
            assert os.listdir(mount) == before
            listener, _, _ = m.opened(what, payload)
            assert os.listdir(mount) != before
            freeze()
            m.send(listener, "CLOSE")
            m.wait(listener, "CLOSE")
            m.open(what, payload)
            assert m.run("echo meanwhile")[0] == b"meanwhile\n"
            assert m.end() == 0
            thaw()
            wait_for(lambda: not running(m), 10, "an end of what bound it")
            assert os.listdir(mount) == before


# ---- what is allowed -------------------------------------------------------

OPENERS = {
    "shell": ("OPEN_EXEC", Mux.exec_payload(), SHELL),
    "command": ("OPEN_EXEC", Mux.exec_payload("true"), EXEC),
    "sftp": ("OPEN_SFTP", u32(0), FILES),
    "sftp-ro": ("OPEN_SFTP", u32(1), FILES | FILES_RO),
    "copy-in": ("OPEN_COPY", u32(1) + string("/none/x") + string("x") + u32(0), FILES),
    "copy-out": ("OPEN_COPY", u32(0) + string("/none") + string("") + u32(0), FILES | FILES_RO),
    "tcp": ("OPEN_TCP", string("localhost") + u32(1), FORWARD),
    "unix": ("OPEN_UNIX", string("/none"), FORWARD),
    "listen": ("LISTEN_TCP", string("localhost") + u32(0), FORWARD),
    "listen-unix": ("LISTEN_UNIX", string("/tmp/x/y/z"), FORWARD),
    "agent": ("LISTEN_AGENT", b"", FORWARD),
}


@pytest.mark.parametrize("perms", (0, SHELL, EXEC, FILES, FILES_RO, FORWARD))
def test_the_mask(perms):
    with Mux(perms=perms) as m:
        for what, (name, payload, needs) in OPENERS.items():
            channel = m.open(name, payload)
            m.until(lambda c=channel: m.frames[c], what)
            got, answer = m.frames[channel].popleft()
            forbidden = got == "FAILED" and WHYS[Reader(answer).u32() - 1] == "FORBIDDEN"
            assert forbidden == (not perms & needs), what
        m.end()  # and is not killed, which would leave the agent's socket on this machine


def test_the_outside_is_reached_by_items_alone(here):
    own = run("hostname", "-I").stdout.decode().split()
    if own:
        assert here.why("OPEN_TCP", string(own[0]) + u32(1)) == "REFUSED"
    assert here.why("OPEN_TCP", string("::ffff:127.0.0.1") + u32(1)) == "REFUSED"
    for outside in ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"):
        assert here.why("OPEN_TCP", string(outside) + u32(80)) == "FORBIDDEN"
    with Mux(perms=1 << 7, items="localhost:1 [::1]:2 127.0.0.1:*") as m:
        assert m.why("OPEN_TCP", string("LocalHost") + u32(1)) == "REFUSED"
        assert m.why("OPEN_TCP", string("127.0.0.1") + u32(3)) == "REFUSED"
        assert m.why("OPEN_TCP", string("::1") + u32(2)) == "REFUSED"
        assert m.why("OPEN_TCP", string("::1") + u32(3)) == "FORBIDDEN"
        assert m.why("LISTEN_TCP", string("localhost") + u32(0)) == "FORBIDDEN"


# ---- many at once ----------------------------------------------------------

def test_two_hundred_channels_at_once(here):
    with Echo() as echo:
        channels = [here.tcp(echo.port) for _ in range(150)] + [here.exec("cat")[0] for _ in range(50)]
        for n, channel in enumerate(channels):
            here.data(channel, b"%06d" % n * 100)
        for n, channel in enumerate(channels):
            assert here.read(channel, 600) == b"%06d" % n * 100
        for channel in channels:
            here.send(channel, "CLOSE")
        for channel in channels:
            here.wait(channel, "CLOSE")
    assert here.run("echo all")[0] == b"all\n"


def test_stalled_channels_hold_up_nobody(here):
    """Two are full to the brim, one each way, while a third moves 32 MiB each way."""
    unread, _ = here.exec("exec yes")
    here.stalled.add(unread)
    here.until(lambda: here.owed[unread] == WINDOW, "a full window")
    deaf, _ = here.exec("exec sleep 1000")
    here.data(deaf, bytes(WINDOW))
    busy, _ = here.exec("exec cat")
    block = os.urandom(1 << 20)
    for _ in range(32):
        here.data(busy, block)
        got = b""
        while len(got) < len(block):
            got += here.wait(busy, "DATA")
        assert got == block
    assert here.owed[unread] == WINDOW and not here.room[deaf]
    here.send(busy, "EOF")
    assert here.finish(busy)[2:] == (0, 0)


def test_who_closes_its_input_is_not_waited_for(here):
    channel, _ = here.exec("exec <&-; echo closed; exec sleep 1000")
    here.expect(channel, b"closed")
    here.data(channel, bytes(4 * WINDOW))
    here.send(channel, "SIGNAL", string("KILL"))
    assert here.finish(channel)[2] == signal.SIGKILL


def measure(here):
    status = pathlib.Path(f"/proc/{here.proc.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]), len(os.listdir(f"/proc/{here.proc.pid}/fd"))


def test_ten_thousand_connections_do_not_add_up(here):
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        port = server.getsockname()[1]

        def once():
            channel = here.tcp(port)
            peer, _ = server.accept()
            peer.close()
            here.wait(channel, "EOF")
            here.send(channel, "CLOSE")
            here.wait(channel, "CLOSE")
            del here.frames[channel]

        for _ in range(500):
            once()
        before = measure(here)
        for _ in range(9500 if not SANITIZED else 500):
            once()
        memory, fds = measure(here)
        assert fds == before[1] and (SANITIZED or memory <= before[0] + 64)


def test_more_channels_than_there_may_be(here):
    soft, hard = resource.prlimit(here.proc.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(here.proc.pid, resource.RLIMIT_NOFILE, (64, hard))
    with Echo() as echo:
        whys = collections.Counter()
        for channel in [here.open("OPEN_TCP", string("127.0.0.1") + u32(echo.port)) for _ in range(1500)]:
            here.until(lambda c=channel: here.frames[c], "an answer")
            name, payload = here.frames[channel].popleft()
            whys[WHYS[Reader(payload).u32() - 1] if name == "FAILED" else name] += 1
            if name == "OPENED":
                last = channel
        assert set(whys) == {"OPENED", "RESOURCES"} and whys["OPENED"] >= 20
        here.send(last, "CLOSE")
        here.wait(last, "CLOSE")
    assert here.why("OPEN_UNIX", string("/none")) == "NO_FILE"


# ---- who breaks the rules --------------------------------------------------

EXEC_1 = frame(1, "OPEN_EXEC", Mux.exec_payload("exec sleep 1000"))
BAD = {
    "no-such-type": u32(1, 99 << 24),
    "of-the-helper": frame(1, "EXIT", u32(0, 0, 0)),
    "too-long": u32(1, TYPES["DATA"] << 24 | 65537),
    "cut-string": frame(1, "OPEN_TCP", u32(5) + b"ab"),
    "bytes-left-over": frame(1, "OPEN_SFTP", u32(0, 0)),
    "on-channel-0": frame(0, "EOF"),
    "second-hello": frame(0, "HELLO", u32(1, ALL) + string("") + string("")),
    "id-of-the-helpers": frame(TOP | 1, "OPEN_TCP", string("localhost") + u32(1)),
    "id-in-use": EXEC_1 + EXEC_1,
    "unknown-channel": frame(7, "DATA", b"x"),
    "data-after-eof": EXEC_1 + frame(1, "EOF") + frame(1, "DATA", b"x"),
    "two-eofs": EXEC_1 + frame(1, "EOF") + frame(1, "EOF"),
    "two-closes": EXEC_1 + frame(1, "CLOSE") + frame(1, "CLOSE"),
    "empty-data": EXEC_1 + frame(1, "DATA"),
    "over-the-window": EXEC_1 + frame(1, "DATA", bytes(65536)) * 8 + frame(1, "DATA", b"x"),
    "window-over-its-bound": EXEC_1 + frame(1, "WINDOW", u32(1 << 30)),
    "data-for-a-listener": frame(1, "LISTEN_TCP", string("localhost") + u32(0)) + frame(1, "DATA", b"x"),
    "resize-of-a-socket": frame(1, "LISTEN_AGENT") + frame(1, "RESIZE", u32(80, 24)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_frames_end_the_stream(here, name):
    def agents():
        return set(pathlib.Path("/tmp").glob(f"jumpbox-agent.*/agent.{here.proc.pid}"))
    before = agents()  # of one that was killed, and had that number
    here.out += BAD[name]
    assert here.is_ended() == 65
    assert agents() == before


@pytest.mark.parametrize("first", (frame(1, "LISTEN_AGENT"), frame(0, "HELLO", u32(2, ALL) + string("") + string("")),
                                   b"GET / HTTP/1.1\r\n\r\n"), ids=("no-hello", "version", "http"))
def test_the_first_frame_is_the_mask(first):
    with Mux(hello=False) as m:
        m.out += first
        assert m.is_ended() == 65


def test_answers_that_nobody_takes_do_not_pile_up(here):
    """A session that asks and never reads is not read from any more, and memory stays where it is."""
    asked = frame(9, "OPEN_UNIX", string(""))
    asked *= 65536 // len(asked)
    here.out += asked * 60
    silent = time.monotonic()
    while time.monotonic() < silent + 1:
        n = select.select([], [here.fds[0]], [], 0.1)[1] and os.write(here.fds[0], here.out[:65536])
        if n:
            del here.out[:n]
            silent = time.monotonic()
    assert here.out and measure(here)[0] < (20 if not SANITIZED else 400) * 1024
    here.until(lambda: not here.out, "an end of the questions", 30)
    assert here.run("echo goes on")[0] == b"goes on\n"
