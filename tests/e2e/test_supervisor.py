"""jumpboxd itself: options, errors, limits, zygotes, signals, readiness.  No engine needed."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import PREFIX, SLOW, JumpHost, free_port, run, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
JUMPBOXD = PREFIX / "sbin/jumpboxd"


@pytest.fixture
def place():
    """A directory that the service user can reach."""
    d = pathlib.Path(tempfile.mkdtemp(prefix="jumpbox-supervisor-", dir="/tmp"))
    os.chmod(d, 0o755)
    yield d
    shutil.rmtree(d, ignore_errors=True)


@pytest.fixture
def make(place):
    """Makes jump hosts, and stops them and what they left."""
    made = []

    def one(start=True, popen=None, **config):
        at = place / f"host{len(made)}"
        # Not the default's RSA key as well, which takes half a second to make.
        host = JumpHost(at, **{"host_key": at / "state/ssh_host_ed25519_key", **config})
        made.append(host)
        return host.start(**(popen or {})) if start else host

    yield one
    for host in made:
        host.stop()


def fails(host, *args, timeout=30):
    """Starts it in the foreground, where it must not stay; (exit code, its one line)."""
    r = run(JUMPBOXD, "-D", "-f", host.conf, *args, check=False, timeout=timeout)
    line = r.stderr.decode()
    assert line.count("\n") == 1 and line.endswith("\n"), line
    assert r.stdout == b""
    return r.returncode, line


def connect(host, source=None):
    s = socket.create_connection(("127.0.0.1", host.port), 10 * SLOW, (source, 0) if source else None)
    s.settimeout(20 * SLOW)
    return s


def banner(s):
    """The server's first line; b"" when it closed the connection."""
    line = b""
    while not line.endswith(b"\n"):
        c = s.recv(1)
        if not c:
            return b""
        line += c
    return line


def closed(s):
    """Whether the server has closed it; bytes that it sent before are read."""
    while select.select([s], [], [], 0)[0]:
        try:
            if not s.recv(65536):
                return True
        except ConnectionResetError:
            return True
    return False


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def zygote(host, role):
    """The one whose parent is jumpboxd."""
    def mine(pid):
        with contextlib.suppress(OSError):
            return f"PPid:\t{host.proc.pid}\n" in pathlib.Path(f"/proc/{pid}/status").read_text()
        return False
    found = [p for p in host.processes(role) if mine(p)]
    return found[0] if len(found) == 1 else None


# ---- the command line and the configuration

def test_options(make):
    host = make(start=False)
    r = run(JUMPBOXD, "-h")
    assert b"usage: jumpboxd" in r.stdout
    for bad in (("-x",), ("-f",), ("-t", "word")):
        r = run(JUMPBOXD, *bad, check=False)
        assert r.returncode == 64 and b"usage: jumpboxd" in r.stderr and r.stdout == b""
    r = run(JUMPBOXD, "-t", "-f", host.conf)
    assert r.stdout == r.stderr == b""


def test_effective_configuration_reads_back(make, place):
    host = make(start=False, banner="Two  words", idle_timeout=7, owner_label="none")
    once = run(JUMPBOXD, "-T", "-f", host.conf).stdout
    assert b"banner Two  words\n" in once and f"port {host.port}\n".encode() in once
    (place / "again").write_bytes(once)
    assert run(JUMPBOXD, "-T", "-f", place / "again").stdout == once


@pytest.mark.parametrize("text, line, word", [
    ("port 2026\nno-such-keyword 1\n", 2, "no-such-keyword"),
    ("\n# comment\nport many\n", 3, "port"),
    ("port 0\n", 1, "port"),
    ("listen-address localhost\n", 1, "listen-address"),
    ("log-level loud\n", 1, "log-level"),
    ("database jumpbox.db\n", 1, "database"),
    ("banner\n", 1, "banner"),
    ("password-hash argon2id,m=1,t=1,p=1\n", 1, "password-hash"),
])
def test_bad_configuration(make, text, line, word):
    host = make(start=False)
    host.conf.write_text(text)
    for flags in ((), ("-t",), ("-T",)):
        code, said = fails(host, *flags)
        assert code == 78 and said.startswith(f"{host.conf}:{line}: ") and word in said


def test_missing_configuration(make):
    host = make(start=False)
    host.conf.unlink()
    code, said = fails(host)
    assert code == 78 and str(host.conf) in said


def test_every_keyword_is_documented_and_in_the_sample():
    defaults = run(JUMPBOXD, "-T", "-f", "/dev/null").stdout.decode()
    keywords = {line.split()[0] for line in defaults.splitlines()}
    assert len(keywords) > 20
    page = (TOP / "docs/jumpbox.conf.5").read_text()
    assert keywords == set(re.findall(r"^\.It Cm ([a-z-]+)", page, re.M))
    # The sample's comments, taken for settings, are the defaults.
    sample = (TOP / "etc/jumpbox.conf").read_text()
    settings = re.findall(r"^#([a-z-]+ \S+)$", sample, re.M)
    assert sorted(settings) == sorted(defaults.splitlines())
    assert not re.search(r"^[^#\n]", sample, re.M)


# ---- what keeps it from starting

def test_taken_port(make):
    host = make(start=False)
    with socket.create_server(("127.0.0.1", host.port)):
        code, said = fails(host)
    assert code == 69 and str(host.port) in said and "taken" in said


def test_second_instance(make):
    host = make()
    code, said = fails(host)
    assert code == 69 and str(host.proc.pid) in said and "another jumpboxd" in said
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    assert (host.dir / "run/jumpboxd.pid").read_text() == f"{host.proc.pid}\n"


@pytest.mark.parametrize("what", ("file", "directory"))
def test_unwritable_database(make, what):
    host = make(start=False)
    if what == "file":
        host.database.write_bytes(b"")
        os.chmod(host.database, 0o400)
    else:
        os.chmod(host.state, 0o500)
        if os.geteuid() == 0:
            shutil.chown(host.state, "root", "root")
    code, said = fails(host)
    assert code == 69 and str(host.database if what == "file" else host.state) in said


def test_damaged_host_key(make):
    host = make(start=False)
    key = host.state / "ssh_host_ed25519_key"
    for text in ("", "not a key\n", pathlib.Path(host.key).read_text()[:200]):
        key.write_text(text)
        os.chmod(key, 0o600)
        if os.geteuid() == 0:
            shutil.chown(key, "jumpbox", "jumpbox")
        code, said = fails(host)
        assert code == 78 and str(key) in said
        assert key.read_text() == text  # kept


def test_unreadable_host_key(make):
    host = make(start=False)
    key = host.state / "ssh_host_ed25519_key"
    shutil.copy(host.key, key)
    os.chmod(key, 0)
    if os.geteuid() == 0:
        shutil.chown(key, "root", "root")
    code, said = fails(host)
    assert code == 78 and str(key) in said


def test_missing_run_directory_parent(make):
    host = make(start=False, run_directory="/nonexistent/run")
    code, said = fails(host)
    assert code == 78 and "/nonexistent/run" in said


@pytest.mark.parametrize("content", (None, 16385), ids=("missing", "too large"))
def test_banner_that_is_no_file(make, place, content):
    host = make(start=False, banner=place / "banner")
    if content:
        (place / "banner").write_text("x" * content)
    code, said = fails(host)
    assert code == 78 and "banner" in said and str(place / "banner") in said
    for flag in ("-t", "-T"):
        r = run(JUMPBOXD, flag, "-f", host.conf, check=False)
        assert r.returncode == 78 and r.stderr.startswith(f"banner {place}/banner: ".encode()), r


@pytest.mark.skipif(os.geteuid() != 0, reason="only root uses a jail")
@pytest.mark.parametrize("flaw", ("file", "writable", "not empty"))
def test_bad_jail(make, flaw):
    host = make(start=False)
    jail = host.dir / "jail"
    if flaw == "file":
        jail.rmdir()
        jail.write_text("")
    elif flaw == "writable":
        jail.chmod(0o777)
    else:
        (jail / "x").write_text("")
    code, said = fails(host)
    assert code == 78 and str(jail) in said


# ---- running

def test_background(make):
    host = make(start=False)
    pidfile = host.dir / "run/jumpboxd.pid"
    with open(host.log, "ab") as log:
        r = subprocess.run([JUMPBOXD, "-f", host.conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                           timeout=60 * SLOW)
    assert r.returncode == 0
    pid = int(pidfile.read_text())
    try:
        assert os.getpgid(pid) != os.getpgid(0)
        assert os.readlink(f"/proc/{pid}/fd/1") == "/dev/null"
        assert banner(connect(host)).startswith(b"SSH-2.0-")
        # The configuration's path was made absolute, and SIGHUP keeps it in the background.
        os.kill(pid, signal.SIGHUP)
        wait_for(lambda: host.log_text().count("server.start") == 2, 20, "the second start")
        assert int(pidfile.read_text()) == pid
        assert banner(connect(host)).startswith(b"SSH-2.0-")
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 5, "its end")
    assert not pidfile.exists()
    # A failure to start is the command's exit code, not the log's only.
    with socket.create_server(("127.0.0.1", host.port)):
        assert run(JUMPBOXD, "-f", host.conf, check=False).returncode == 69


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_ends_at_once_with_nothing_to_do(make, number):
    host = make()
    began = time.monotonic()
    assert host.stop(number, 5) == 0
    assert time.monotonic() - began < 3 * SLOW
    for role in ("jumpbox-session", "jumpbox-broker", "jumpbox-watcher"):
        wait_for(lambda: not host.processes(role), 5, f"{role} to be gone")


def test_sigterm_leaves_what_was_handed_over(make):
    host = make()
    s = connect(host)
    assert banner(s).startswith(b"SSH-2.0-")
    waiting = connect(host)  # still waits for its first byte: handed over, not closed
    later = connect(host)  # once this one is served, the one before it has been accepted
    later.sendall(b"SSH-2.0-test\r\n")
    assert banner(later).startswith(b"SSH-2.0-")
    assert host.stop(signal.SIGTERM, 5) == 0
    assert banner(waiting).startswith(b"SSH-2.0-")
    assert not closed(s)
    with pytest.raises(ConnectionRefusedError):
        connect(host)


def test_silent_connections_are_not_in_the_log(make):
    host = make(log_level="info", max_startups_per_source=100)

    def events():  # not what a sanitizer says of a process that may not be traced
        return re.findall(r"^\d{4}-.*$", host.log_text(), re.M)
    before = events()
    assert before
    for _ in range(20):
        connect(host).close()
    staying = [connect(host) for _ in range(5)]
    for s in staying:
        assert banner(s).startswith(b"SSH-2.0-")
        s.close()
    wait_for(lambda: not host.serving("jumpbox-broker"), 10, "their brokers' end")
    assert events() == before


def test_first_byte_is_not_waited_for_longer_than_needed(make):
    host = make()
    times = []
    for _ in range(5):
        began = time.monotonic()
        s = connect(host)
        s.sendall(b"SSH-2.0-test\r\n")
        assert banner(s).startswith(b"SSH-2.0-")
        times.append(time.monotonic() - began)
    assert min(times) < 0.2 * SLOW


# ---- limits

def test_limit_per_source(make):
    host = make(max_startups_per_source=3)
    socks = []
    for _ in range(3):
        socks.append(connect(host))
        assert banner(socks[-1]).startswith(b"SSH-2.0-")
    other = connect(host, "127.0.0.2")
    socks.append(connect(host))
    wait_for(lambda: closed(socks[0]), 10, "the oldest to go")
    assert banner(socks[3]).startswith(b"SSH-2.0-") and banner(other).startswith(b"SSH-2.0-")
    assert not any(closed(s) for s in (socks[1], socks[2], socks[3], other))
    assert host.log_text().count("limit.startups") == 1


def test_limit_in_total_takes_from_the_busiest(make):
    host = make(max_startups=4, max_startups_per_source=4)
    one = connect(host, "127.0.0.2")
    busy = [connect(host, "127.0.0.3") for _ in range(3)]
    for s in (one, *busy):
        assert banner(s).startswith(b"SSH-2.0-")
    late = connect(host, "127.0.0.4")
    wait_for(lambda: closed(busy[0]), 10, "the oldest of the busiest to go")
    assert banner(late).startswith(b"SSH-2.0-")
    assert not any(closed(s) for s in (one, busy[1], busy[2], late))


def test_few_descriptors_make_clients_wait_and_nothing_spin(make):
    def few():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160))
    host = make(max_startups=1000, max_startups_per_source=1000, popen={"preexec_fn": few})
    assert "limit.nofile" in host.log_text()
    socks = [connect(host) for _ in range(130)]  # what is not accepted waits in the kernel's queue
    served = socks[:90]
    for s in served:
        assert banner(s).startswith(b"SSH-2.0-")
    before = cpu_ticks(host.proc.pid)
    began = time.monotonic()
    late = connect(host)
    assert not select.select([late], [], [], 1.5)[0]  # waits
    used = (cpu_ticks(host.proc.pid) - before) / os.sysconf("SC_CLK_TCK")
    assert used < 0.3 * (time.monotonic() - began)
    for s in socks:
        s.close()
    assert banner(late).startswith(b"SSH-2.0-")


def test_grace_time_ends_the_silent(make):
    host = make(login_grace_time=1)
    s = connect(host)
    assert banner(s).startswith(b"SSH-2.0-")
    wait_for(lambda: closed(s), 10, "the end of the grace time")


# ---- zygotes

def child_of(host, role):
    """A connection, and the one process of that role that serves it."""
    s = connect(host)
    assert banner(s).startswith(b"SSH-2.0-")
    # The banner is the session's alone: the broker may not be forked yet.
    child, = wait_for(lambda: host.serving(role), 10, "the child")
    return s, child


@pytest.mark.parametrize("role", ("session", "broker"))
def test_zygote_is_replaced_after_a_crash_of_a_child(make, role):
    host = make()
    host.may_crash = True
    program = f"jumpbox-{role}"
    first = wait_for(lambda: zygote(host, program), 10, "the zygote")
    s, child = child_of(host, program)
    crash = signal.SIGABRT if os.environ.get("JUMPBOX_SANITIZED") else signal.SIGSEGV  # ASan takes SEGV for itself
    os.kill(child, crash)
    wait_for(lambda: closed(s), 10, "the connection's end")
    second = wait_for(lambda: (z := zygote(host, program)) != first and z, 10, "a fresh zygote")
    name = crash.name.removeprefix("SIG")
    assert re.search(rf"{role}\[{first}\] zygote\.child conn=\w+ process={child} signal={name}\n", host.log_text())
    assert re.search(rf"zygote\.crash conn=\w+ of={role} zygote={first} signal={name}\n", host.log_text())
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    assert zygote(host, program) == second


def test_a_banner_that_is_lost_keeps_nobody_out(make, place):
    text = place / "banner"
    text.write_text("Mind the step.\n")
    host = make(banner=text)
    first = wait_for(lambda: zygote(host, "jumpbox-session"), 10, "the zygote")
    text.unlink()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: zygote(host, "jumpbox-session") not in (None, first), 20, "another zygote")
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    assert host.log_text().count(" session.no_banner ") == 1


def test_zygotes_are_replaced_after_1000_connections(make):
    host = make(max_startups=1000, max_startups_per_source=1000)
    roles = ("jumpbox-session", "jumpbox-broker")
    first = [wait_for(lambda: zygote(host, role), 10, "the zygote") for role in roles]

    def connections(n):
        for _ in range(n):
            with connect(host) as s:
                s.sendall(b"SSH-2.0-test\r\n")
                assert banner(s).startswith(b"SSH-2.0-")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(connections, (333, 333, 333)))
    assert [zygote(host, role) for role in roles] == first
    connections(1)
    for role, pid in zip(roles, first):
        wait_for(lambda: zygote(host, role) not in (None, pid), 10, f"a fresh {role}")
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 10, "the end of the old one")
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    assert "zygote.crash" not in host.log_text()


def test_zygote_that_dies_is_started_again_later_and_later(make):
    host = make()
    for n, wait in enumerate((0, 200, 400, 800)):
        pid = wait_for(lambda: zygote(host, "jumpbox-broker"), 10, "a zygote")
        wait_for(lambda: len(re.findall(r"zygote\.ready of=broker", host.log_text())) == n + 1, 10, "readiness")
        os.kill(pid, signal.SIGKILL)
        host.wait_for_log(f"restart_ms={wait}\n")
    s = connect(host)  # waits for the next one
    assert banner(s).startswith(b"SSH-2.0-")
    assert len(re.findall(r"zygote\.exit", host.log_text())) == 4


def test_stopped_zygote_holds_up_and_loses_nothing(make):
    """Connections that a zygote has not taken yet are served when it goes on."""
    host = make(max_startups_per_source=100)
    pid = wait_for(lambda: zygote(host, "jumpbox-session"), 10, "the zygote")
    os.kill(pid, signal.SIGSTOP)
    try:
        socks = [connect(host) for _ in range(50)]
        for s in socks:
            s.sendall(b"SSH-2.0-test\r\n")
    finally:
        os.kill(pid, signal.SIGCONT)
    for s in socks:
        assert banner(s).startswith(b"SSH-2.0-")


def test_watcher_is_started_again(make):
    host = make()
    first = wait_for(lambda: host.watchers().get(0), 10, "the watcher")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: host.watchers().get(0) not in (None, first), 10, "another watcher")


# ---- reload

def test_sighup_refuses_nobody(make):
    host = make(max_startups=1000, max_startups_per_source=1000)
    failures, done, served = [], threading.Event(), [0]

    def connects():
        while not done.is_set():
            try:
                with connect(host) as s:
                    s.sendall(b"SSH-2.0-test\r\n")
                    assert banner(s).startswith(b"SSH-2.0-")
                served[0] += 1
            except (OSError, AssertionError) as e:
                failures.append(e)
    workers = [threading.Thread(target=connects) for _ in range(4)]
    for w in workers:
        w.start()
    try:
        for n in range(4):
            before = served[0]
            host.proc.send_signal(signal.SIGHUP)
            wait_for(lambda: host.log_text().count("server.start") == n + 2, 20, "the next life")
            wait_for(lambda: served[0] > before + 10, 20, "connections in it")
    finally:
        done.set()
        for w in workers:
            w.join(60)
    assert not failures, failures[:3]
    assert host.proc.poll() is None


def test_sighup_with_something_wrong_changes_nothing(make, place):
    host = make()
    was = host.conf.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for n, text in enumerate((was + "no-such-keyword 1\n",
                                  was.replace(f"port {host.port}", f"port {taken.getsockname()[1]}"),
                                  was + f"host-key {place}/ssh_host_new_key\n",
                                  was + f"banner {place}/missing\n",
                                  was.replace(f"jail-directory {host.dir}/jail", f"jail-directory {host.key}"))):
            host.conf.write_text(text)
            host.proc.send_signal(signal.SIGHUP)
            wait_for(lambda: host.log_text().count("reload.refused") == n + 1, 20, "the refusal")
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    assert host.log_text().count("server.start") == 1 and not (place / "ssh_host_new_key").exists()
    host.conf.write_text(was)
    host.proc.send_signal(signal.SIGHUP)
    wait_for(lambda: host.log_text().count("server.start") == 2, 20, "the next life")


@pytest.mark.parametrize("what", ("host key", "database", "database in another directory"))
def test_sighup_makes_neither_keys_nor_a_database(make, what):
    """A first start does; later it would be another host, or one without users."""
    host = make()
    was = host.conf.read_text()
    lost = host.state / "ssh_host_ed25519_key"
    if what == "host key":
        kept = lost.rename(lost.with_suffix(".away"))
    else:
        lost = host.state / "typo.db" if what == "database" else host.dir / "typo/jumpbox.db"
        host.conf.write_text(re.sub(r"(?m)^database .*", f"database {lost}", was))
    host.proc.send_signal(signal.SIGHUP)
    host.wait_for_log("reload.refused", 20)
    assert f"there is no {what.split(' in ')[0]} {lost}, and a server that runs makes none: " in host.log_text()
    assert not lost.exists() and lost.parent.exists() == (what != "database in another directory")
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    if what == "host key":
        kept.rename(lost)
    host.conf.write_text(was)
    host.proc.send_signal(signal.SIGHUP)
    wait_for(lambda: host.log_text().count("server.start") == 2, 20, "the next life")
    assert banner(connect(host)).startswith(b"SSH-2.0-")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
def test_sighup_makes_another_run_directory_as_a_start_does(make):
    host = make()
    run_directory = host.dir / "another"
    host.configure(run_directory=run_directory)
    host.proc.send_signal(signal.SIGHUP)
    wait_for(lambda: host.log_text().count("server.start") == 2, 20, "the next life")
    assert (run_directory.owner(), run_directory.group()) == ("root", "jumpbox")
    assert run_directory.stat().st_mode & 0o7777 == 0o1775
    assert (run_directory / "jumpboxd.pid").read_text() == f"{host.proc.pid}\n"


def test_sighup_moves_to_another_port(make):
    host = make()
    old, port = host.port, free_port()
    host.configure(port=port)
    host.port = port
    host.proc.send_signal(signal.SIGHUP)
    wait_for(lambda: host.log_text().count("server.start") == 2, 20, "the next life")
    assert banner(connect(host)).startswith(b"SSH-2.0-")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", old), 5 * SLOW)


# ---- the service manager

class Manager:
    """A service manager's socket.  It is emptied all the time: the kernel keeps ten messages, and drops."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.heard, self.at = [], 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while message := self.sock.recv(4096).decode():
            self.heard.append(message)

    def hear(self, what):
        """The next message with that line in it."""
        def there():
            while self.at < len(self.heard):
                self.at += 1
                if what in self.heard[self.at - 1].split("\n"):
                    return self.heard[self.at - 1]
            return None
        return wait_for(there, 20, what)

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.sock.getsockname())


def test_service_manager_is_told(make, place):
    path = place / "notify"
    manager = Manager(path)
    try:
        host = make(popen={"env": {**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1000000"}})
        manager.hear("READY=1")
        for _ in range(3):
            manager.hear("WATCHDOG=1")
        host.proc.send_signal(signal.SIGHUP)
        assert re.search(r"^MONOTONIC_USEC=\d+$", manager.hear("RELOADING=1"), re.M)
        manager.hear("READY=1")
        manager.hear("WATCHDOG=1")
        host.proc.send_signal(signal.SIGTERM)
        manager.hear("STOPPING=1")
        assert host.proc.wait(5 * SLOW) == 0
    finally:
        manager.close()
