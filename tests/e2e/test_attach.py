"""Into a container: terminal size, environment, exit status, streams, on every engine."""

import base64
import hashlib
import os
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pexpect
import pytest

from lab import ROADS, SLOW, channel_request, ended, live_terminal, read_all, run, wait_for
from test_broker import stopped
from test_session import session_at

MENU = rb"quit\)[^:]*: "
STREAMS = (*ROADS, "tls-bare", "podman-bare")  # where it matters whose a bare stream is
ENGINES = ("docker", "tls", "podman")  # where the road does not matter


@pytest.fixture(scope="session", params=ROADS)
def site(request, lab):
    """With a sleeper, looked at by the last test: 65 seconds pass while the others run."""
    site = lab.road(request.param)
    site.sleeper = Sleeper(site)
    yield site
    site.stop()


class Sleeper(threading.Thread):
    """`sleep 65; exit 3` with its input at the end, and how long it took."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.argv = host.ssh_argv("alice+bb", "sleep 65; exit 3", options=("-n",))
        self.result = self.seconds = None
        self.start()

    def run(self):
        began = time.monotonic()
        self.result = run(*self.argv, check=False, timeout=120)  # times SLOW
        self.seconds = time.monotonic() - began


def ends(t):
    """Everything that a terminal still shows, and its exit status."""
    t.expect(pexpect.EOF)
    return t.before, t.wait()  # close() would hang up on a client that is still leaving


def often(site, n):
    """So often does a race in an engine have its chance; by a helper, which has none, it is a few times."""
    return n // 5 if site.helper else n


def often_sized(site, n):
    """The same; Podman takes the first size with the start."""
    return n // 5 if site.engine.kind == "podman" else often(site, n)


def test_first_size_is_right_every_time(site):
    wrong = []
    for i in range(often_sized(site, 50)):
        rows, cols = 20 + i, 70 + 2 * i
        t = site.terminal("alice+" + ("bb", "deb")[i % 2], "stty size", rows=rows, cols=cols)
        t.expect(pexpect.EOF)
        t.close()
        if t.before.split() != [str(rows).encode(), str(cols).encode()]:
            wrong.append((i, t.before))
    assert not wrong


def test_first_size_in_a_login_shell_every_time(site):
    wrong = []
    for i in range(often_sized(site, 40)):
        rows, cols = 33 + i, 101 + i
        t = site.terminal("alice+" + ("bb", "deb")[i % 2], rows=rows, cols=cols)
        t.sendline("stty size; exit")
        out, _ = ends(t)
        if re.findall(rb"[\r\n](\d+ \d+)\r\n", out) != [b"%d %d" % (rows, cols)]:
            wrong.append((rows, cols, out))
    assert not wrong


def test_resize_reaches_the_container(site):
    t = site.terminal("alice+bb", rows=30, cols=90)
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    for rows, cols in ((40, 100), (25, 81), (50, 132)):
        t.setwinsize(rows, cols)

        def arrived():
            t.sendline("stty size; echo en''d")
            t.expect(b"end\r\n")
            return f"{rows} {cols}".encode() in t.before
        wait_for(arrived, 5, "the new size")
    t.sendline("exit")
    t.expect(pexpect.EOF)


def shown(ch, pattern, seconds=20):
    """Reads a paramiko channel until the pattern has come; what has come."""
    ch.settimeout(seconds * SLOW)
    got = b""
    while not re.search(pattern, got):
        chunk = ch.recv(65536)
        assert chunk, got
        got += chunk
    return got


@pytest.mark.parametrize("connecting", (0, 10))
def test_fifty_resizes_in_the_menu_then_the_first_size_is_the_last(site, connecting):
    """None is lost on the way, as a terminal's signals can be: each is a request of its own."""
    t = site.transport("alice")
    ch = t.open_session()
    ch.get_pty("dumb", 80, 24)
    ch.invoke_shell()
    shown(ch, MENU)
    for i in range(50):
        ch.resize_pty(81 + i, 25 + i)
    ch.resize_pty(97, 31)
    with stopped(session_at(site, t.sock)):  # all of these are there before anything comes of the first
        ch.sendall(b"bb\r")
        for i in range(connecting):
            ch.resize_pty(120 + i, 40 + i)
    size = b"%d %d" % ((40 + connecting - 1, 120 + connecting - 1) if connecting else (31, 97))
    ch.sendall(b"stty size; exit\r")
    got = shown(ch, MENU)
    assert re.findall(rb"[\r\n](\d+ \d+)\r\n", got) == [size], got
    ch.sendall(b"q\r")
    read_all(ch)
    t.close()


@pytest.mark.parametrize("code", (0, 1, 42, 126, 127, 255))
@pytest.mark.parametrize("container", ("bb", "deb"))
def test_exit_status(site, container, code):
    # A word from inside and silence on stderr: 255 is also what ssh says of itself.
    r = site.ssh(f"alice+{container}", f"echo in; exit {code}")
    assert (r.returncode, r.stdout, r.stderr) == (code, b"in\n", b"")
    assert ends(site.terminal(f"alice+{container}", f"echo in; exit {code}")) == (b"in\r\n", code)
    t = site.terminal(f"alice+{container}")
    t.sendline(f"echo i''n; exit {code}")
    t.expect(b"in\r\n")
    assert ends(t)[1] == code


@pytest.mark.parametrize("name", ("KILL", "TERM", "SEGV"))
@pytest.mark.parametrize("container", ("bb", "deb"))
def test_death_by_signal(site, container, name):
    """An engine says 128 and the signal; a helper that it was one, upon which OpenSSH's client exits with 255."""
    code = 255 if site.helper else 128 + getattr(signal, f"SIG{name}")
    r = site.ssh(f"alice+{container}", f"echo in; kill -{name} $$")
    assert (r.returncode, r.stdout, r.stderr) == (code, b"in\n", b"")
    assert ends(site.terminal(f"alice+{container}", f"echo in; kill -{name} $$")) == (b"in\r\n", code)
    t = live_terminal(site, f"alice+{container}")
    t.sendline(f"exec sh -c 'kill -{name} $$'")  # an interactive shell itself ignores some
    assert ends(t)[1] == code


def test_stdout_and_stderr_are_apart(site):
    r = site.ssh("alice+deb", "echo out; echo err >&2; printf 'o\\0o'; printf 'e\\377e' >&2")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"out\no\0o", b"err\ne\xffe")


@pytest.mark.parametrize("site", STREAMS, indirect=True)
def test_100_mib_of_random_bytes_through_cat(site):
    data = os.urandom(100 << 20)
    source, copy = site.dir / "random", site.dir / "copy"
    source.write_bytes(data)
    with open(source, "rb") as f, open(copy, "wb") as out:
        p = site.popen("alice+bb", "cat", stdin=f, stdout=out, stderr=subprocess.PIPE)
        _, err = p.communicate(timeout=200 * SLOW)
    assert (p.returncode, err) == (0, b"")
    assert hashlib.sha256(copy.read_bytes()).digest() == hashlib.sha256(data).digest()
    source.unlink()
    copy.unlink()


def test_interleaved_output_and_errors_are_whole(site):
    """Both in turn, in pieces around the sizes of pipes, frames and packets, and runs of one of them."""
    sizes = (1, 32758, 32759, 32768, 32769, 7, 4095, 40001, 4097, 65535, 2, 36863)
    turns = [("oeooeee"[i % 7], sizes[i % 12]) for i in range(420)]
    whole = {k: os.urandom(sum(n for stream, n in turns if stream == k)) for k in "oe"}
    for k, data in whole.items():
        site.ssh("alice+deb", f"cat >/tmp/mix-{k}", input=data, check=True)
    script = ["exec 3</tmp/mix-o 4</tmp/mix-e 5>&2 2>/dev/null"]  # dd has words of its own
    script += [f"dd bs={n} count=1 {dict(o='<&3', e='<&4 >&5')[k]}" for k, n in turns]
    r = site.ssh("alice+deb", "sh", input="\n".join(script).encode() + b"\nexit 6\n")
    assert r.returncode == 6
    assert (len(r.stdout), len(r.stderr)) == (len(whole["o"]), len(whole["e"]))
    assert r.stdout == whole["o"] and r.stderr == whole["e"]


def test_every_byte_value_and_nothing_at_all(site):
    every = bytes(range(256)) * 16
    assert site.ssh("alice+deb", "cat", input=every).stdout == every
    assert site.ssh("alice+deb", "cat", input=b"").stdout == b""


@pytest.mark.parametrize("site", STREAMS, indirect=True)
def test_half_close_in_both_directions(site):
    # The client's end of file reaches the command, whose output comes after it.
    r = site.ssh("alice+bb", "cat >/dev/null; echo after; exit 5", input=b"x" * 100000)
    assert (r.returncode, r.stdout) == (5, b"after\n")
    # The command closes its output and goes on reading.
    r = site.ssh("alice+deb", "exec >&- 2>&-; wc -c >/tmp/half; exit 6", input=b"y" * 300000)
    assert r.returncode == 6
    assert site.ssh("alice+deb", "cat /tmp/half").stdout.strip() == b"300000"


def test_a_terminal_outlives_the_end_of_its_input(site):
    """It cannot be half-closed: an engine would drop all that the command says afterwards."""
    t = site.transport("alice+bb")
    ch = t.open_session()
    ch.get_pty()
    ch.exec_command("rm -f /tmp/go; echo on; until [ -e /tmp/go ]; do sleep 0.1; done; echo after; exit 5")
    shown(ch, rb"on\r\n$")
    ch.shutdown_write()
    other = t.open_session()
    other.exec_command("touch /tmp/go")
    assert other.recv_exit_status() == 0
    assert read_all(ch) == b"after\r\n" and ch.recv_exit_status() == 5
    t.close()


def test_a_command_of_120000_bytes(site):
    word = "it's \"quoted\" \\ ü\n"
    body = word * (120000 // len(word.encode()))
    command = "cat <<'J_END'\n" + body + "J_END\n"
    r = site.ssh("alice+deb", command)
    assert r.stdout.decode() == body


def test_a_bootstrap_of_12_kib_in_one_string_is_over_when_its_daemon_is_not(site):
    """As open-remote-ssh sends it: it waits for the close of the channel, and finds the daemon by a later one."""
    script = "nohup sleep 31337 >/dev/null 2>&1 </dev/null &\necho listeningOn=$!=\n"
    script = "".join(f"# {i:61}\n" for i in range(9216 // 64)) + script
    command = f"echo {base64.b64encode(script.encode()).decode()} | base64 -d | bash -l"
    assert 12 << 10 < len(command) < 13 << 10
    t = site.transport("alice+deb")
    ch = t.open_session()
    ch.exec_command(command)
    daemon = re.fullmatch(rb"listeningOn=(\d+)=\n", read_all(ch)).group(1).decode()
    wait_for(lambda: ch.closed, 10, "the close")
    assert ch.recv_exit_status() == 0
    t.close()
    assert site.ssh("alice+deb", f"kill {daemon} && echo found").stdout == b"found\n"


def test_a_dialogue_of_500_turns_with_a_shell_that_has_no_terminal(site):
    """As VS Code holds it: a byte that is not the shell's, on either output, would end it."""
    p = site.popen("alice+deb", options=("-T",), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def turn(line):
        p.stdin.write(line + b"\n")
        p.stdin.flush()
        return p.stdout.readline()
    assert turn(b"echo ready: 4711") == b"ready: 4711\n"
    assert turn(b"uname -s; echo $SHELL") == b"Linux\n" and p.stdout.readline() == b"/bin/bash\n"
    p.stdin.write(b"bash\n")
    for i in range(500):
        assert turn(b"echo %d" % i) == b"%d\n" % i
    out, err = p.communicate(b"exit 3\n", timeout=20 * SLOW)
    assert (p.returncode, out, err) == (3, b"", b"")


def test_a_command_of_131072_bytes(site):
    """The most that there is, and more than one argument of a Linux program may have."""
    head, word, tail = b"cat <<'J_END'\n", "it's \"quoted\" \\ \u00fc\n".encode(), b"\nJ_END\n"
    room = 131072 - len(head + tail)
    body = (word * (room // len(word))).ljust(room, b"x")
    command = head + body + tail
    t = site.transport("alice+deb")
    ch = t.open_session()
    ch.exec_command(command)
    assert read_all(ch) == body + b"\n"
    assert ch.recv_exit_status() == 0
    ch = t.open_session()
    with pytest.raises(paramiko.SSHException):
        ch.exec_command(command + b"\n")
    t.close()


def test_input_sent_before_the_attach_is_kept(site):
    """Behind the request at once, and the end behind that: no answer has been waited for."""
    t = site.transport("alice+bb")
    data = b"early\n" * 5000
    for _ in range(5):
        ch = t.open_session()
        channel_request(ch, "exec", "cat; exit 9")
        ch.sendall(data)
        ch.shutdown_write()
        assert read_all(ch) == data
        assert ch.recv_exit_status() == 9
    ch = t.open_session()
    channel_request(ch, "pty-req", "xterm", 99, 44, 0, 0, b"")
    channel_request(ch, "shell")
    ch.sendall(b"echo ear''ly; stty size; exit 9\r")
    got = read_all(ch)
    assert b"early\r\n44 99\r\n" in got and ch.recv_exit_status() == 9
    t.close()


def test_ctrl_p_and_ctrl_q_arrive_at_once(site):
    t = site.terminal("alice+bb", "stty raw -echo; echo go; dd bs=1 count=1 2>/dev/null | od -An -tx1; "
                                  "dd bs=1 count=1 2>/dev/null | od -An -tx1")
    t.expect(b"go")
    t.send(b"\x10")
    t.expect(b"10", timeout=5 * SLOW)
    t.send(b"\x11")
    t.expect(b"11", timeout=5 * SLOW)
    t.expect(pexpect.EOF)


def test_environment(site):
    r = site.ssh("alice+deb", "env", options=("-o", "SetEnv=LC_TEST=one GIT_PROTOCOL=version=2 "
                                              "COLORTERM=truecolor LANG=C.UTF-8 LD_PRELOAD=/evil.so"))
    env = dict(line.split("=", 1) for line in r.stdout.decode().splitlines() if "=" in line)
    assert env["LC_TEST"] == "one" and env["GIT_PROTOCOL"] == "version=2"
    assert env["COLORTERM"] == "truecolor" and env["LANG"] == "C.UTF-8"
    assert "LD_PRELOAD" not in env
    assert re.fullmatch(rf"127\.0\.0\.1 \d+ 127\.0\.0\.1 {site.port}", env["SSH_CONNECTION"])
    assert re.fullmatch(rf"127\.0\.0\.1 \d+ {site.port}", env["SSH_CLIENT"])
    assert env["HOME"] == "/root" and env["SHELL"] == "/bin/bash"
    assert "SSH_TTY" not in env
    t = site.terminal("alice+bb", "echo T=$TERM, S=$SSH_TTY, $(tty)", term="xterm-256color")
    t.expect(rb"T=xterm-256color, S=(/dev/pts/\d+), (/dev/pts/\d+)\r\n")
    t.expect(pexpect.EOF)


def test_the_users_own_login_shell(site):
    t = site.terminal("alice+deb")
    t.sendline("echo $0 $BASH_VERSION; exit")
    t.expect(rb"bash 5\.")
    t.expect(pexpect.EOF)
    r = site.ssh("alice+bb", input=b"echo in a login shell: $0; exit 4\n")
    assert r.returncode == 4 and r.stdout.startswith(b"in a login shell")


def test_run_as(site):
    site.user("carol")
    site.ctl("grant", "add", "carol", "deb", "--as", "app")
    assert site.ssh("carol+deb", "id -un; echo $HOME; echo $USER").stdout == b"app\n/home/app\napp\n"


def test_the_containers_own_user_and_directory(site):
    site.engine.container("mine", "debian", "--user", "app", "--workdir", "/var", "--env", "OWN=kept")
    told = "id -un; pwd; echo $OWN $USER $HOME"
    assert site.ssh("alice+mine", told).stdout == b"app\n/var\nkept app /home/app\n"
    t = site.terminal("alice+mine")
    t.sendline(told + "; exit")
    t.expect(rb"app\r\n/var\r\nkept app /home/app\r\n")
    t.expect(pexpect.EOF)
    site.ctl("grant", "add", "root1", "mine", "--as", "root")
    assert site.ssh("root1+mine", told).stdout == b"root\n/var\nkept root /root\n"
    site.engine.remove("mine")


def test_where_no_directory_is_named_it_begins_at_home(site):
    site.engine.container("mine", "debian", "--user", "app")
    assert site.ssh("alice+mine", "pwd").stdout == b"/home/app\n"
    t = site.terminal("alice+mine")
    t.sendline("pwd; exit")
    t.expect(rb"/home/app\r\n")
    t.expect(pexpect.EOF)
    site.engine.exec("mine", "rm", "-r", "/home/app", user="root")
    r = site.ssh("alice+mine", "pwd")
    assert (r.returncode, r.stdout, r.stderr) == (0, b"/\n", b"")
    site.engine.remove("mine")


def test_an_image_without_a_shell_gets_one_clear_sentence(site):
    r = site.ssh("alice+bare", "ls")
    assert r.returncode == 69 and r.stdout == b""
    assert r.stderr.count(b"\n") == 1 and b"shell" in r.stderr
    assert b"OCI" not in r.stderr and b"runc" not in r.stderr and b"exec:" not in r.stderr
    t = site.terminal("alice+bare")
    assert ended(t) == 69 and b"shell" in t.before and b"OCI" not in t.before


@pytest.mark.parametrize("site", ("docker", "podman"), indirect=True)
def test_a_command_whose_output_nobody_reads_any_more_is_told(site):
    """`ssh HOST yes | head -1`: the writer gets its SIGPIPE, and what comes after it goes on."""
    with site.popen("alice+deb", "yes; exit $?", stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == b"y\n"
        p.stdout.close()
        assert p.wait(20 * SLOW) == 141


# Bytes that are taken off a process that nobody reads from, so that it can end: [no terminal, terminal]. By a helper
# a window and what is in the pipe, which then has to wait there. A terminal wakes its writer only when no more than 128
# bytes are left in it, so that one which still had more to write might never end.
HELD = {"docker": (1200 << 10, 700 << 10), "tls": (1400 << 10, 1400 << 10), "podman": (200 << 10, 200 << 10),
        "helper": (560 << 10, (512 << 10) + 100)}


class SlowReader:
    """A file of that many bytes, of which nobody takes more than one window of 32 KiB, until all()."""

    def __init__(self, site, size, tty):
        self.t = site.transport("alice+deb")
        self.ch = self.t.open_session(window_size=32768)
        if tty:
            self.ch.get_pty()
        self.ch.exec_command(("stty raw -echo; " if tty else "") + f"cat /tmp/slow.{size}; exit 3")
        wait_for(self.ch.recv_ready, 20, "the first bytes")

    def all(self):
        out = read_all(self.ch)
        status = self.ch.recv_exit_status()
        self.t.close()
        return out, status


@pytest.mark.parametrize("tty", (False, True), ids=("", "tty"))
@pytest.mark.parametrize("site", STREAMS, indirect=True)
def test_a_slow_reader_at_the_end_loses_nothing(site, tty):
    """The process is gone for 6 s before the reader goes on: the engine would keep the rest for 2 s."""
    total, held = 1400 << 10, HELD["helper" if site.helper else site.engine.kind][tty]
    data = os.urandom(total)
    for size in {held, total}:
        site.ssh("alice+deb", f"cat >/tmp/slow.{size}", input=data[:size], check=True)
    n = often(site, 20)
    readers = [SlowReader(site, total, tty) for _ in range(n)]
    if held < total:  # else some of those may wait for their reader themselves
        readers += [SlowReader(site, held, tty) for _ in range(n)]

    def gone():
        return not [c for _, _, c in site.engine.processes("deb") if f"/tmp/slow.{held}" in c]
    wait_for(gone, 30, "the processes to end, unread")
    pause = time.monotonic() + 6  # what is tested
    wait_for(lambda: time.monotonic() > pause, 7)
    got = [r.all() for r in readers]
    assert [(len(out), status) for out, status in got] == [(total, 3)] * n + [(held, 3)] * (len(got) - n)
    assert all(hashlib.sha256(out).digest() == hashlib.sha256(data[:len(out)]).digest() for out, _ in got)


def left_in(engine, name, detached):
    """What runs in a container beside its own first command and what was detached."""
    return [c for _, _, c in engine.processes(name) if not c.endswith("sleep 1000000") and not c.startswith(detached)]


def seconds_of_execs(engine, names, n):
    """How long that many take when they are asked of the engine by its own client, by a quarter of them."""
    began = time.monotonic()
    with ThreadPoolExecutor(n // 4) as pool:
        list(pool.map(lambda i: engine.exec(names[i % len(names)], "true"), range(n // 4)))
    return 4 * (time.monotonic() - began)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("site", STREAMS, indirect=True)
def test_dropped_clients_leave_nothing_behind(site):
    engine = site.engine
    detach = {"drop-deb": "nohup sleep {} >/dev/null 2>&1 &", "drop-bb": "(trap '' HUP; exec sleep {}) &"}
    for name, image in (("drop-deb", "debian"), ("drop-bb", "busybox")):  # busybox has no nohup here
        engine.container(name, image)
    shells = []
    # An engine starts and ends some 20 a second, Podman a few.
    many, batch = (20, 4) if engine.kind == "podman" else (often(site, 100), 10)
    for first in range(0, many, batch):
        some = [(name, site.terminal(f"alice+{name}", timeout=60)) for name in detach for _ in range(batch // 2)]
        for i, (name, t) in enumerate(some):
            t.sendline(detach[name].format(5000 + first + i) + " echo st''arted")
        for _, t in some:
            t.expect(b"started\r\n")
        shells += [t for _, t in some]
    commands = []

    def running():
        return sum(c.startswith("sleep 70") for name in detach for _, _, c in engine.processes(name))
    for first in range(0, 20, 5):
        commands += [site.popen(f"alice+{('drop-deb', 'drop-bb')[i % 2]}", f"sleep {7000 + first + i}",
                                stdin=subprocess.DEVNULL) for i in range(5)]
        wait_for(lambda: running() == len(commands), 60, "the commands to run")
    # Where there is no helper each end is an exec: on a slow machine the engine needs longer than that for so many.
    own = seconds_of_execs(engine, list(detach), many + len(commands))
    limit = max(10 * SLOW, 3 * own)
    began = time.monotonic()
    for t in shells:
        os.kill(t.pid, signal.SIGKILL)
    for p in commands:
        p.kill()
    left = None
    while left != [] and time.monotonic() - began < limit:
        left = [c for name in detach for c in left_in(engine, name, "sleep 50")]
    assert left == [], f"after {time.monotonic() - began:.1f} s of {limit:.1f}"
    alive = {c for name in detach for _, _, c in engine.processes(name) if c.startswith("sleep 50")}
    assert len(alive) == many
    for t in shells:
        t.ptyproc.delayafterclose = 0
        t.close(force=True)
    for p in commands:
        p.wait(10 * SLOW)
    for name in detach:
        engine.remove(name)


def test_a_killed_broker_leaves_nothing_behind(site, lab):
    host = lab.site(site.engine).start()
    host.may_crash = True
    site.engine.container("orphan", "debian")
    t = live_terminal(host, "alice+orphan")
    t.sendline("nohup sleep 5555 >/dev/null 2>&1 & echo st''arted")
    t.expect(b"started\r\n")
    p = host.popen("alice+orphan", "sleep 7777", stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: "sleep 7777" in left_in(site.engine, "orphan", "sleep 5555"), 20, "the command")
    for session in host.live(2):
        os.kill(session["pid"], signal.SIGKILL)
    t.expect(pexpect.EOF, timeout=10 * SLOW)
    p.wait(10 * SLOW)
    wait_for(lambda: not left_in(site.engine, "orphan", "sleep 5555"), 10, "the shell and the command to be ended")
    assert "sleep 5555" in [c for _, _, c in site.engine.processes("orphan")]
    wait_for(lambda: not host.ctl_json("session", "list"), 15, "their rows to be closed")
    # A Podman that is busy says nothing of this container for up to a minute: it tidies up after what was killed.
    wait_for(lambda: host.ssh("alice+orphan", "true").returncode == 0, 100, "the container to be reached")
    host.stop()
    site.engine.remove("orphan")


def test_signals_reach_the_command(site):
    """An SSH signal request, which OpenSSH's client cannot send: paramiko's channel can."""
    t = site.transport("alice+bb")
    ch = t.open_session()
    ch.exec_command("trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.1; done")
    assert ch.recv(100) == b"ready\n"
    channel_request(ch, "signal", "USR1")
    assert ch.recv(100) == b"caught\n"
    assert ch.recv_exit_status() == 7
    t.close()


@pytest.mark.parametrize("site", ENGINES, indirect=True)
def test_container_states(site):
    e = site.engine
    e.container("state", "busybox")
    assert site.ssh("alice+state", "true").returncode == 0
    e.cli("pause", "state")
    r = site.ssh("alice+state", "true")
    assert r.returncode == 69 and b"paused" in r.stderr and r.stderr.count(b"\n") == 1
    e.cli("unpause", "state")
    e.cli("stop", "--time", "0", "state")
    r = site.ssh("alice+state", "true")
    assert r.returncode == 69 and b"not running" in r.stderr and r.stderr.count(b"\n") == 1
    e.remove("state")

    def gone():
        return site.ssh("alice+state", "true").returncode == 66
    wait_for(gone, 5, "the removed container to be unknown")


# Podman has no such state: a container that it restarts has exited or runs.
@pytest.mark.parametrize("site", ("docker", "tls"), indirect=True)
def test_a_restarting_container(site):
    e = site.engine
    e.container("again", "busybox", "--restart", "always", command=("false",))

    def restarting():  # for seconds: the engine waits twice as long each time
        out = e.cli("inspect", "--format", "{{.State.Restarting}} {{.RestartCount}}", "again").stdout.split()
        return out[0] == b"true" and int(out[1]) >= 6
    wait_for(restarting, 60, "a long wait between two starts")
    r = site.ssh("alice+again", "true")
    assert r.returncode == 69 and r.stdout == b""
    assert r.stderr.count(b"\n") == 1 and b"restarting" in r.stderr and b"again" in r.stderr
    e.remove("again")


@pytest.mark.parametrize("site", ENGINES, indirect=True)
def test_a_container_made_anew_is_reached_at_once(site):
    for _ in range(5):  # its older row may still be in the inventory
        site.engine.container("anew", "busybox")
        r = site.ssh("alice+anew", "echo in")
        assert (r.returncode, r.stdout) == (0, b"in\n"), r.stderr
    site.engine.remove("anew")


@pytest.mark.parametrize("site", STREAMS, indirect=True)
@pytest.mark.parametrize("what", ("stop", "restart", "rm"))
def test_container_ends_under_a_live_session(site, what):
    e = site.engine
    e.container("live", "busybox")
    t = live_terminal(site, "alice+live")
    menu = site.terminal("alice", term="dumb")
    menu.expect(MENU)
    menu.sendline("live")
    menu.sendline("echo rea''dy")
    menu.expect(b"ready\r\n")
    p = site.popen("alice+live", "sleep 1000", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: any("sleep 1000" == c for _, _, c in e.processes("live")), 20, "the command")
    e.cli(*{"stop": ("stop", "--time", "1"), "restart": ("restart", "--time", "1"),
            "rm": ("rm", "--force")}[what], "live")
    out, code = ends(t)
    assert code == 137 and b"broke off" not in out and b"not known" not in out
    _, err = p.communicate(timeout=30 * SLOW)
    assert (p.returncode, err) == (137, b"")
    menu.expect(rb"live: ended with exit code 137\r\n")
    menu.expect(MENU)
    if what == "restart":
        menu.sendline("live")
        menu.sendline("echo ba''ck; exit")
        menu.expect(b"back\r\n")
    else:
        menu.sendline("live")
        menu.expect({"stop": rb"not running[^\n]*\n", "rm": rb"live[^\n]*\n"}[what])
    menu.expect(MENU)
    menu.sendline("q")
    assert ends(menu)[1] == 0
    e.remove("live")


def test_a_paused_container_goes_on_after_unpause(site):
    e = site.engine
    e.container("pausing", "busybox")
    t = live_terminal(site, "alice+pausing")
    t.sendline("while :; do echo ti''ck; sleep 0.05; done &")
    for _ in range(5):
        t.expect(b"tick\r\n")
    e.cli("pause", "pausing")
    something = [pexpect.TIMEOUT, rb"(?s).+"]
    wait_for(lambda: t.expect(something, timeout=1) == 0, 10, "what was on its way to arrive")
    t.sendline("kill $!; echo ag''ain; exit 3")
    assert t.expect(something, timeout=1) == 0, t.after
    e.cli("unpause", "pausing")
    t.expect(b"again\r\n")
    assert ends(t)[1] == 3
    e.remove("pausing")


def test_exit_status_after_65_s_with_stdin_at_eof(site):
    site.sleeper.join(120 * SLOW)
    r = site.sleeper.result
    assert (r.returncode, r.stdout, r.stderr) == (3, b"", b"")
    assert 65 <= site.sleeper.seconds < 65 + 15 * SLOW
