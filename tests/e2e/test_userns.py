"""Containers whose root is nobody on their node: what the helper does in a user namespace."""

import contextlib
import os

import pytest

from lab import Engine, ended, free_port, live_terminal, wait_for
from test_files import nothing_left, sftp
from test_forward import ask, client, serve

IDS = Engine.IDS
MAPPED = tuple(f"--{kind}idmap=0:{IDS}:65536" for kind in "ug")
# Kept apart: what an image allows, and where the helper finds a place in it.
BOXES = {
    "root": ("busybox", ()),
    "user": ("busybox", ("--user", "1000:1000")),
    "read-only": ("busybox", ("--read-only", "--tmpfs", "/tmp:exec")),
    "read-only-user": ("busybox", ("--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run:exec", "--user", "1000:1000")),
    "noshell": ("noshell", ()),
}


@pytest.fixture(scope="module")
def mapped(request, lab):
    """A jump host over an engine that maps ids, and the options with which its containers have them mapped."""
    host = lab.site(lab.engine(request.param)).start()
    host.mapped = MAPPED if request.param == "podman" else ()
    yield host
    host.stop()


@contextlib.contextmanager
def box(host, name):
    image, options = BOXES[name]
    name = host.engine.container(f"ns-{name}", image, *host.mapped, *options)
    try:
        host.wait_for_container(name)
        yield name
    finally:
        host.engine.remove(name)


@pytest.mark.parametrize("mapped, kind", [*(("userns", kind) for kind in BOXES), ("podman", "root"),
                                          ("podman", "read-only-user")], indirect=["mapped"])
def test_the_helper_in_a_user_namespace(mapped, tmp_path, kind):
    uid = 1000 if "user" in kind else 0
    with box(mapped, kind) as name:
        login = f"alice+{name}"
        if kind != "noshell":
            assert mapped.ssh(login, "cat /proc/self/uid_map").stdout.split() == [b"0", b"%d" % IDS, b"65536"]
            r = mapped.ssh(login, "id -u; cat >&2; exit 42", input=b"\0\xff")
            assert (r.returncode, r.stdout, r.stderr) == (42, b"%d\n" % uid, b"\0\xff")
            t = live_terminal(mapped, login)
            t.sendline("stty size; tty; exit 5")
            t.expect(rb"24 80\r\n/dev/pts/\d+\r\n")
            assert ended(t) == 5
            serve(mapped, name, 8080, "httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/etc")
            port = free_port()
            with client(mapped, login, "-L", f"{port}:localhost:8080"):
                assert b"root:x:0" in ask(port)
            mapped.engine.exec(name, "killall", "httpd")
        (tmp_path / "data").write_bytes(bytes(range(256)) * 4096)
        r = sftp(mapped, login, f"put {tmp_path}/data /tmp/up\nget /tmp/up {tmp_path}/back\n")
        assert r.returncode == 0 and (tmp_path / "back").read_bytes() == (tmp_path / "data").read_bytes(), r.stderr
        pid = mapped.engine.cli("inspect", "--format", "{{.State.Pid}}", name).stdout.decode().strip()
        owner = os.stat(f"/proc/{pid}/root/tmp/up")
        assert (owner.st_uid, owner.st_gid) == (IDS + uid, IDS + uid)
        wait_for(lambda: nothing_left(mapped, name, kind != "noshell"), 20, "nothing to be left")
    assert "attach.refused" not in mapped.log_text() and "helper.refused" not in mapped.log_text()
