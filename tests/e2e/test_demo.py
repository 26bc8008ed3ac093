"""`make demo` as a new user types it: the printed line and password work, and Ctrl-C leaves nothing behind.

It runs in a mount namespace of its own, which has no engine, no users of jumpbox and no traces of a dockerd,
whatever the machine has: all that a demo does to the machine is seen, and nothing of the machine's is touched.
"""

import os
import pathlib
import re
import socket
import subprocess

import pexpect
import pytest

from lab import HERE, IMAGES, run, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
PASSWORDS = set()

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="make demo needs root"),
    pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="make demo builds what users get"),
    pytest.mark.timeout(600),
]

# New users get numbers that nobody on the machine has: userdel refuses a user with processes.
FRESH = r"""
mount -t tmpfs -o mode=755 tmpfs "$(realpath /var/run)" && mount -t tmpfs tmpfs /opt
mkdir -p /var/run/etc/new /var/run/etc/work
mount -t overlay -o lowerdir=/etc,upperdir=/var/run/etc/new,workdir=/var/run/etc/work overlay /etc
rm -rf /etc/docker
sed -i '/^jumpbox/d' /etc/passwd /etc/shadow /etc/group /etc/gshadow
printf 'SYS_UID_MAX 899\nSYS_GID_MAX 899\n' >>/etc/login.defs
echo ready
exec cat
"""


def programs():
    """The command lines of a demo's processes."""
    return [line for line in run("ps", "-ww", "-eo", "args").stdout.decode().splitlines()
            if "/jumpbox-demo." in line or "tests/demo" in line]


class Machine:
    """A machine that jumpbox was never on."""

    def __init__(self, directory):
        self.dir = directory
        self.dockerd = None
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", FRESH],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"ready\n"

    def argv(self, *argv):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "--", *argv]

    def cli(self, *args, **kw):
        return run(*self.argv("docker", "--host", "unix:///var/run/docker.sock", *args), **kw)

    def docker(self, *args):
        return self.cli(*args).stdout.decode()

    def start_docker(self, with_container):
        """An engine where a machine has its own, which has run a container or still runs it."""
        with open(self.dir / "docker.log", "wb") as log:
            self.dockerd = subprocess.Popen(
                self.argv("dockerd", "--host", "unix:///var/run/docker.sock", "--group", "docker",
                          "--data-root", str(self.dir / "data"), "--exec-root", str(self.dir / "exec"),
                          "--pidfile", str(self.dir / "docker.pid"), "--bridge=none", "--iptables=false",
                          "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_for(lambda: self.cli("version", check=False).returncode == 0, 60, f"the engine (log in {self.dir})")
        run(HERE / "images", IMAGES, timeout=600)
        self.docker("import", str(IMAGES / "busybox.tar"), "theirs:kept")
        self.docker("run", "--detach", "--init", "--network", "none", "--name", "theirs", "theirs:kept",
                    "sleep", "1000000")
        if not with_container:
            self.docker("rm", "--force", "theirs")

    def traces(self):
        """Everything that a demo could leave."""
        root = pathlib.Path(f"/proc/{self.holder.pid}/root")
        seen = {name: (root / "etc" / name).read_text() for name in ("passwd", "shadow", "group", "gshadow")}
        mounts = [line.split()[1] for line in open(f"/proc/{self.holder.pid}/mounts")]
        ours = (str(self.dir), "/tmp/jumpbox-lab-")  # those of this and other tests come and go
        seen["mounts"] = sorted(m for m in mounts if not m.startswith(ours))
        seen["files"] = run(*self.argv("find", "/etc/docker", "/opt", "/var/run/", "-path", "/var/run/etc", "-prune",
                                       "-o", "-print"), check=False).stdout.decode().split()
        seen["work"] = [str(p) for d in ("/tmp", "/var/tmp") for p in pathlib.Path(d).glob("jumpbox-demo*")]
        seen["programs"] = programs()
        if self.dockerd:
            seen["containers"] = self.docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}")
            seen["images"] = self.docker("images", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}")
            seen["volumes"] = self.docker("volume", "ls", "--quiet")
        return seen

    def demo(self):
        argv = self.argv("make", "-s", "-C", str(TOP), "demo")
        return pexpect.spawn(argv[0], argv[1:], timeout=300, encoding="utf-8", dimensions=(50, 200))

    def close(self):
        if self.dockerd:
            for name in self.docker("ps", "--all", "--quiet").split():
                self.cli("rm", "--force", "--volumes", name)
            self.dockerd.terminate()
            self.dockerd.wait(30)
        self.holder.stdin.close()
        self.holder.wait(10)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    m = Machine(tmp_path)
    yield m
    m.close()


def interrupt(t):
    t.sendintr()
    t.expect(pexpect.EOF, timeout=60)
    t.close()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 2026), 1):
        pass


def assert_same(before, after):
    for what in before:
        assert after[what] == before[what], what


@pytest.mark.parametrize("engine, shown", [
    ("none", ["demo-busybox", "demo-debian"]),
    ("without containers", ["demo-busybox", "demo-debian"]),
    ("with a container", ["theirs"]),
])
def test_demo(machine, engine, shown):
    if engine != "none":
        machine.start_docker(with_container=engine == "with a container")
    if engine == "with a container":  # and jumpbox itself
        for user in ("jumpbox", "jumpbox-session"):
            run(*machine.argv("useradd", "--system", "--user-group", user))
    before = machine.traces()
    t = machine.demo()
    t.expect(r"(ssh -p 2026 [^\r\n]*)\r\n\s*password: (\S+)\r\n")
    line, password = t.match.groups()
    assert password not in PASSWORDS
    PASSWORDS.add(password)
    s = pexpect.spawn(line, timeout=30, encoding="utf-8", dimensions=(24, 80), env={**os.environ, "TERM": "dumb"})
    s.expect(r"assword: ")
    s.sendline(password)
    s.expect(r"quit\)[^:]*: ")
    assert re.findall(r"^ +\d+  (\S+) +running ", s.before, re.M) == shown
    s.sendline("1")
    s.sendline("echo in''side; exit")
    s.expect("inside\r\n")
    s.expect(r"quit\)[^:]*: ")
    s.sendline("q")
    s.expect(pexpect.EOF)
    interrupt(t)
    assert_same(before, machine.traces())


@pytest.mark.parametrize("program", [" -c -o ", "dockerd --host"])
def test_demo_interrupted(machine, program):
    before = machine.traces()
    t = machine.demo()
    wait_for(lambda: any(program in line for line in programs()), 200, program)
    interrupt(t)
    assert_same(before, machine.traces())
