"""A container as SSH clients see it: by a login, or by a name in ssh_config.

What it is behind that name is either a real sshd that runs in the container or
a jump host and a container without any: a test takes a Far and cannot tell.
"""

import contextlib
import os
import shlex
import socket
import subprocess
import urllib.parse

from lab import HERE, SLOW, free_port, run, wait_for

PASSWORD = "correct horse"
# More at once than its defaults, and all methods.
SSHD = ("/usr/sbin/sshd", "-D", "-e", "-o", "PermitRootLogin=yes", "-o", "KbdInteractiveAuthentication=yes",
        "-o", "MaxStartups=200", "-o", "MaxSessions=300", "-o", "AcceptEnv=GIT_PROTOCOL")
# A login's number in the machine's audit is not for a container to set.
START_SSHD = f"sed -i /pam_loginuid/d /etc/pam.d/sshd; mkdir -p /run/sshd; exec {shlex.join(SSHD)}"


class Far:
    """User `user` at port `port` of this machine, with `key` or PASSWORD; `far` and `far-password` in `config`."""

    def __init__(self, directory, engine, container, user, port, key):
        self.engine, self.container, self.user, self.port, self.key = engine, container, user, port, key
        self.config = directory / "ssh_config"
        # The client takes the first value that it meets.
        self.config.write_text(
            "Host far-password\n  PubkeyAuthentication no\n  NumberOfPasswordPrompts 1\n"
            f"Host *\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {directory}/known_hosts\n  StrictHostKeyChecking accept-new\n  LogLevel ERROR\n")
        self.ssh_words = ["ssh", "-F", str(self.config)]
        self.ssh_command = shlex.join(self.ssh_words)
        self.encoded = urllib.parse.quote(user, safe="")

    def argv(self, program, *args):
        return [program, "-F", str(self.config), *(str(a) for a in args)]

    def ssh(self, *args, check=True, **kw):
        return run(*self.argv("ssh", *args), check=check, **kw)

    def popen(self, *args, program="ssh", **kw):
        kw = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kw}
        return subprocess.Popen(self.argv(program, *args), env=self.env(), **kw)

    @staticmethod
    def env(**more):
        return {**os.environ, "SSH_ASKPASS": str(HERE / "askpass"), "SSH_ASKPASS_REQUIRE": "force",
                "JUMPBOX_TEST_PASSWORD": PASSWORD, **more}

    # ---- from outside

    def exec(self, *argv, **kw):
        return self.engine.exec(self.container, *argv, **kw)

    def pids(self):
        return {pid: command for pid, _, command in self.engine.processes(self.container)}


@contextlib.contextmanager
def published(engine, container, port):
    """That port of a container without a network, as a port of this machine's loopback."""
    pid = engine.cli("inspect", "--format", "{{.State.Pid}}", container).stdout.decode().strip()
    here = free_port()
    p = subprocess.Popen(["socat", f"TCP-LISTEN:{here},bind=127.0.0.1,reuseaddr,fork,backlog=200,nodelay",
                          f"EXEC:nsenter --net --target {pid} socat - TCP\\:127.0.0.1\\:{port}\\,nodelay"],
                         stdin=subprocess.DEVNULL, start_new_session=True)

    def greets():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", here), timeout=5 * SLOW) as s:
            return s.recv(4) == b"SSH-"
    try:
        wait_for(greets, 20, f"sshd in {container}")
        yield here
    finally:
        os.killpg(p.pid, 15)
        p.wait(10)


def authorize(engine, container, key):
    """Who has that key is root there, for its sshd."""
    engine.cli("exec", "-i", container, "sh", "-c", "mkdir -p -m 700 ~/.ssh && cat >~/.ssh/authorized_keys",
               input=key.with_name(key.name + ".pub").read_bytes())


@contextlib.contextmanager
def with_sshd(directory, engine, key, name="far-sshd"):
    """A container with a real sshd."""
    engine.container(name, "tools", command=("sh", "-c", START_SSHD))
    authorize(engine, name, key)
    engine.cli("exec", "-i", name, "chpasswd", input=f"root:{PASSWORD}\n".encode())
    try:
        with published(engine, name, 22) as port:
            yield Far(directory, engine, name, "root", port, key)
    finally:
        engine.remove(name)


@contextlib.contextmanager
def with_jumpbox(directory, engine, host, name="far", image="tools"):
    """A jump host and a container without an sshd."""
    engine.container(name, image)
    try:
        host.wait_for_container(name)
        far = Far(directory, engine, name, f"alice+{name}", host.port, host.key)
        far.host = host
        yield far
    finally:
        engine.remove(name)
