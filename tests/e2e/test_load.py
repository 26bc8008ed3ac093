"""Many connections: silent ones, limits, and nothing growing."""

import os
import pathlib
import socket
import time

import pytest

from lab import SLOW, wait_for


def test_2000_silent_connections_and_a_real_login(own_host):
    host = own_host(listen_address="127.0.0.1", max_startups=100, max_startups_per_source=20,
                    login_grace_time=60)
    host.ssh("alice+bb", "true")
    silent = []
    baseline = login_seconds(host)
    try:
        for i in range(200):
            for _ in range(10):
                s = socket.socket()
                s.bind((f"127.1.{i // 250}.{1 + i % 250}", 0))
                s.setblocking(False)
                s.connect_ex(("127.0.0.1", host.port))
                silent.append(s)
        under = min(login_seconds(host) for _ in range(3))
    finally:
        for s in silent:
            s.close()
    assert under < baseline + 1.0 * SLOW, (baseline, under)
    assert len(host.processes("jumpbox-session")) <= 110


def login_seconds(host):
    start = time.monotonic()
    r = host.ssh_password("alice+bb", "correct horse", "true", options=("-b", "127.0.0.2"))
    assert r.returncode == 0, r.stderr
    return time.monotonic() - start


def usage(host):
    """Of the long-lived processes: how many, their descriptors and their private memory in KiB."""
    n = fds = kib = 0
    for role in ("jumpboxd", "jumpbox-session", "jumpbox-broker", "jumpbox-watcher"):
        for pid in host.processes(role):
            n += 1
            fds += len(os.listdir(f"/proc/{pid}/fd"))
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Private_Dirty:"):
                    kib += int(line.split()[1])
    return n, fds, kib


@pytest.mark.timeout(900)
@pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="memory of the real build is what is measured")
def test_descriptors_processes_and_memory_are_flat_after_1000_logins(own_host):
    from concurrent.futures import ThreadPoolExecutor
    host = own_host(log_level="info", max_startups=100)

    def login(_):
        return host.ssh("alice", "help").returncode

    def settle():
        wait_for(lambda: not host.ctl_json("session", "list"), 20, "all sessions to end")
        wait_for(lambda: usage(host)[0] == 4, 20, "only the long-lived processes")
        return usage(host)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(login, range(100))) == {0}
        before = settle()
        assert set(pool.map(login, range(900))) == {0}
        after = settle()
    assert after[:2] == before[:2], (before, after)
    assert after[2] < before[2] + 2048, (before, after)


def test_limits_of_sessions(own_host):
    host = own_host(max_sessions_per_user=3)
    import subprocess
    live = []
    try:
        for _ in range(3):
            p = host.popen("alice+bb", "echo up; cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert p.stdout.readline() == b"up\n"
            live.append(p)
        assert host.ssh("alice+bb", "true").returncode == 255
        assert host.ssh("root1+bb", "true").returncode == 0
        live.pop().kill()
        wait_for(lambda: host.ssh("alice+bb", "true").returncode == 0, 10, "a free place")
    finally:
        for p in live:
            p.kill()
            p.wait(10)


def test_unauthenticated_limit_per_source_drops_the_oldest(own_host):
    host = own_host(max_startups_per_source=5)
    held = [socket.create_connection(("127.0.0.1", host.port)) for _ in range(12)]
    for s in held:
        s.settimeout(0.05)

    def closed(s):
        try:
            while True:
                if not s.recv(256):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
    wait_for(lambda: sum(closed(s) for s in held) >= 6, 10, "the oldest to be dropped")
    assert not closed(held[-1])
    for s in held:
        s.close()
