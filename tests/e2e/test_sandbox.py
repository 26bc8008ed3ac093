"""What a taken-over session could do: calls injected into live processes with a debugger.

The same injections run against the same program before its filter first, so
that a refusal is known to be the sandbox's and not the debugger's.
"""

import contextlib
import errno
import grp
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys

import pytest

from lab import HERE, live_terminal, run, wait_for
from test_session import new_session, session_pids
from test_supervisor import zygote

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="the sandbox needs root to be entered and to be looked at"),
    pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="sandbox checks use the real build"),
]

# name, expression; {other} is another session's pid
CALLS = {
    "open a file": '(int)open("/etc/passwd", 0)',
    "open the root directory": '(int)open("/", 0)',
    "make a socket": "(int)socket(1, 1, 0)",
    "make an inet socket": "(int)socket(2, 1, 0)",
    "exec": '(int)execl("/bin/true", "true", (char *)0)',
    "fork": "(int)fork()",
    "ptrace": "(long)ptrace(16, {other}, 0, 0)",
    "signal another session": "(int)kill({other}, 0)",
    "signal everybody": "(int)kill(-1, 0)",
    "read another's memory": '(int)open("/proc/{other}/mem", 0)',
    "make memory executable": "(int)mprotect((void *)((unsigned long)$sp & ~4095UL), 4096, 7)",
}


def inject(pid, expression):
    """(value, errno), or what became of the process: "exec", or the signal that killed it."""
    r = run("gdb", "-nx", "-batch", "-p", pid, "-ex", "set debuginfod enabled off",
            "-ex", f"print {expression}", "-ex", "print *(int *)__errno_location()", check=False, timeout=60)
    out = (r.stdout + r.stderr).decode(errors="replace")
    if "is executing new program" in out:
        return "exec"
    killed = re.search(r"\bSIG(?:SYS|KILL)\b", out)
    values = re.findall(r"\$\d = (-?\d+)", out)
    assert killed or len(values) == 2, out
    return killed.group(0) if killed else tuple(int(v) for v in values)


def refused(answer):
    """By the filter: an errno of its own, not the empty jail's or the user's."""
    return answer == (-1, errno.EPERM) or answer in ("SIGSYS", "SIGKILL")


@pytest.fixture(scope="module")
def host(lab, docker):
    """Instead of the one that others use: here sessions are killed by their filter."""
    host = lab.site(docker)
    host.may_crash = True
    yield host.start()
    host.stop()


@pytest.fixture
def sessions(host):
    """Two live, logged-in sessions of the installed binary: pids of their session processes."""
    clients = []

    def open_one():
        before = session_pids(host)
        p = host.popen("alice+bb", "echo up; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert p.stdout.readline() == b"up\n"
        clients.append(p)
        return new_session(host, before)
    yield open_one(), open_one()
    for p in clients:
        p.kill()
        p.wait(10)
        p.stdin.close()
        p.stdout.close()


DEVELOPER = {"user": "jumpbox", "group": "jumpbox", "extra_groups": []}


@pytest.fixture(scope="module")
def developer(lab, docker):
    """A run without root, as somebody who may use the engine's socket: no other user, no jail."""
    host = lab.host()
    run("chown", "-R", "jumpbox:jumpbox", host.dir)
    host.start(**DEVELOPER)
    yield host
    host.stop()


@pytest.fixture
def unfiltered(developer):
    """The same program before its filter: the zygote of that run, and another process of its user."""
    def there():  # one call makes it another program
        log = developer.log_text()
        return log.count("zygote.ready of=session") > log.count("zygote.exit") and zygote(developer, "jumpbox-session")
    pid = wait_for(there, 10, "a zygote")
    assert "Seccomp:\t0" in pathlib.Path(f"/proc/{pid}/status").read_text()
    other = subprocess.Popen(["sleep", "1000"], **DEVELOPER)
    yield pid, other.pid
    other.kill()
    other.wait(10)


@pytest.mark.parametrize("call", CALLS)
def test_refused_in_a_session_and_possible_without_the_filter(sessions, unfiltered, call):
    free, process = unfiltered
    allowed = inject(free, CALLS[call].format(other=process))
    assert allowed == "exec" or allowed[0] >= 0, allowed
    victim, other = sessions
    answer = inject(victim, CALLS[call].format(other=other))
    assert refused(answer), answer


def connect_to(path, fd):
    """The call that connects a descriptor to a unix socket; its type is told to a debugger that may know the libc's."""
    address = socket.AF_UNIX.to_bytes(2, sys.byteorder) + os.fsencode(path)
    text = "".join(f"\\{b:03o}" for b in address)
    return f'((int (*)(int, void *, unsigned))connect)({fd}, "{text}", {len(address) + 1})'


def test_the_docker_socket_is_out_of_reach(sessions, unfiltered, docker):
    """The very address that opens the engine to the program without its filter."""
    free, _ = unfiltered
    made, _ = inject(free, CALLS["make a socket"])
    assert made >= 0
    assert inject(free, connect_to(docker.socket, made))[0] == 0
    victim, _ = sessions
    sockets = [fd for fd in os.listdir(f"/proc/{victim}/fd") if os.readlink(f"/proc/{victim}/fd/{fd}").startswith("socket:")]
    assert len(sockets) >= 3  # client, broker, stream
    for fd in sockets:
        assert refused(inject(victim, connect_to(docker.socket, fd)))


# What would change what a recording says already; {fd} is open for writing
REWRITES = ("(long)lseek({fd}, 0L, 0)", "(int)ftruncate({fd}, 0L)", "(int)fallocate({fd}, 0, 0L, 100L)",
            '(long)pwrite({fd}, "x", 1UL, 0L)')


def test_a_recording_is_only_added_to(own_host, unfiltered):
    host = own_host(recording="on")
    host.may_crash = True
    free, _ = unfiltered
    fd, _ = inject(free, f'(int)open("/tmp/jumpbox-test-{free}", 0102, 0600)')
    try:
        assert fd >= 0 and all(inject(free, call.format(fd=fd))[0] >= 0 for call in REWRITES)
    finally:
        pathlib.Path(f"/tmp/jumpbox-test-{free}").unlink()
    for call in REWRITES:
        before = session_pids(host)
        t = live_terminal(host)
        pid = new_session(host, before)
        (fd,) = [fd for fd in os.listdir(f"/proc/{pid}/fd") if os.readlink(f"/proc/{pid}/fd/{fd}").endswith(".cast.gz")]
        file = pathlib.Path(os.readlink(f"/proc/{pid}/fd/{fd}"))
        flags = int(re.search(r"flags:\s+(\d+)", pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()).group(1), 8)
        assert flags & os.O_ACCMODE == os.O_WRONLY and flags & os.O_APPEND
        wait_for(lambda: b"ready" in run("zcat", file).stdout, 10, "what is there")
        size = file.stat().st_size
        answer = inject(pid, call.format(fd=fd))
        assert refused(answer), (call, answer)
        if isinstance(answer, tuple):
            # The debugger reaches that file; and the flag to append may go, the place to write at stays.
            assert inject(pid, f'(int)fcntl({fd}, 4, 0)')[0] == 0
            start = file.read_bytes()
            assert inject(pid, f'(long)write({fd}, "x", 1UL)')[0] == 1
            assert file.read_bytes().startswith(start) and file.stat().st_size > len(start)
        assert file.stat().st_size >= size
        t.close(force=True)


def test_the_jail_without_the_filter(host):
    """The zygote has the session's user and jail but no filter yet: they stand by themselves."""
    pid = wait_for(lambda: zygote(host, "jumpbox-session"), 10, "the zygote")
    assert "Seccomp:\t0" in pathlib.Path(f"/proc/{pid}/status").read_text()
    assert inject(pid, CALLS["open the root directory"])[0] >= 0
    assert inject(pid, CALLS["open a file"]) == (-1, errno.ENOENT)


def assert_confined(host, pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    field = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    user = pwd.getpwnam("jumpbox-session")
    assert set(field["Uid"].split()) == {str(user.pw_uid)} and set(field["Gid"].split()) == {str(user.pw_gid)}
    assert field["Groups"].split() in ([], [str(user.pw_gid)])
    assert field["NoNewPrivs"] == "1" and field["Seccomp"] == "2"
    assert int(field["CapPrm"], 16) == int(field["CapEff"], 16) == 0
    assert os.readlink(f"/proc/{pid}/root") == str(host.dir / "jail") and os.listdir(f"/proc/{pid}/root/") == []
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    for name, most in (("Max processes", 0), ("Max core file size", 0), ("Max locked memory", 0),
                       ("Max file size", 256 << 20),  # recording-max-size
                       ("Max open files", 1024 + 80), ("Max address space", 512 << 20)):
        assert re.search(rf"^{name} +{most} +{most} ", limits, re.M), limits
    # Nothing open but the connection, the broker and streams.
    targets = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert {targets.pop(fd) for fd in "012"} == {"/dev/null"}
    assert all(t.startswith(("socket:", "anon_inode:[eventpoll]")) for t in targets.values()), targets


def test_confined_before_the_clients_first_byte(host):
    """A client that has not said anything is served by a process that may do nothing."""
    before = session_pids(host)
    with socket.create_connection(("127.0.0.1", host.port)) as client:
        client.settimeout(20)
        pid = new_session(host, before)
        # It speaks only when it is confined, and has heard nothing yet.
        assert client.recv(8) == b"SSH-2.0-"
        assert_confined(host, pid)


def test_confined_with_streams(host, sessions):
    for pid in sessions:
        assert_confined(host, pid)


def test_no_private_host_key_in_a_live_sessions_memory(host, sessions):
    """Scans every readable page of the session for the secret halves; the broker proves the scan works."""
    secret = {}
    pem = run("ssh-keygen", "-p", "-N", "", "-m", "PEM", "-f", copy_key(host, "ssh_host_rsa_key"), check=False)
    del pem
    rsa = run("openssl", "rsa", "-in", host.dir / "copy-ssh_host_rsa_key", "-noout", "-text").stdout.decode()
    for part in ("privateExponent", "prime1", "prime2"):
        block = re.search(part + r":\n((?:\s+[0-9a-f:]+\n)+)", rsa).group(1)
        number = bytes.fromhex(block.replace(":", "").replace(" ", "").replace("\n", "")).lstrip(b"\0")
        secret[part] = (number[:24], number[::-1][:24])
    import base64
    text = (host.state / "ssh_host_ed25519_key").read_text().splitlines()
    raw = base64.b64decode("".join(text[1:-1]))
    public = base64.b64decode((run("ssh-keygen", "-y", "-f", host.state / "ssh_host_ed25519_key").stdout.split()[1]))[-32:]
    at = raw.rindex(public)
    secret["ed25519 seed"] = (raw[at - 32:at],)

    def scan(pid):
        found = set()
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                area, mode = line.split()[:2]
                start, end = (int(x, 16) for x in area.split("-"))
                if not mode.startswith("r") or "[v" in line:
                    continue
                mem.seek(start)
                try:
                    data = mem.read(end - start)
                except OSError:
                    continue
                found |= {name for name, needles in secret.items() if any(n in data for n in needles)}
        return found
    # The other sessions' host key was ed25519: this one's broker has used the other.
    before = session_pids(host)
    client = host.popen("alice+bb", "echo in; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE, options=(
        "-o", "HostKeyAlgorithms=rsa-sha2-512", "-o", "UserKnownHostsFile=/dev/null"))
    assert client.stdout.readline() == b"in\n"
    for pid in (*sessions, new_session(host, before)):
        assert scan(pid) == set()
    found = set()
    for pid in host.processes("jumpbox-broker"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a child that has done its work
            found |= scan(pid)
    client.communicate(timeout=20)
    assert found == set(secret), "the scan does not find them where they are"


def copy_key(host, name):
    to = host.dir / f"copy-{name}"
    shutil.copy(host.state / name, to)
    os.chmod(to, 0o600)
    return to


@pytest.mark.parametrize("call, what", (("EVP_DigestSign", "sign"), ("EVP_DigestVerify", "verify signatures"),
                                        ("_ssh_buffer_pack", "open channels"), ("on_open", "open channels")))
def test_no_start_where_libssh_would_do_it_itself(lab, tmp_path, call, what):
    """A program whose own function libssh does not find, in the place of the installed one."""
    build = pathlib.Path(os.environ.get("JUMPBOX_BUILD", HERE.parents[1] / "build/release"))
    host = lab.host()
    names = sorted(source.stem for source in (HERE.parents[1] / "src/session").glob("*.c"))  # no other tree's objects
    objects = [shutil.copy(build / "src/session" / f"{name}.o", tmp_path) for name in (*names, "terminfo")]
    wrap = ["-Wl,--wrap=_ssh_buffer_pack"]
    if call == "_ssh_buffer_pack":
        wrap = []
    elif call == "on_open":  # nothing is watched
        run("objcopy", "--weaken-symbol", "packets_watch", tmp_path / "packets.o")
        (tmp_path / "watch.c").write_text("void packets_watch(void *s) { (void)s; }")
        run("gcc", "-c", "-o", tmp_path / "watch.o", tmp_path / "watch.c")
        objects.append(tmp_path / "watch.o")
    else:
        run("objcopy", "--localize-symbol", call, tmp_path / "sign.o")
    libraries = run("pkg-config", "--libs", "libcrypto", "libseccomp", "ncursesw", "zlib").stdout.decode().split()
    libraries = [*wrap, "-Wl,-Bstatic", "-lssh", "-Wl,-Bdynamic", "-l:libgssapi_krb5.so.2", *libraries]
    run("gcc", "-pie", "-rdynamic", "-o", tmp_path / "program", *objects, build / "libcast.a", build / "libcommon.a", *libraries, "-ldl")
    r = run("unshare", "--mount", "sh", "-ec", 'mount --bind "$1" "$2"; exec "$3" -D -f "$4"', "sh",
            tmp_path / "program", host.prefix / "libexec/jumpbox/jumpbox-session",
            host.prefix / "sbin/jumpboxd", host.conf, check=False, timeout=60)
    assert r.returncode == 69 and f"self-test: libssh does not {what} through this program".encode() in r.stderr, r


def test_started_without_root_says_what_is_left_out(lab, docker):
    """A developer's run: seccomp and no_new_privs stay, and who may not use the engine's socket is told so."""
    host = lab.host()
    run("chown", "-R", "nobody", host.dir)
    nobody = {"user": "nobody", "group": "nogroup"}

    def ctl(*args, **kw):
        return run(host.prefix / "sbin/jumpboxctl", "-f", host.conf, *args, **nobody, extra_groups=[], **kw)
    ctl("user", "add", "dev", "--admin", "--password-stdin", input=b"developer pass\n")
    ctl("node", "add", "one", docker.url)
    # With the socket's group everything works.
    host.start(**nobody, extra_groups=[grp.getgrnam("jumpbox").gr_gid])
    try:
        log = host.log_text()
        assert 'what="user, chroot"' in log and "what=user\n" in log, log
        before = session_pids(host)
        with socket.create_connection(("127.0.0.1", host.port)) as client:
            pid = new_session(host, before)
            assert client.recv(8) == b"SSH-2.0-"
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status
        r = host.ssh_password("dev+bb", "developer pass", "echo in")
        assert (r.returncode, r.stdout, r.stderr) == (0, b"in\n", b"")
    finally:
        host.stop()
    # Without it the engine cannot be reached.
    host.start(**nobody, extra_groups=[])
    try:
        r = host.ssh_password("dev+bb", "developer pass", "echo in")
        assert (r.returncode, r.stdout) == (69, b"")
        assert r.stderr == (b"jumpbox: node one cannot be reached: no permission on its socket; "
                            b"the service user must be in the socket's group\n")
    finally:
        host.stop()


def test_a_violation_ends_the_session_and_replaces_its_zygote(own_host):
    host = own_host()
    host.may_crash = True
    zygote, = host.processes("jumpbox-session")
    call = "(int)getpriority(0, 0)"  # harmless, and in no table of the filter
    assert not refused(inject(zygote, call))
    p = host.popen("alice+bb", "echo up; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert p.stdout.readline() == b"up\n"
        victim, = host.serving("jumpbox-session")
        assert inject(victim, call) in ("SIGSYS", "SIGKILL")
        wait_for(lambda: zygote not in (now := host.processes("jumpbox-session")) and now, 10, "a fresh zygote")
        assert re.search(rf"zygote\.crash conn=\w+ of=session zygote={zygote} signal=SYS\n", host.log_text())
        assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
    finally:
        p.kill()
        p.wait(10)
