"""The service as the README installs it, under a real systemd.

The machine is this one's own file system below an overlay, booted by
systemd-nspawn with the network of the host: what is installed and changed
there goes with the test.  Its Docker socket is that of an engine of the test.
"""

import grp
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pexpect
import pytest

from lab import Engine, JumpHost, free_port, run, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="booting a machine needs root"),
    pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="the service is what users get"),
]


class Machine:
    def __init__(self, directory, engine):
        self.dir = pathlib.Path(directory)
        self.root = self.dir / "root"
        self.upper = self.dir / "layer/upper"
        self.log = self.dir / "console"
        self.dir.mkdir()
        (self.dir / "layer").mkdir()
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.dir / "layer")
        for d in (self.upper, self.dir / "layer/work", self.root):
            d.mkdir()
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir=/,upperdir={self.upper},workdir={self.dir}/layer/work", self.root)
        self.prepare()
        self.boot(engine)

    def prepare(self):
        """As new: without jumpbox's users and files, and without other services."""
        for name in ("passwd", "shadow", "group", "gshadow"):
            for path in (self.root / "etc" / name, self.root / "etc" / (name + "-")):
                if path.exists():
                    lines = [line for line in path.read_text().splitlines(True) if not line.startswith("jumpbox")]
                    path.write_text("".join(lines))
        for path in ("etc/jumpbox", "var/lib/jumpbox", "var/empty/jumpbox"):
            shutil.rmtree(self.root / path, ignore_errors=True)
        units = self.root / "etc/systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        for unit in ("docker.socket", "docker.service", "podman.socket", "containerd.service", "systemd-networkd.socket",
                     "ssh.service", "systemd-timesyncd.service", "apt-daily.timer", "apt-daily-upgrade.timer"):
            path = units / unit
            path.unlink(missing_ok=True)
            path.symlink_to("/dev/null")

    def boot(self, engine):
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen(
                ["systemd-nspawn", f"--directory={self.root}", "--register=no", "--keep-unit", "--console=pipe",
                 f"--bind={engine.socket}:/run/docker.sock", "--boot", "systemd.unit=basic.target"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        children = pathlib.Path(f"/proc/{self.proc.pid}/task/{self.proc.pid}/children")

        def booted():
            assert self.proc.poll() is None, self.log.read_text(errors="replace")[-2000:]
            self.leader = next(iter(children.read_text().split()), None)
            return self.leader and self.do("systemctl", "is-active", "basic.target", check=False).returncode == 0
        wait_for(booted, 60, "the machine to boot")

    def do(self, *argv, check=True, **kw):
        """A command in the machine."""
        return run("nsenter", "--target", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--", *argv,
                   check=check, **kw)

    def show(self, name):
        return self.do("systemctl", "show", "--value", "--property", name, "jumpbox").stdout.decode().strip()

    def journal(self):
        return self.do("journalctl", "--quiet", "--unit", "jumpbox", "--output", "cat").stdout.decode()

    def write(self, path, text):
        self.do("mkdir", "-p", str(pathlib.Path(path).parent))
        self.do("tee", path, input=text.encode())

    def close(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)  # an orderly shutdown
            try:
                self.proc.wait(30)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(10)
        for mount in (self.root, self.dir / "layer"):
            run("umount", "--lazy", mount, check=False)


class Service(JumpHost):
    """jumpbox in a machine, for the clients of the lab."""

    def __init__(self, directory, machine):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir()
        self.machine = machine
        self.port = free_port()
        self.key = self.dir / "id_ed25519"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)

    def ctl(self, *args, check=True, **kw):
        return self.machine.do("jumpboxctl", *args, check=check, **kw)


@pytest.fixture(scope="module")
def service(lab):
    """The README's "Keep it", line by line."""
    engine = Engine("docker", lab.dir / "systemd-engine").start()
    os.chown(engine.socket, 0, grp.getgrnam("docker").gr_gid)
    engine.container("web", "busybox")
    m = Machine(lab.dir / "machine", engine)
    try:
        run("make", "-s", f"-j{os.cpu_count()}", "-C", TOP, "PREFIX=/usr/local", "BUILD=build/usr-local",
            f"DESTDIR={m.root}", "install", timeout=300)
        m.do("systemd-sysusers")
        m.do("systemd-tmpfiles", "--create", check=False)  # others' entries may fail here
        m.do("usermod", "-aG", "docker", "jumpbox")
        s = Service(lab.dir / "service", m)
        m.write("/etc/jumpbox/jumpbox.conf", f"port {s.port}\nlisten-address 127.0.0.1\n")
        m.do("systemctl", "daemon-reload")
        s.ctl("user", "add", "alice", "--admin", "--password-stdin", input=b"correct horse\n")
        s.ctl("key", "add", "alice", "-", input=pathlib.Path(f"{s.key}.pub").read_bytes())
        r = m.do("systemctl", "enable", "--now", "jumpbox", check=False, timeout=60)
        assert r.returncode == 0, m.journal()
        yield s
    finally:
        m.close()
        engine.stop()


@pytest.fixture
def live(service):
    t = service.terminal("alice+web")
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    yield t
    t.close(force=True)


def still_works(t):
    t.sendline("echo st''ill")
    t.expect(b"still\r\n")


def test_it_is_ready_when_the_start_returns(service):
    m = service.machine
    assert m.show("ActiveState") == "active" and m.show("UnitFileState") == "enabled"
    r = service.ssh("alice+local+web", "echo in")
    assert (r.returncode, r.stdout) == (0, b"in\n"), r.stderr
    assert service.ssh_password("alice+web", "correct horse", "exit 3").returncode == 3


def test_the_unit_and_its_users_are_sound(service):
    m = service.machine
    r = m.do("systemd-analyze", "verify", "jumpbox.service")
    assert b"jumpbox" not in r.stdout + r.stderr, r
    assert m.do("stat", "-c", "%U:%G %a", "/run/jumpbox", "/var/lib/jumpbox", "/var/empty/jumpbox").stdout == (
        b"root:jumpbox 1775\njumpbox:jumpbox 700\nroot:root 555\n")
    r = service.ctl("check")
    assert b"bad" not in r.stdout.lower(), r.stdout


def test_the_session_is_jailed_in_the_service_too(service, live):
    m = service.machine
    status = m.do("sh", "-c", "for p in $(pgrep -u jumpbox-session); do "
                              "grep -E '^(Seccomp|NoNewPrivs):' /proc/$p/status; readlink /proc/$p/root; done").stdout
    assert b"Seccomp:\t2\n" in status and b"NoNewPrivs:\t0" not in status
    assert b"/var/empty/jumpbox\n" in status and b"\n/\n" not in status


def test_a_restart_ends_no_session(service, live):
    m = service.machine
    before = m.show("MainPID")
    m.do("systemctl", "restart", "jumpbox", timeout=60)
    assert m.show("MainPID") != before and m.show("ActiveState") == "active"
    still_works(live)
    assert service.ssh("alice+web", "echo new").stdout == b"new\n"
    service.live()


def test_a_reload_keeps_the_process_and_its_sessions(service, live):
    m = service.machine
    before, starts = m.show("MainPID"), m.journal().count("server.start")
    m.do("systemctl", "reload", "jumpbox")
    wait_for(lambda: m.journal().count("server.start") > starts, 20, "another start")
    wait_for(lambda: m.show("ActiveState") == "active", 20, "the reload to be over")
    assert m.show("MainPID") == before and m.show("NRestarts") == "0"
    still_works(live)
    assert service.ssh("alice+web", "echo new").stdout == b"new\n"


def test_the_watchdog_replaces_a_supervisor_that_hangs(service, live):
    m = service.machine
    m.write("/run/systemd/system/jumpbox.service.d/soon.conf", "[Service]\nWatchdogSec=2\n")
    m.do("systemctl", "daemon-reload")
    m.do("systemctl", "restart", "jumpbox", timeout=60)
    before = m.show("MainPID")
    m.do("kill", "-STOP", before)
    wait_for(lambda: m.show("MainPID") not in (before, "0") and m.show("ActiveState") == "active", 30, "another supervisor")
    m.do("rm", "/run/systemd/system/jumpbox.service.d/soon.conf")  # who is late on this machine does not hang
    m.do("systemctl", "daemon-reload")
    m.do("systemctl", "restart", "jumpbox", timeout=60)
    still_works(live)
    assert service.ssh("alice+web", "echo new").stdout == b"new\n"


def test_a_wrong_configuration_is_not_tried_again(service, live):
    m = service.machine
    good = m.do("cat", "/etc/jumpbox/jumpbox.conf").stdout.decode()
    m.write("/etc/jumpbox/jumpbox.conf", good + "prot 22\n")
    try:
        r = m.do("systemctl", "restart", "jumpbox", check=False, timeout=60)
        assert r.returncode != 0
        assert m.show("ActiveState") == "failed"
        wait_for(lambda: re.search(r"/etc/jumpbox/jumpbox.conf:3: .*prot", m.journal()), 20, "the journal's line")
        still_works(live)
    finally:
        m.write("/etc/jumpbox/jumpbox.conf", good)
    m.do("systemctl", "reset-failed", "jumpbox")
    m.do("systemctl", "start", "jumpbox", timeout=60)
    assert service.ssh("alice+web", "echo new").stdout == b"new\n"


def test_the_shutdown_of_the_host_ends_sessions_with_a_reason(service, live):
    service.machine.do("systemctl", "poweroff", check=False)
    live.expect(b"shutting down", timeout=20)
    live.expect(pexpect.EOF, timeout=20)
    assert service.machine.proc.wait(60) == 0
