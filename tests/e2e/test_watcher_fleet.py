"""A Docker, two behind TLS and a Podman: three of them fall ill while people are in the menu and in shells."""

import signal
import threading
import time

import pytest

from lab import SLOW, Engine, ended, live_terminal, wait_for
from screen import Screen

SICK = {"killed", "frozen", "mistaken"}
PAINT, ANSWER = 2, 2  # seconds, ten times what they take: only waiting for a node takes as long


class Typist:
    """Somebody in a shell, who types the next line when the last one was answered."""

    def __init__(self, host, login):
        self.terminal = live_terminal(host, login)
        self.lines, self.slowest = 0, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.type)
        self.thread.start()

    def type(self):
        while not self.over.is_set():
            start = time.monotonic()
            self.terminal.sendline(f"echo line$(({self.lines}))")
            self.terminal.expect_exact(f"line{self.lines}\r\n".encode())
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.lines += 1

    def leave(self):
        """How many lines were answered, and after how long at most."""
        self.over.set()
        self.thread.join(60)
        self.terminal.sendline("exit 7")
        assert ended(self.terminal) == 7
        return self.lines, self.slowest


def first_paint(host):
    """Seconds until somebody who logs in now sees all of the menu."""
    start = time.monotonic()
    t = host.terminal("alice", rows=50, cols=132)
    t.expect(rb"quit")  # the last of what is drawn; `q` has another colour
    took = time.monotonic() - start
    t.send("q")
    assert ended(t) == 0
    return took


@pytest.fixture
def fleet(lab, docker):
    """A jump host over four engines: `well`, and those that are to be SICK."""
    killed = Engine("tls", lab.dir / "fleet-killed").start()
    host = lab.host(node_list_interval=5, max_startups_per_source=100, backoff_after=0)
    try:
        killed.container("bb")
        host.user("alice")
        host.ctl("grant", "add", "alice", "*/bb")
        host.ctl("grant", "add", "alice", "*/fresh")
        host.node(docker, "well")
        host.node(killed, "killed")
        host.node(lab.engine("podman"), "frozen")
        host.node(lab.engine("tls"), "mistaken")
        yield host.start(), killed
    finally:
        lab.engine("podman").proc.send_signal(signal.SIGCONT)
        host.stop()
        killed.stop()


def test_three_of_four_nodes_fall_ill(fleet, lab, docker):
    host, killed = fleet
    podman, certs = lab.engine("podman"), lab.engine("tls").certs
    menu = Screen(host.ssh_argv("alice"), 132, 50)
    shells = [Typist(host, "alice+well+bb"), Typist(host, "alice+mistaken+bb")]  # that stream is open already

    def unreachable():
        """The nodes of the rows that say so, in the menu that was open all the while; None in the middle of a frame."""
        rows = [line.split() for line in menu.text() if " bb " in line]
        if len(rows) != 4:
            return None
        return {node for node in SICK | {"well"} for row in rows if node in row and "unreachable" in row}

    try:
        menu.expect("q quit")
        wait_for(lambda: unreachable() == set(), 10, "all of them well")
        killed.kill()
        podman.proc.send_signal(signal.SIGSTOP)
        host.ctl("node", "set", "mistaken", "ca", certs / "otherca.pem")

        paints = []
        deadline = time.monotonic() + 40 * SLOW
        while unreachable() != SICK:
            paints.append(first_paint(host))
            assert time.monotonic() < deadline, menu.show()
        paints += [first_paint(host) for _ in range(5)]
        assert max(paints) < PAINT * SLOW, paints
        said = {n["name"]: (n["state"], n["last_error"]) for n in host.ctl_json("node", "list")}
        assert said["well"] == ("connected", None)
        for name, why in (("killed", "nothing listens"), ("frozen", "did not answer in time"), ("mistaken", "did not sign")):
            assert said[name][0] == "failed" and why in said[name][1], said

        docker.container("fresh")  # and the open menu goes on
        menu.expect(r" fresh +running +well ", 4)
        docker.remove("fresh")
        menu.gone(" fresh ", 4)
        wait_for(lambda: unreachable() == SICK, 4, "the same three to be said to be ill")

        podman.proc.send_signal(signal.SIGCONT)
        host.ctl("node", "set", "mistaken", "ca", certs / "ca.pem")
        killed.start()
        wait_for(lambda: unreachable() == set(), 40, "all of them well again")
    finally:
        podman.proc.send_signal(signal.SIGCONT)
        answered = [shell.leave() for shell in shells]
        menu.close()
    for lines, slowest in answered:
        assert lines > 50 and slowest < ANSWER * SLOW, answered
