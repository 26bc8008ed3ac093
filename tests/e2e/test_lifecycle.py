"""Signals, restarts and deaths with live sessions."""

import os
import signal
import subprocess
import threading

import pexpect
import pytest

from lab import SLOW, Engine, ended, live_terminal, run, wait_for


def still_works(t):
    t.sendline("echo st''ill")
    t.expect(b"still\r\n")


def test_sigterm_leaves_live_sessions_and_a_new_supervisor_counts_them(own_host):
    host = own_host(max_sessions_per_user=2)
    t = live_terminal(host)
    assert host.stop(signal.SIGTERM, 5) == 0
    still_works(t)
    assert host.ssh("alice+bb", "true").returncode == 255  # nobody listens
    host.start()
    still_works(t)
    assert [s["user"] for s in host.ctl_json("session", "list")] == ["alice"]
    second = live_terminal(host)
    assert host.ssh("alice+bb", "true").returncode == 255  # two live ones, one from before
    # A change still ends the session that outlived its supervisor.
    host.ctl("user", "lock", "alice")
    t.expect(pexpect.EOF, timeout=10 * SLOW)
    assert b"locked" in t.before
    second.expect(pexpect.EOF, timeout=10 * SLOW)


def test_sigint_ends_sessions_with_a_reason(own_host):
    host = own_host()
    t = live_terminal(host)
    host.proc.send_signal(signal.SIGINT)
    t.expect(pexpect.EOF, timeout=10 * SLOW)
    assert b"shutting down" in t.before
    assert host.stop() == 0
    for role in ("jumpboxd", "jumpbox-session", "jumpbox-broker", "jumpbox-watcher"):
        wait_for(lambda: not host.processes(role), 10, f"{role} to be gone")


def test_sigint_ends_the_sessions_of_an_earlier_supervisor_too(own_host):
    host = own_host()
    earlier = live_terminal(host)
    assert host.stop(signal.SIGTERM, 5) == 0
    still_works(earlier)
    host.start()
    own = live_terminal(host)
    host.proc.send_signal(signal.SIGINT)
    for t in (earlier, own):
        t.expect(pexpect.EOF, timeout=10 * SLOW)
        assert b"shutting down" in t.before
    assert host.stop() == 0


def test_sighup_refuses_no_connection_and_keeps_sessions(own_host):
    host = own_host(log_level="info")
    t = live_terminal(host)
    failures, done, count = [], threading.Event(), [0]

    def connect():
        while not done.is_set():
            r = host.ssh("alice+bb", "true")
            count[0] += 1
            if r.returncode:
                failures.append(r)
    worker = threading.Thread(target=connect)
    worker.start()
    try:
        pid = host.proc.pid
        for i in range(3):
            before = count[0]
            host.proc.send_signal(signal.SIGHUP)
            wait_for(lambda: count[0] >= before + 3, 30, "three more logins")
        assert host.proc.poll() is None and host.proc.pid == pid
    finally:
        done.set()
        worker.join(60 * SLOW)
    assert not failures, (failures[0].stderr, host.log_text()[-2000:])
    still_works(t)
    # A changed configuration is in force; a broken one is refused and nothing ends.
    host.configure(banner="After the reload.")
    host.proc.send_signal(signal.SIGHUP)

    def banner():
        r = run(*host.ssh_argv("alice", "true", options=("-o", "LogLevel=INFO")), check=False)
        return b"After the reload." in r.stderr
    wait_for(banner, 10, "the new banner")
    host.conf.write_text("no-such-keyword 1\n")
    host.proc.send_signal(signal.SIGHUP)
    host.wait_for_log("no-such-keyword")
    still_works(t)
    assert host.ssh("alice+bb", "true").returncode == 0


def test_sigterm_to_a_broker_ends_its_session_with_a_reason(own_host):
    host = own_host()
    t = live_terminal(host)
    bystander = live_terminal(host)
    first = min(host.live(2), key=lambda s: s["id"])
    os.kill(first["pid"], signal.SIGTERM)
    t.expect(pexpect.EOF, timeout=10 * SLOW)
    assert b"shutting down" in t.before
    still_works(bystander)


@pytest.mark.parametrize("role", ("jumpbox-broker", "jumpbox-session"))
def test_a_killed_half_takes_only_its_own_session_and_leaves_no_exec(own_host, docker, role):
    host = own_host()
    host.may_crash = True
    docker.container("victim", "busybox")
    bystander = live_terminal(host)
    others = set(host.serving(role))
    t = host.terminal("alice+victim")
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    # Alone, once the child that asked the engine has ended.
    mine, = wait_for(lambda: len(now := set(host.serving(role)) - others) == 1 and now, 10, f"the {role}")
    os.kill(mine, signal.SIGKILL)
    t.expect(pexpect.EOF, timeout=10 * SLOW)

    def shell_gone():
        return not [c for _, _, c in docker.processes("victim") if "sh" in c.split()[0]]
    wait_for(shell_gone, 15, "the shell to be cleaned up")
    still_works(bystander)
    assert host.ssh("alice+bb", "true").returncode == 0
    wait_for(lambda: len(host.ctl_json("session", "list")) == 1, 15, "one live row")
    docker.remove("victim")


def test_zygotes_are_replaced_after_a_crash(own_host):
    host = own_host()
    host.may_crash = True
    first = set(host.processes("jumpbox-session"))
    assert len(first) == 1
    t = live_terminal(host)
    child, = host.serving("jumpbox-session")
    os.kill(child, signal.SIGSEGV)
    t.expect(pexpect.EOF, timeout=10 * SLOW)
    wait_for(lambda: set(host.processes("jumpbox-session")).isdisjoint(first | {child})
             and host.processes("jumpbox-session"), 10, "a new zygote")
    assert host.ssh("alice+bb", "true").returncode == 0


@pytest.mark.parametrize("kind", ("docker", "tls"))
def test_dockerd_killed_and_restarted(lab, kind):
    engine = Engine(kind, lab.dir / f"killed-{kind}").start()
    engine.container("survivor", "busybox")
    host = lab.site(engine).start()
    t = live_terminal(host, "alice+survivor")
    p = host.popen("alice+survivor", "echo in; sleep 1000", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)
    assert p.stdout.readline() == b"in\n"
    engine.kill()
    assert ended(t, timeout=30) == 255
    out, err = p.communicate(timeout=30 * SLOW)
    assert out == b"" and p.returncode == 255
    for said in (t.before, err):  # what happened, in our words
        assert b"jumpbox: " in said and b"http" not in said and b"/exec/" not in said
    r = host.ssh("alice+survivor", "true")
    assert r.returncode == 69 and r.stderr.count(b"\n") == 1 and b"http" not in r.stderr
    engine.start()
    wait_for(lambda: host.ssh("alice+survivor", "echo in").stdout == b"in\n", 30, "the engine's return")
    host.stop()
    engine.stop()


def test_a_node_of_another_ca_and_one_without_tls(lab):
    engine = lab.engine("tls")
    engine.container("reach", "busybox")
    host = lab.host()
    host.user("root1", "--admin")
    c = engine.certs
    good = ("--cert", c / "client.pem", "--key", c / "client.key")
    for name, flags, word in (
            ("wrongca", ("--ca", c / "otherca.pem", *good), b"certificate"),
            ("stranger", ("--ca", c / "ca.pem", "--cert", c / "stranger.pem", "--key", c / "stranger.key"),
             b"certificate")):
        host.ctl("node", "add", name, engine.url, *flags)
        r = host.ctl("node", "test", name, check=False)
        assert r.returncode == 69 and word in r.stderr and r.stderr.count(b"\n") == 1, r.stderr
        host.ctl("node", "del", name)
    r = host.ctl("node", "add", "plain", "tcp://127.0.0.1:2375", check=False)
    assert r.returncode == 65 and b"--insecure" in r.stderr
    host.ctl("node", "add", "plain", "tcp://127.0.0.1:2375", "--insecure")
    assert any(n["name"] == "plain" and n["insecure"] for n in host.ctl_json("node", "list"))


def test_backup_under_load_restores(own_host):
    host = own_host()
    done, errors = threading.Event(), []

    def load():
        while not done.is_set():
            r = host.ssh("alice+bb", "true")
            if r.returncode:
                errors.append((r.returncode, r.stderr))
    workers = [threading.Thread(target=load) for _ in range(2)]
    for w in workers:
        w.start()
    try:
        for i in range(5):
            host.ctl("backup", host.dir / f"backup{i}")
    finally:
        done.set()
        for w in workers:
            w.join(60 * SLOW)
    assert not errors
    host.stop()
    users = host.ctl_json("user", "list")
    host.ctl("restore", host.dir / "backup4")
    assert {u["name"] for u in host.ctl_json("user", "list")} == {u["name"] for u in users}
    assert host.ctl("check", check=False).returncode == 0
    host.start()
    assert host.ssh("alice+bb", "echo in").stdout == b"in\n"


def test_changes_are_seen_without_a_restart(host):
    host.ctl("user", "add", "sudden", "--password-stdin", input=b"sudden password\n")
    host.ctl("grant", "add", "sudden", "bb")
    assert host.ssh_password("sudden+bb", "sudden password", "echo in").stdout == b"in\n"
    host.ctl("user", "passwd", "sudden", "--password-stdin", input=b"another password\n")
    assert host.ssh_password("sudden+bb", "sudden password", "true").returncode == 255
    assert host.ssh_password("sudden+bb", "another password", "true").returncode == 0


def test_live_idle_timeout_names_its_reason(own_host):
    host = own_host(idle_timeout=3)
    t = live_terminal(host)
    t.expect(pexpect.EOF, timeout=20 * SLOW)
    assert b"idle" in t.before


def test_keepalive_finds_a_dead_peer(own_host):
    """A client that is stopped answers no probe: its session ends."""
    host = own_host(client_alive_interval=1, client_alive_count_max=2)
    p = host.popen("alice+bb", "sleep 1000", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: host.ctl_json("session", "list"), 20, "the session")
    p.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: not host.ctl_json("session", "list"), 20, "the session's end")
    finally:
        p.kill()
        p.wait(10)
