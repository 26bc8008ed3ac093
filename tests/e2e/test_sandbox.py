"""What a taken-over session could do: calls injected into live processes with a debugger.

The same injections run against an unconfined process first, so that a
refusal is known to be the sandbox's and not the debugger's.
"""

import errno
import os
import pathlib
import re
import socket
import subprocess

import pytest

from lab import run, wait_for

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="the sandbox needs root to be entered and to be looked at"),
    pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="sandbox checks use the real build"),
]

# name, expression; {docker} is the engine's socket, {other} another session's pid, {text} scratch memory
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


@pytest.fixture
def sessions(host):
    """Two live, logged-in sessions of the installed binary: pids of their session processes."""
    zygote = set(host.processes("jumpbox-session"))
    clients = []

    def open_one():
        before = set(host.processes("jumpbox-session"))
        p = host.popen("alice+bb", "echo up; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert p.stdout.readline() == b"up\n"
        clients.append(p)
        return (set(host.processes("jumpbox-session")) - before - zygote).pop()
    yield open_one(), open_one()
    for p in clients:
        p.kill()
        p.wait(10)


@pytest.mark.parametrize("call", CALLS)
def test_refused_in_a_session_and_possible_outside(sessions, call):
    victim, other = sessions
    free = [subprocess.Popen(["sleep", "1000"]) for _ in range(2)]
    try:
        allowed = inject(free[0].pid, CALLS[call].format(other=free[1].pid))
        assert allowed == "exec" or allowed[0] >= 0, allowed
    finally:
        for p in free:
            p.kill()
            p.wait(10)
    answer = inject(victim, CALLS[call].format(other=other))
    assert refused(answer), answer


def test_the_docker_socket_is_out_of_reach(sessions, docker):
    """connect() is refused on whatever socket: without the filter this one, the client's, says EISCONN."""
    victim, _ = sessions
    client = next(int(fd) for fd in sorted(os.listdir(f"/proc/{victim}/fd"), key=int)
                  if os.readlink(f"/proc/{victim}/fd/{fd}").startswith("socket:"))
    free = socket.create_server(("127.0.0.1", 0))
    control = subprocess.Popen(["sleep", "1000"], stdin=free)
    try:
        assert not refused(inject(control.pid, "(int)connect(0, (void *)$sp, 110)"))
    finally:
        control.kill()
        control.wait(10)
        free.close()
    assert refused(inject(victim, f"(int)connect({client}, (void *)$sp, 110)"))


def test_the_same_calls_without_the_filter(host):
    """The zygote has the session's user and jail but no filter yet: what it may still do, a session may not."""
    zygote = host.processes("jumpbox-session")[0]
    assert "Seccomp:\t0" in pathlib.Path(f"/proc/{zygote}/status").read_text()
    assert inject(zygote, CALLS["make a socket"])[0] >= 0
    assert inject(zygote, CALLS["open the root directory"])[0] >= 0
    assert inject(zygote, CALLS["open a file"]) == (-1, errno.ENOENT)


def test_identity_jail_and_limits(sessions, host):
    victim, _ = sessions
    status = pathlib.Path(f"/proc/{victim}/status").read_text()
    field = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    import pwd
    uid = str(pwd.getpwnam("jumpbox-session").pw_uid)
    assert set(field["Uid"].split()) == {uid}
    assert field["Groups"].split() in ([], [str(pwd.getpwnam("jumpbox-session").pw_gid)])
    assert field["NoNewPrivs"] == "1" and field["Seccomp"] == "2"
    assert int(field["CapPrm"], 16) == int(field["CapEff"], 16) == 0
    assert os.listdir(f"/proc/{victim}/root/") == []
    limits = pathlib.Path(f"/proc/{victim}/limits").read_text()
    assert re.search(r"Max processes\s+0\s", limits) and re.search(r"Max core file size\s+0\s", limits)
    assert not re.search(r"Max address space\s+unlimited", limits)
    # Nothing open but the connection, the broker, streams and the log.
    for fd in os.listdir(f"/proc/{victim}/fd"):
        target = os.readlink(f"/proc/{victim}/fd/{fd}")
        assert target.startswith(("socket:", "anon_inode:", "pipe:")) or target in ("/dev/null", str(host.log)), target


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
    for pid in sessions:
        assert scan(pid) == set()
    brokers = host.processes("jumpbox-broker")
    assert set().union(*(scan(pid) for pid in brokers)), "the scan finds nothing anywhere"


def copy_key(host, name):
    import shutil
    to = host.dir / f"copy-{name}"
    shutil.copy(host.state / name, to)
    os.chmod(to, 0o600)
    return to


def test_started_without_root_says_what_is_left_out(lab, docker):
    """A developer's run: seccomp and no_new_privs stay."""
    host = lab.host()
    import shutil
    for path in (host.dir, host.state, host.dir / "run"):
        shutil.chown(path, "nobody")
    run("chown", "-R", "nobody", host.dir)
    as_nobody = dict(user="nobody", group="nogroup", extra_groups=[])
    host.start(**as_nobody)
    try:
        wait_for(lambda: "left_out" in host.log_text() or "left out" in host.log_text(), 10, "the notice")
        run(host.prefix / "sbin/jumpboxctl", "-f", host.conf, "user", "add", "dev", "--admin", "--password-stdin",
            input=b"developer pass\n", **as_nobody)
        zygote = set(host.processes("jumpbox-session"))
        client = socket.create_connection(("127.0.0.1", host.port))
        try:
            child = wait_for(lambda: set(host.processes("jumpbox-session")) - zygote, 10, "a session").pop()
            wait_for(lambda: "Seccomp:\t2" in pathlib.Path(f"/proc/{child}/status").read_text(), 10, "seccomp")
            assert "NoNewPrivs:\t1" in pathlib.Path(f"/proc/{child}/status").read_text()
        finally:
            client.close()
        # The developer works, too; his own user cannot reach the engine, and is told so in one sentence.
        r = host.ssh_password("dev", "developer pass", "ls")
        assert r.returncode == 0, r.stderr
    finally:
        host.stop()


def test_a_violation_ends_the_session_and_replaces_its_zygote(own_host):
    host = own_host()
    zygote = host.processes("jumpbox-session")[0]
    call = "(int)getpriority(0, 0)"  # harmless, and in no table of the filter
    assert not refused(inject(zygote, call))
    p = host.popen("alice+bb", "echo up; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert p.stdout.readline() == b"up\n"
        victim = next(s for s in host.processes("jumpbox-session") if s != zygote)
        assert inject(victim, call) in ("SIGSYS", "SIGKILL")
        wait_for(lambda: zygote not in (now := host.processes("jumpbox-session")) and now, 10, "a fresh zygote")
        assert re.search(rf"zygote\.crash conn=\w+ of=session zygote={zygote} signal=SYS\n", host.log_text())
        assert host.ssh("alice+bb", "echo in").stdout == b"in\n"
    finally:
        p.kill()
        p.wait(10)
