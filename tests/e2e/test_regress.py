"""What once went wrong: stale names, a key past --must-change, inherited environments, a hung watcher."""

import contextlib
import os
import pathlib
import signal
import subprocess

from lab import SLOW, wait_for


def which(host, login, text):
    """What the container of that name says it is: at no time another one, and soon."""
    def says():
        r = host.ssh(login, "cat /which")
        assert r.stdout in (b"", text), r
        return r.stdout == text
    wait_for(says, 10, f"{login} to be {text}")


def test_a_name_given_to_another_container_is_never_the_old_one(host, docker):
    docker.container("victim")
    docker.exec("victim", "sh", "-c", "echo old >/which")
    try:
        which(host, "alice+victim", b"old\n")
        docker.remove("renamed")
        docker.image("busybox")
        docker.cli("create", "--init", "--network", "none", "--name", "next", "busybox:latest", "sleep", "1000000")
        docker.cli("start", "next")
        docker.exec("next", "sh", "-c", "echo new >/which")
        for _ in range(3):  # there and back, each within the second that an inventory is good for
            which(host, "alice+victim", b"old\n")
            docker.cli("rename", "victim", "renamed")
            docker.cli("rename", "next", "victim")
            which(host, "alice+victim", b"new\n")
            docker.cli("rename", "victim", "next")
            docker.cli("rename", "renamed", "victim")
            which(host, "alice+victim", b"old\n")
    finally:
        for name in ("victim", "next", "renamed"):
            docker.remove(name)


def test_a_renamed_container_is_found_by_its_new_name_and_its_id(host, docker):
    docker.container("before")
    try:
        ident = docker.cli("inspect", "--format", "{{.Id}}", "before").stdout.decode().strip()
        wait_for(lambda: host.ssh("alice+before", "true").returncode == 0, 10, "its first name")
        docker.cli("rename", "before", "after")
        assert host.ssh(f"alice+{ident[:12]}", "echo in").stdout == b"in\n"
        docker.cli("rename", "after", "later")
        r = host.ssh("alice+after", "true")
        assert r.returncode == 66, r
        wait_for(lambda: host.ssh("alice+later", "echo in").stdout == b"in\n", 10, "its newest name")
    finally:
        for name in ("before", "after", "later"):
            docker.remove(name)


def test_must_change_holds_for_a_key_too(host):
    host.ctl("user", "add", "mc", "--password-stdin", "--must-change", input=b"first password\n")
    host.ctl("key", "add", "mc", f"{host.key}.pub")
    host.ctl("grant", "add", "mc", "bb")
    r = host.ssh("mc+bb", "echo in")
    assert r.returncode == 77 and r.stdout == b"" and b"password" in r.stderr
    t = host.terminal("mc+bb")
    t.expect(b"New password: ")
    t.sendline("first password")
    t.expect(b"again: ")
    t.sendline("first password")
    t.expect(b"must not be the old one")
    t.expect(b"New password: ")
    t.sendline("second password")
    t.expect(b"again: ")
    t.sendline("second password")
    t.expect(b"is changed")
    t.sendline("echo in''side; exit")
    t.expect(b"inside\r\n")
    t.close()
    assert host.ssh("mc+bb", "echo in").stdout == b"in\n"
    assert host.ssh_password("mc+bb", "first password", "true").returncode == 255
    assert host.ssh_password("mc+bb", "second password", "true").returncode == 0


def test_roles_do_not_inherit_the_environment(own_host):
    host = own_host(start=False)
    host.start(env={**os.environ, "REV_SECRET": "x", "OPENSSL_CONF": "/nonexistent", "TZ": "UTC"})
    live = host.popen("alice+bb", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        live.stdin.write(b"x\n")
        live.stdin.flush()
        assert live.stdout.readline() == b"x\n"
        for role, at_least in (("jumpbox-session", 2), ("jumpbox-broker", 2), ("jumpbox-watcher", 1)):
            pids = host.processes(role)
            assert len(pids) >= at_least, role
            for pid in pids:
                env = []
                with contextlib.suppress(OSError):
                    env = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                names = {e.partition(b"=")[0] for e in env if e}
                assert b"TZ" in names or pid not in host.processes(role), role  # or it has ended
                assert names <= {b"PATH", b"GLIBC_TUNABLES", b"TZ", b"LANG", b"ASAN_OPTIONS", b"UBSAN_OPTIONS"}, role
    finally:
        live.kill()
        live.wait(10)
        live.stdin.close()
        live.stdout.close()


def test_a_hung_watcher_is_replaced(own_host):
    host = own_host()
    watcher = wait_for(lambda: host.watchers().get(0), 10, "a watcher")
    os.kill(watcher, signal.SIGSTOP)
    host.wait_for_log("watcher.silent", 45)
    wait_for(lambda: host.watchers().get(0) not in (None, watcher), 10, "another watcher")
    live = host.popen("alice+bb", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        live.stdin.write(b"x\n")
        live.stdin.flush()
        assert live.stdout.readline() == b"x\n"
        host.ctl("user", "lock", "alice")
        live.wait(10 * SLOW)
    finally:
        live.kill()
        live.wait(10)
        live.stdin.close()
        live.stdout.close()
