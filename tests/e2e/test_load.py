"""Many connections: silent ones, limits, and nothing growing."""

import os
import pathlib
import select
import socket
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import SLOW, wait_for


class Silent:
    """2,000 connections from 200 addresses that say nothing; those that the server drops come back."""

    AGAIN_S = 0.01 * SLOW  # between two that come back

    def __init__(self, port):
        self.port = port
        self.addresses = {}  # by socket
        self.served, self.dropped = set(), 0
        self.poll = select.epoll()
        self.by_fd = {}
        for i in range(2000):
            self._open(f"127.1.0.{1 + i % 200}")
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._come_back)

    def _open(self, address):
        s = socket.socket()
        s.bind((address, 0))
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", self.port))
        self.by_fd[s.fileno()] = s
        self.addresses[s] = address
        self.poll.register(s, select.EPOLLIN)

    def look(self):
        """The addresses of those that were dropped since; who got the server's first line is served."""
        back = []
        for fd, _ in self.poll.poll(0):
            s = self.by_fd[fd]
            try:
                alive = len(s.recv(4096)) > 0
            except BlockingIOError:
                continue
            except OSError:
                alive = False
            if alive:
                self.served.add(s)
                continue
            self.served.discard(s)
            self.dropped += 1
            back.append(self.addresses.pop(s))
            del self.by_fd[fd]
            s.close()
        return back

    def _come_back(self):
        back = []
        while not self.done.wait(self.AGAIN_S):
            back += self.look()
            if back:
                self._open(back.pop(0))

    def close(self):
        self.done.set()
        if self.thread.ident:
            self.thread.join()
        for s in self.addresses:
            s.close()


def test_2000_silent_connections_and_a_real_login(own_host):
    host = own_host(listen_address="127.0.0.1", max_startups=100, max_startups_per_source=20,
                    login_grace_time=60)

    def by_key():
        start = time.monotonic()
        r = host.ssh("alice+bb", "true", options=("-b", "127.0.0.2"))
        assert r.returncode == 0, r.stderr
        return time.monotonic() - start

    def by_password():
        start = time.monotonic()
        r = host.ssh_password("alice+bb", "correct horse", "true", options=("-b", "127.0.0.2"))
        assert r.returncode == 0, r.stderr
        return time.monotonic() - start
    by_key()
    hashing = statistics.median(by_password() for _ in range(5)) - statistics.median(by_key() for _ in range(5))
    silent = Silent(host.port)
    try:
        # Each has been dropped, or was accepted and has the server's first line.
        def settled():
            silent.look()
            return len(silent.served) == len(silent.addresses) <= 100
        wait_for(settled, 30, "all 2,000 to be accepted or dropped")
        assert len(silent.served) >= 90
        silent.thread.start()
        took, most = [], 0
        with ThreadPoolExecutor(1) as pool:
            for _ in range(3):
                dropped = silent.dropped
                login = pool.submit(by_password)
                while not login.done():
                    most = max(most, len(host.processes("jumpbox-session")))
                took.append(login.result())
                assert silent.dropped > dropped, "nobody was there"
    finally:
        silent.close()
    assert max(took) < 1.0 * SLOW + max(hashing, 0), (took, hashing)
    assert 90 <= most <= 110, f"{most} sessions"  # the unauthenticated, the zygote, the login and what is on its way out


WATCHERS = ("watcher of the database", "watcher of the node")
ROLES = ("jumpboxd", "jumpbox-session", "jumpbox-broker", *WATCHERS)


def processes(host):
    """{role: its pids}; all that live long are one of each."""
    found = {role: host.processes(role) for role in ROLES[:3]}
    numbers = sorted(host.watchers().items())
    return {**found, WATCHERS[0]: [pid for n, pid in numbers if n == 0], WATCHERS[1]: [pid for n, pid in numbers if n]}


def usage(host):
    """Of each long-lived process: {role: (pid, descriptors, private memory in KiB)}."""
    found = {}
    for role, (pid,) in processes(host).items():
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        kib = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_Dirty:"))
        found[role] = pid, len(os.listdir(f"/proc/{pid}/fd")), kib
    return found


@pytest.mark.timeout(900)
@pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="memory of the real build is what is measured")
def test_descriptors_processes_and_memory_are_flat_after_1000_logins(own_host):
    """950 of them with one pair of zygotes, which are replaced after 1,000 connections; then over that."""
    host = own_host(log_level="info", max_startups=100)
    pool = ThreadPoolExecutor(4)

    def login(i):
        return host.ssh("alice+bb", "true").returncode if i % 10 == 0 else host.ssh("alice", "help").returncode

    def after(n):
        assert set(pool.map(login, range(n))) == {0}
        wait_for(lambda: not host.ctl_json("session", "list"), 20, "all sessions to end")
        wait_for(lambda: all(len(pids) == 1 for pids in processes(host).values()), 20, "only the long-lived processes")
        return usage(host)

    def flat(before, now, roles):
        for role in roles:
            assert now[role][1] == before[role][1], (role, before, now)
            assert now[role][2] <= before[role][2] + 256, (role, before, now)
    with pool:
        warm, late = after(50), after(900)
        assert [late[role][0] for role in ROLES] == [warm[role][0] for role in ROLES], "another process"
        flat(warm, late, ROLES)
        over = after(100)
    for role in ("jumpbox-session", "jumpbox-broker"):
        assert over[role][0] != warm[role][0], f"the {role} zygote was not replaced"
        assert not pathlib.Path(f"/proc/{warm[role][0]}").exists()
    for role in ("jumpboxd", *WATCHERS):
        assert over[role][0] == warm[role][0]
    flat(warm, over, ROLES)


def test_limits_of_sessions(own_host):
    host = own_host(max_sessions_per_user=3)
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
