"""What a forward reaches and what it never does, from a container that has a road to the jump host itself."""

import concurrent.futures
import contextlib
import ipaddress
import json
import socket
import threading
import time

import pytest
import socks

from lab import SLOW, free_port, run, wait_for
from test_forward import ask, client, connect, refusal, serve, serve_path

NAMES = """
127.0.0.1 four both mixed
::1 six both
{0.gw4} gw mixed
{0.gw6} gw gw6
169.254.169.254 meta
"""
# As a client may write them, and where in the container somebody listens: nowhere on both.
LOOPBACK = {
    80: ("127.0.0.1", "127.1", "0177.0.0.1", "0x7f000001", "2130706433", "::ffff:127.0.0.1", "0.0.0.0", "0",
         "localhost", "four", "both", "mixed"),
    81: ("::1", "0:0:0:0:0:0:0:1", "::", "localhost", "six", "both"),
}
ELSEWHERE = ("gw", "gw6", "meta", "169.254.169.254", "192.0.2.1", "255.255.255.255", "224.0.0.1", "ff02::1")


class Road:
    """A jump host that listens on an address which the container `reach` has a road to, and traps beside it."""

    def __init__(self, lab):
        self.engine = lab.engine("tls")
        n = free_port()  # so the addresses are nobody else's, either
        first = int(ipaddress.ip_address("198.18.0.0")) + 4 * n
        self.gw4, self.own4 = (str(ipaddress.ip_address(first + i)) for i in (1, 2))
        self.gw6, self.own6 = (f"fd6a:6230:{n:x}::{i}" for i in (1, 2))
        self.link = f"jumpbox{n}"
        self.engine.container("reach", "busybox", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0")
        self.engine.cli("exec", "-i", "reach", "sh", "-c", "cat >>/etc/hosts", input=NAMES.format(self).encode())
        pid = self.engine.cli("inspect", "--format", "{{.State.Pid}}", "reach").stdout.decode().strip()
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "out", "netns", pid)
        inside = ("nsenter", "--target", pid, "--net")
        for where, device, v4, v6 in (((), self.link, self.gw4, self.gw6), (inside, "out", self.own4, self.own6)):
            run(*where, "ip", "link", "set", device, "up")
            run(*where, "ip", "address", "add", f"{v4}/30", "dev", device)
            run(*where, "ip", "address", "add", f"{v6}/64", "dev", device, "nodad")
        self.host = lab.site(self.engine, listen_address=["127.0.0.1", self.gw4, self.gw6]).start()
        self.traps = [socket.create_server((self.gw4, self.engine.port)),
                      socket.create_server((self.gw6, self.engine.port), family=socket.AF_INET6)]
        for port, address in ((80, "127.0.0.1"), (81, "[::1]"), (82, self.own4), (83, f"[{self.own6}]")):
            serve(self.host, "reach", port, "httpd", "-f", "-p", f"{address}:{port}", "-h", "/etc")

    def close(self):
        for trap in self.traps:
            trap.close()
        self.host.stop()
        self.engine.remove("reach")  # and with it the road

    def ways(self):
        """To the jump host, as a client may write them."""
        number = int(ipaddress.ip_address(self.gw4))
        octal = ".".join(f"0{int(byte):o}" for byte in self.gw4.split("."))
        links = json.loads(run("ip", "-json", "-6", "address", "show", "dev", self.link).stdout)
        local = next(a["local"] for a in links[0]["addr_info"] if a["scope"] == "link")
        return (self.gw4, f"::ffff:{self.gw4}", str(number), hex(number), octal, f"::{self.gw4}",
                f"64:ff9b::{self.gw4}", self.gw6, f"{local}%out", *ELSEWHERE)

    def trapped(self):
        for trap in self.traps:
            trap.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                return trap.accept()[1]
        return None


@pytest.fixture(scope="module")
def road(lab):
    road = Road(lab)
    yield road
    road.close()


@contextlib.contextmanager
def proxy(host, login):
    """outcome(HOST, PORT) of a connection through ssh -D: how what comes begins, or why it was refused."""
    port = free_port()
    with client(host, login, "-o", "LogLevel=INFO", "-D", str(port)) as c:
        connect(port).close()

        def outcome(target, to):
            got = through(port, target, to)
            if got is not None:
                return got
            said = refusal(c)
            return next((why for why in ("prohibited", "connect failed") if why in said), said)
        yield outcome


def through(port, target, to):
    """The first bytes that come from there; None: ssh hangs up on who asks for what is refused."""
    try:
        with socks.create_connection((target, to), timeout=30 * SLOW, proxy_type=socks.SOCKS5, proxy_addr="127.0.0.1",
                                     proxy_port=port) as s:
            s.sendall(b"SSH-2.0-either\r\n\r\n")  # both a jump host and a web server have an answer to that
            return s.recv(4).decode()
    except socks.GeneralProxyError as e:
        assert "closed unexpectedly" in str(e), e
        return None


def test_the_containers_own_addresses_however_they_are_written(road):
    """Also by names that it alone knows, and where the first address of a name refuses."""
    with proxy(road.host, "alice+reach") as outcome:
        for port, targets in LOOPBACK.items():
            assert {t: outcome(t, port) for t in targets} == dict.fromkeys(targets, "HTTP")
        for target, port in ((road.own4, 82), (f"::ffff:{road.own4}", 82), (road.own6, 83)):
            assert outcome(target, port) == "HTTP"
        # A jump host's port on its loopback is nobody's in the container.
        for targets in LOOPBACK.values():
            assert {t: outcome(t, road.host.port) for t in targets} == dict.fromkeys(targets, "connect failed")


def test_both_addresses_of_a_name_are_tried_at_once(road):
    ports = {free_port(): target for target in ("both:80", "both:81", "localhost:81", "six:81", "[::1]:81")}
    with client(road.host, "alice+reach", *(f for p, t in ports.items() for f in ("-L", f"{p}:{t}"))):
        assert all(b"root:x:0" in ask(port) for port in ports)  # the helper is there
        for port in ports:
            began = time.monotonic()
            assert b"root:x:0" in ask(port)
            assert time.monotonic() - began < SLOW, ports[port]


def test_the_jump_host_and_the_outside_are_not_reached(road):
    ways = road.ways()
    with proxy(road.host, "alice+reach") as outcome:
        for to in (road.host.port, road.engine.port):
            assert {way: outcome(way, to) for way in ways} == dict.fromkeys(ways, "prohibited")
            assert outcome("mixed", to) == "connect failed"  # of its addresses the container's own alone was tried
    assert not road.trapped()


def test_the_target_of_a_grant_and_no_other(road):
    """However that one is written. So there is a road."""
    host, port, other = road.host, road.host.port, road.engine.port
    others = ((road.gw4, other), ("gw", other), ("127.0.0.1", 80), ("localhost", port), ("::1", 81), (road.own4, 82),
              (road.own4, port), ("meta", 80))
    for user, item, served, more in (
            ("by4", f"forward:{road.gw4}:{port}", (road.gw4, f"::ffff:{road.gw4}", "gw"), ((road.gw6, port),)),
            ("by6", f"forward:[{road.gw6}]:{port}", (road.gw6, "gw6", "gw"), ((road.gw4, port),)),
            ("by-name", f"forward:gw:{port}", ("gw",), ((road.gw4, port), (road.gw6, port), ("gw6", port)))):
        host.user(user)
        host.ctl("grant", "add", user, "reach", "--allow", item)
        with proxy(host, f"{user}+reach") as outcome:
            assert {t: outcome(t, port) for t in served} == dict.fromkeys(served, "SSH-")
            assert {t: outcome(*t) for t in (*others, *more)} == dict.fromkeys((*others, *more), "prohibited")
    assert not road.trapped()


def test_without_a_container_nothing_but_containers_is_reached(road):
    """Whatever else is written for one is looked for as a name, for a second."""
    targets = [(target, port) for port in (road.host.port, road.engine.port)
               for target in ("127.0.0.1", "localhost", "::1", "0.0.0.0", road.gw4, road.gw6, "169.254.169.254", "gw")]
    port = free_port()
    with client(road.host, "alice", "-o", "LogLevel=INFO", "-D", str(port)) as c:
        connect(port).close()
        with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
            assert set(pool.map(lambda target: through(port, *target), targets)) == {None}
        assert all("connect failed" in refusal(c) for _ in targets)
    assert not road.trapped()


def test_a_path_is_looked_for_in_the_container_alone(road):
    """Be it the path of the engine's own socket here."""
    path = str(road.engine.socket)
    ports = {free_port(): p for p in (path, "/var/run/docker.sock", "/run/docker.sock")}
    options = [o for port, p in ports.items() for o in ("-L", f"{port}:{p}")]
    with client(road.host, "alice+deb", "-o", "LogLevel=INFO", *options) as c:
        for port in ports:
            assert ask(port) == b"" and "connect failed" in refusal(c)
        road.engine.exec("deb", "mkdir", "-p", str(road.engine.dir))
        serve_path(road.host, path)
        assert ask(next(iter(ports)), b"abc") == b"cba"


def test_in_the_hosts_network_loopback_is_the_hosts(road):
    """As docs/SECURITY.md says: a container that was given it. Files are the container's none the less."""
    road.engine.container("reach-host", "busybox", network="host")
    path = free_port()
    with proxy(road.host, "alice+reach-host") as outcome:
        assert outcome("127.0.0.1", road.host.port) == "SSH-"
        assert outcome("192.0.2.99", 80) == "prohibited"
    with client(road.host, "alice+reach-host", "-o", "LogLevel=INFO", "-L", f"{path}:{road.engine.socket}") as c:
        assert ask(path) == b"" and "connect failed" in refusal(c)
    road.engine.remove("reach-host")


def answer(listener):
    with contextlib.suppress(OSError):  # until it is closed
        while True:
            s, _ = listener.accept()
            with s:
                s.sendall(s.recv(100)[::-1])


def test_listening_on_either_loopback(road):
    """Where `-R` says nothing, on both; on no other address, unless it says so."""
    everywhere = ("127.0.0.1", "::1", road.own4, road.own6)
    wanted = {"[::1]:7500": ("::1",), "127.0.0.1:7501": ("127.0.0.1",), "7502": everywhere[:2], "*:7503": everywhere}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = listener.getsockname()[1]
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        with client(road.host, "alice+reach", *(o for w in wanted for o in ("-R", f"{w}:127.0.0.1:{here}"))):
            def said(address, port):
                return road.engine.exec("reach", "sh", "-c", f"printf abc | nc {address} {port} || :")
            wait_for(lambda: said("::1", 7503) == "cba", 20, "the listeners")
            for where, addresses in wanted.items():
                heard = [a for a in everywhere if said(a, where.rsplit(":", 1)[-1]) == "cba"]
                assert heard == list(addresses), where
        listener.shutdown(socket.SHUT_RDWR)
