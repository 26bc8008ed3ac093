"""Kinds of containers: what OpenSSH's clients do with each of them, and what is said where something cannot be.

None has a network beyond its own loopback.
"""

import contextlib
import os
import socket
import subprocess
import threading
import types
from typing import NamedTuple

import pytest

from lab import SLOW, ended, free_port, run, wait_for
from test_files import nothing_left, payload, scp, sftp  # noqa: F401
from test_forward import ask, client, refusal


class Kind(NamedTuple):
    image: str
    options: tuple = ()
    no_shell: bytes = b""  # what is said when a shell is asked for
    no_helper: bytes = b""  # and what when files and forwards are


NO_EXEC = ("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var/tmp")
KINDS = {
    "busybox": Kind("busybox"),
    "debian": Kind("debian"),
    "alpine": Kind("alpine"),
    "read-only": Kind("debian", ("--read-only", "--tmpfs", "/tmp:exec")),
    "user": Kind("debian", ("--user", "1000:1000")),
    "no-account": Kind("alpine", ("--user", "4321:4321")),
    "noexec-tmp": Kind("alpine", ("--tmpfs", "/tmp", "--user", "app")),
    "one-place": Kind("busybox", (*NO_EXEC, "--tmpfs", "/home/app:exec,uid=1000", "--user", "app")),
    "volume": Kind("busybox", (*NO_EXEC, "--tmpfs", "/srv/data:exec,uid=1000", "--user", "app")),
    "no-place": Kind("busybox", (*NO_EXEC, "--user", "app"), no_helper=b"no directory is both writable and executable"),
    "no-shell": Kind("noshell", no_shell=b"the container has no shell"),
    "nothing": Kind("noshell", ("--read-only",), no_shell=b"the container has no shell",
                    no_helper=b"its image has no shell"),
}
WITH_SHELL = [name for name, kind in KINDS.items() if not kind.no_shell]


@pytest.fixture(scope="module", params=KINDS)
def kind(request, host):
    """A container of each in turn."""
    name, kind = f"k-{request.param}", KINDS[request.param]
    host.engine.container(name, kind.image, *kind.options)
    mode = host.engine.cli("inspect", "--format", "{{.HostConfig.NetworkMode}}", name).stdout
    assert mode == b"none\n"
    host.wait_for_container(name)
    yield types.SimpleNamespace(name=name, login=f"alice+{name}", **kind._asdict())
    host.engine.remove(name)


def test_a_shell_with_a_terminal(host, kind):
    t = host.terminal(kind.login, rows=29, cols=91)
    if not kind.no_shell:
        t.sendline("stty size; exit 7")
    status = ended(t)
    if kind.no_shell:
        assert status == 69 and kind.no_shell in t.before
    else:
        assert status == 7 and b"29 91\r\n" in t.before


def test_a_command(host, kind):
    data, mark = os.urandom(300_000), len(host.log_text())
    r = host.ssh(kind.login, "cat; echo err >&2; exit 6", input=data)
    if kind.no_shell:
        assert (r.returncode, r.stdout) == (69, b"") and kind.no_shell in r.stderr
    else:
        assert (r.returncode, r.stdout, r.stderr) == (6, data, b"err\n")
        assert ("carried=1" in host.log_text()[mark:]) == (not kind.no_helper)


def test_files(host, kind, payload, tmp_path):  # noqa: F811
    there, back = f"{kind.login}@127.0.0.1:/tmp/p", tmp_path / "back"
    up = scp(host, "-s", payload, there)
    if kind.no_helper:
        assert up.returncode != 0 and kind.no_helper in up.stderr, up.stderr
        r = sftp(host, kind.login, "ls\n")
        assert r.returncode != 0 and kind.no_helper in r.stderr, r.stderr
        return
    assert up.returncode == 0, up.stderr
    r = sftp(host, kind.login, f"get /tmp/p {back}\nput {back} /tmp/q\nrm /tmp/p\nls -l /tmp\nls /etc/passwd\n")
    assert r.returncode == 0 and b"/etc/passwd" in r.stdout, r.stderr
    assert str(payload.stat().st_size).encode() in r.stdout and back.read_bytes() == payload.read_bytes()
    back.unlink()
    r = scp(host, "-s", there[:-1] + "q", back)
    assert r.returncode == 0 and back.read_bytes() == payload.read_bytes(), r.stderr
    wait_for(lambda: nothing_left(host, kind.name, not kind.no_shell), 20, "nothing to be left")


@contextlib.contextmanager
def echo():
    """A server of this machine's that sends back what comes; its port."""
    def serve(listener):
        with contextlib.suppress(OSError):  # the end
            s, _ = listener.accept()
            with s:
                for data in iter(lambda: s.recv(65536), b""):
                    s.sendall(data)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_forwards_both_ways(host, kind):
    """What -L reaches in the container's loopback is what -R listens with there, so that nothing need run in it."""
    port, data = free_port(), os.urandom(100_000)
    if kind.no_helper:
        with client(host, kind.login, "-o", "LogLevel=INFO", "-L", f"{port}:localhost:80") as c:
            assert ask(port) == b"" and kind.no_helper.decode() in refusal(c)
        r = host.ssh(kind.login, options=("-N", "-o", "ExitOnForwardFailure=yes", "-R", "7500:127.0.0.1:1"))
        assert r.returncode == 255 and b"remote port forwarding failed" in r.stderr, r.stderr
        return
    with echo() as far, client(host, kind.login, "-R", f"7500:127.0.0.1:{far}", "-L", f"{port}:localhost:7500"):
        assert ask(port, data) == data


@pytest.fixture(scope="module")
def agent(host, tmp_path_factory):
    """ssh-agent with the jump host's user's key: what is in the environment of its clients."""
    path = tmp_path_factory.mktemp("agent") / "socket"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL) as p:
        env = {**os.environ, "SSH_AUTH_SOCK": str(path)}
        wait_for(lambda: run("ssh-add", "-l", env=env, check=False).returncode == 1, 10, "an agent without keys")
        run("ssh-add", host.key, env=env)
        yield env
        p.terminate()


@pytest.mark.parametrize("kind", WITH_SHELL, indirect=True)
def test_an_agent(host, kind, agent, tmp_path):
    """The container's socket is brought back here by -L, and ssh-add asks it."""
    command = host.ssh_argv(kind.login, 'echo "${SSH_AUTH_SOCK-none}"; exec cat', options=("-A",))
    with subprocess.Popen(command, env=agent, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        path, back = p.stdout.readline().decode().strip(), tmp_path / "back"
        if kind.no_helper:
            assert path == "none"
        else:
            with client(host, kind.login, "-L", f"{back}:{path}"):
                wait_for(back.exists, 20, "the socket here")
                there = run("ssh-add", "-l", env={**os.environ, "SSH_AUTH_SOCK": str(back)}).stdout
            assert there == run("ssh-add", "-l", env=agent).stdout
        p.stdin.close()
        assert p.wait(20 * SLOW) == 0
