"""/healthz and /metrics: what is told, to whom, and when it is not well."""

import contextlib
import http.client
import math
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from lab import HERE, PREFIX, SLOW, ended, free_port, live_terminal, run, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]


# ---- reading

def get(host, path, method="GET"):
    """(status, body, content type)"""
    c = http.client.HTTPConnection("127.0.0.1", host.metrics, timeout=20 * SLOW)
    try:
        c.request(method, path)
        r = c.getresponse()
        return r.status, r.read().decode(), r.getheader("Content-Type")
    finally:
        c.close()


def health(host):
    """None: nobody is there."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return get(host, "/healthz")[:2]


NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = rf'({NAME})="((?:[^"\\\n]|\\[\\n"])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)$")


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type, self.samples = name, help_text, None, {}


def parse(text):
    """The families of a text in Prometheus' format 0.0.4, as strictly as its own `promtool check metrics`."""
    assert text.endswith("\n")
    families, current = {}, None
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name, said = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and said and name not in families, line
            assert current is None or current.type, f"no TYPE before {line}"
            current = families[name] = Family(name, said)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert current and name == current.name and current.type is None and not current.samples, line
            assert kind in ("counter", "gauge", "histogram"), line
            current.type = kind
        else:
            m = SAMPLE.match(line)
            assert m and current and current.type, line
            base, value = m[1], float(m[m.lastindex])
            labels = tuple(re.findall(LABEL, m[2] or ""))
            suffixes = ("_bucket", "_sum", "_count") if current.type == "histogram" else ("",)
            assert base in [current.name + s for s in suffixes], line
            assert len({k for k, _ in labels}) == len(labels), line
            key = (base, tuple(sorted(labels)))
            assert key not in current.samples, f"twice: {line}"
            assert value >= 0 and not math.isnan(value), line
            current.samples[key] = value
    for f in families.values():
        assert f.type and f.name.endswith("_total") == (f.type == "counter"), f.name
        assert re.match(r"jumpbox_[a-z_]+$", f.name) and f.help.endswith("."), f.name
        if f.type == "histogram":
            check_histogram(f)
    return families


def check_histogram(f):
    buckets = [(float(dict(labels)["le"]), v) for (n, labels), v in f.samples.items() if n.endswith("_bucket")]
    assert buckets == sorted(buckets) and buckets[-1][0] == math.inf
    assert [v for _, v in buckets] == sorted(v for _, v in buckets)
    assert buckets[-1][1] == f.samples[(f.name + "_count", ())]
    assert (f.name + "_sum", ()) in f.samples


class Numbers:
    """A scrape."""

    def __init__(self, host):
        status, text, kind = get(host, "/metrics")
        assert status == 200 and kind == "text/plain; version=0.0.4; charset=utf-8"
        self.families = parse(text)

    def __call__(self, name, **labels):
        family = self.families[re.sub(r"_(bucket|sum|count)$", "", name)]
        return family.samples.get((name, tuple(sorted(labels.items()))))


def total(host, name, **labels):
    return Numbers(host)(name, **labels) or 0


# ---- a jump host that tells

@pytest.fixture(scope="module")
def told(lab, docker):
    """Its node `one` works, `gone` is a socket that nobody listens on, `mute` an engine that answers nothing."""
    port = free_port()
    host = lab.site(docker, metrics_listen=f"127.0.0.1:{port}", backoff_after=3)
    host.metrics = port
    mute = lab.dir / "mute.sock"
    engine = subprocess.Popen(["/usr/bin/python3", HERE / "fake_engine.py", mute, "error", "/start"],
                              stdout=subprocess.PIPE)
    assert engine.stdout.readline() == b"ready\n"
    host.ctl("node", "add", "sick", f"unix://{mute}")
    host.ctl("node", "add", "gone", f"unix://{lab.dir}/nobody.sock")
    yield host.start()
    host.stop()
    engine.terminate()
    engine.wait(10)


def documented():
    """{name: (type, labels, help)} by the manual."""
    section = (TOP / "docs/jumpboxd.8").read_text().split("\n.Sh HEALTH AND NUMBERS\n")[1].split("\n.Sh ")[0]
    items = re.findall(r"^\.It Ic (jumpbox_\w+) Pq (\w+)(?: by ([\w, ]+))?\n((?:[^.].*\n)+)", section + "\n", re.M)
    return {name: (kind, labels.replace(",", "").split(), " ".join(text.split())) for name, kind, labels, text in items}


def test_every_documented_number_is_told_and_no_other(told):
    families = Numbers(told).families
    assert {n: (f.type, f.help) for n, f in families.items()} == {n: (d[0], d[2]) for n, d in documented().items()}
    for name, f in families.items():
        for _, labels in f.samples:
            assert {k for k, _ in labels} <= {*documented()[name][1], "le"}, name


ONCE = ("-o", "PreferredAuthentications=password")  # not by keyboard-interactive as well


def test_logins_by_method_and_result(told):
    def logins(method, result):
        return total(told, "jumpbox_logins_total", method=method, result=result)
    before = {(m, r): logins(m, r) for m in ("password", "publickey") for r in ("ok", "failed")}
    accepted = total(told, "jumpbox_connections_total")
    assert told.ssh("alice", "help").returncode == 0
    assert told.ssh_password("alice", "correct horse", "help").returncode == 0
    assert told.ssh_password("alice", "wrong horse", "help", options=ONCE).returncode == 255
    told.ctl("user", "lock", "alice")  # her key is known, and refused
    assert told.ssh("alice", "help").returncode == 255
    told.ctl("user", "unlock", "alice")
    for (method, result), n in before.items():
        wait_for(lambda m=method, r=result, n=n: logins(m, r) == n + 1, 5, f"a login by {method} that is {result}")
    assert total(told, "jumpbox_connections_total") == accepted + 4


def test_lockouts(told):
    def lockouts(kind):
        return total(told, "jumpbox_lockouts_total", kind=kind)
    told.ctl("unlock", "--source", "127.0.0.1", check=False)
    before = lockouts("user"), lockouts("source")
    for _ in range(3):  # each counts once: the third brings the wait
        assert told.ssh_password("root1", "wrong horse", "help", options=ONCE).returncode == 255
    wait_for(lambda: lockouts("user") == before[0] + 1, 5, "the lockout of the user")
    assert lockouts("source") >= before[1] + 1
    told.ctl("user", "unlock", "root1")
    told.ctl("unlock", "--source", "127.0.0.1")


def test_sessions_attaches_bytes_and_latency(told):
    told.live(0)
    before = wait_for(lambda: (n := Numbers(told))("jumpbox_connections", state="logged_in") == 0 and n, 10,
                      "the supervisor to know of their ends")
    t = live_terminal(told, "alice+one+bb")

    def opened():
        """How long it took is written when the terminal is there already; the supervisor hears of a login beside it."""
        now = Numbers(told)
        count = "jumpbox_attach_duration_seconds_count"
        return now if now(count) > before(count) and now("jumpbox_connections", state="logged_in") else None
    during = wait_for(opened, 10, "the attach to be counted")
    assert during("jumpbox_sessions") == (before("jumpbox_sessions") or 0) + 1
    assert during("jumpbox_connections", state="logged_in") == before("jumpbox_connections", state="logged_in") + 1
    assert during("jumpbox_attaches_total", node="one", kind="shell") == (
        before("jumpbox_attaches_total", node="one", kind="shell") or 0) + 1
    for le, more in (("0.025", False), ("30", True), ("+Inf", True)):  # docker takes longer than 25 ms
        grown = (during("jumpbox_attach_duration_seconds_bucket", le=le) -
                 before("jumpbox_attach_duration_seconds_bucket", le=le))
        assert grown == more, le
    grown = during("jumpbox_attach_duration_seconds_sum") - before("jumpbox_attach_duration_seconds_sum")
    assert 0.025 < grown < 30
    t.sendline("exit")
    wait_for(lambda: total(told, "jumpbox_sessions") == before("jumpbox_sessions"), 10, "the end of the session")
    assert told.ssh("alice+one+bb", "cat; head -c 100000 /dev/zero", input=b"x" * 5000).returncode == 0

    def bytes_of(numbers, direction):
        return numbers("jumpbox_stream_bytes_total", node="one", direction=direction) or 0
    wait_for(lambda: bytes_of(Numbers(told), "out") - bytes_of(before, "out") >= 105000, 10, "the bytes")
    assert 5000 <= bytes_of(Numbers(told), "in") - bytes_of(before, "in") < 6000
    assert total(told, "jumpbox_attaches_total", node="one", kind="exec") >= 1


def test_recordings(own_host):
    port = free_port()
    host = own_host(metrics_listen=f"127.0.0.1:{port}", recording="on")
    host.metrics = port
    n = Numbers(host)
    assert n("jumpbox_recordings") == n("jumpbox_recordings_bytes") == 0
    t = live_terminal(host)
    n = Numbers(host)
    assert n("jumpbox_recordings") == n("jumpbox_recordings_total", node="one") == 1
    small = n("jumpbox_recordings_bytes")
    t.sendline("seq 100; exit")
    ended(t)
    wait_for(lambda: total(host, "jumpbox_recordings_bytes") > small > 0, 10, "the recording to grow")
    assert host.ssh("alice+bb", "true").returncode == 0  # no terminal
    assert total(host, "jumpbox_recordings_total", node="one") == total(host, "jumpbox_recordings") == 1


def test_failures_by_node_and_their_states(told):
    def failures(node, reason):
        return total(told, "jumpbox_attach_failures_total", node=node, reason=reason)
    before = failures("sick", "unavailable")
    attaches = total(told, "jumpbox_attach_duration_seconds_count")
    assert told.ssh("alice+sick+fake", "true").returncode == 69
    wait_for(lambda: failures("sick", "unavailable") == before + 1, 10, "the failure")
    assert total(told, "jumpbox_attach_duration_seconds_count") == attaches
    told.ssh("alice", "ls")
    n = Numbers(told)
    states = {node: [s for s in ("connected", "failed", "unknown", "disabled") if n("jumpbox_node_state", node=node, state=s)]
              for node in ("one", "sick", "gone")}
    assert states == {"one": ["connected"], "sick": ["connected"], "gone": ["failed"]}
    assert abs(n("jumpbox_node_seen_timestamp_seconds", node="one") - time.time()) < 60
    told.ctl("node", "disable", "gone")
    n = Numbers(told)
    assert n("jumpbox_node_state", node="gone", state="disabled") == 1
    assert n("jumpbox_node_state", node="gone", state="failed") == 0
    told.ctl("node", "enable", "gone")


def test_a_deleted_node_takes_its_numbers_along(told, lab):
    told.ctl("node", "add", "brief", f"unix://{lab.dir}/mute.sock")
    told.wait_for_nodes()
    assert told.ssh("alice+brief+fake", "true").returncode == 69
    wait_for(lambda: total(told, "jumpbox_attach_failures_total", node="brief", reason="unavailable"), 10, "a failure")
    told.ctl("node", "del", "brief")
    assert "brief" not in get(told, "/metrics")[1]


# ---- health

def test_healthy(told):
    assert health(told) == (200, "ok\n")
    assert get(told, "/healthz", "HEAD")[:2] == (200, "")
    assert total(told, "jumpbox_database_up") == 1
    assert abs(total(told, "jumpbox_watcher_heard_timestamp_seconds") - time.time()) < 30 * SLOW


def test_no_health_without_the_database(told):
    os.chmod(told.database, 0o644)  # it is not opened then
    try:
        assert health(told) == (503, "the database does not answer\n")
        n = Numbers(told)
        assert n("jumpbox_database_up") == 0 and n("jumpbox_connections_total") > 0
        assert "jumpbox_logins_total" not in n.families
    finally:
        os.chmod(told.database, 0o600)
    assert health(told) == (200, "ok\n")


def test_no_health_without_the_supervisor(told):
    told.proc.send_signal(signal.SIGSTOP)
    try:
        assert health(told) == (503, "the supervisor does not answer\n")
        assert get(told, "/metrics")[0] == 503
    finally:
        told.proc.send_signal(signal.SIGCONT)
    assert health(told) == (200, "ok\n")


@pytest.mark.parametrize("sig", (signal.SIGTERM, signal.SIGHUP))
def test_draining(own_host, sig):
    port = free_port()
    host = own_host(metrics_listen=f"127.0.0.1:{port}")
    host.metrics = port
    wait_for(lambda: health(host) == (200, "ok\n"), 10, "the endpoint")
    assert host.ssh("alice+bb", "true").returncode == 0
    host.live(0)
    before = Numbers(host)
    counted = before("jumpbox_connections_total")
    starts = host.log_text().count("server.start")
    watcher = host.processes("jumpbox-watcher")[0]
    os.kill(watcher, signal.SIGSTOP)  # it has to be killed, which takes two seconds
    host.proc.send_signal(sig)
    wait_for(lambda: health(host) == (503, "draining\n"), 5, "the answer that it drains")
    assert total(host, "jumpbox_connections_total") == counted
    if sig == signal.SIGTERM:
        host.proc.wait(5 * SLOW)
        wait_for(lambda: not host.processes("jumpbox-metrics"), 5, "its end")
        assert health(host) is None
    else:
        wait_for(lambda: host.log_text().count("server.start") > starts, 20, "another start")
        wait_for(lambda: health(host) == (200, "ok\n"), 10, "the endpoint again")
        assert "metrics.fatal" not in host.log_text()
        after = Numbers(host)
        assert after("jumpbox_connections_total") == 0 < counted  # as the manual says; the others go on
        for name, f in before.families.items():
            assert "_connections_" in name or f.type == "gauge" or after.families[name].samples == f.samples, name
        assert after("jumpbox_logins_total", method="publickey", result="ok") == 1


# ---- its processes

def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines())


def front_and_reader(host):
    """By who is whose child."""
    pids = wait_for(lambda: (p := host.processes("jumpbox-metrics")) and len(p) == 2 and p, 10, "two processes")
    return sorted(pids, key=lambda p: int(status_of(p)["PPid"]) in pids, reverse=True)


@pytest.mark.parametrize("which", (0, 1), ids=("front", "reader"))
def test_killed_it_comes_back_with_the_same_numbers(told, which):
    before = Numbers(told)
    old = front_and_reader(told)
    os.kill(old[which], signal.SIGKILL)
    wait_for(lambda: not set(old) & set(told.processes("jumpbox-metrics")), 10, "the end of both")
    wait_for(lambda: health(told) == (200, "ok\n"), 20, "the endpoint again")
    after = Numbers(told)
    for name in ("jumpbox_logins_total", "jumpbox_attaches_total", "jumpbox_attach_duration_seconds",
                 "jumpbox_connections_total"):
        assert after.families[name].samples == before.families[name].samples, name
    assert told.ssh("alice", "help").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root uses a jail")
def test_who_speaks_http_has_nothing(told):
    front, reader = front_and_reader(told)
    assert os.readlink(f"/proc/{front}/root") == str(told.dir / "jail")
    assert status_of(front)["NoNewPrivs"] == "1" and status_of(front)["CapEff"] == "0" * 16
    owner = run("id", "-u", "nobody").stdout.decode().strip()
    assert set(status_of(front)["Uid"].split()) == {owner}
    files = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{front}/fd").iterdir()]
    assert not [f for f in files if "jumpbox.db" in f]
    assert set(status_of(reader)["Uid"].split()) == {run("id", "-u", "jumpbox").stdout.decode().strip()}


def test_nobody_asks_and_nothing_wakes_up(told):
    def switches():
        return [status_of(p)["voluntary_ctxt_switches"] for p in front_and_reader(told)]
    wait_for(lambda: health(told) == (200, "ok\n"), 10, "the endpoint")
    last = [None, 0.0]

    def quiet():
        now = switches()
        if now != last[0]:
            last[:] = now, time.monotonic()
        return time.monotonic() - last[1] > 1.5
    wait_for(quiet, 15, "a second and a half without a wake-up")


# ---- its clients

def test_what_is_not_there(told):
    assert get(told, "/")[0] == get(told, "/metrics/x")[0] == get(told, "//healthz")[0] == 404
    assert get(told, "/metrics?name=x")[0] == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert get(told, "/metrics", method)[0] == 405


def raw(told):
    return socket.create_connection(("127.0.0.1", told.metrics), 20 * SLOW)


def test_bad_requests_harm_nobody(told):
    before = front_and_reader(told)
    with contextlib.ExitStack() as held:
        for text in (b"", b"GET /metrics HT", b"GET /metrics HTTP/1.1\r\nHost: x\r\n",
                     b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx"):
            held.enter_context(raw(told)).sendall(text)
        assert health(told) == (200, "ok\n")
    for text in (b"\0" * 1000 + b"\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"GET " + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 10000 + b"\r\n",
                 b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"):
        with raw(told) as s:
            with contextlib.suppress(OSError):  # it may be closed while we speak
                s.sendall(text)
            assert health(told) == (200, "ok\n")
    assert front_and_reader(told) == before


# ---- configuration

@pytest.mark.parametrize("where", (
    "0.0.0.0:9026", "192.0.2.1:9026", "[::]:9026", "[::ffff:127.0.0.1]:9026", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
    "127.0.0.1:65536", "localhost:9026", "::1:9026", "[::1:9026", ":9026", "127.0.0.1:90 26", "/run/x.sock"))
def test_only_loopback(tmp_path, where):
    conf = tmp_path / "conf"
    conf.write_text(f"metrics-listen {where}\n")
    r = run(PREFIX / "sbin/jumpboxd", "-t", "-f", conf, check=False)
    assert r.returncode == 78 and r.stderr.startswith(f"{conf}:1: metrics-listen: ".encode()), r


def test_ipv6_and_another_loopback_address_will_do(tmp_path):
    for where in ("[::1]:9026", "127.3.2.1:9026", "none"):
        (tmp_path / "conf").write_text(f"metrics-listen {where}\n")
        assert run(PREFIX / "sbin/jumpboxd", "-t", "-f", tmp_path / "conf").stderr == b""


def test_a_taken_port_keeps_nobody_out(own_host):
    with socket.create_server(("127.0.0.1", 0)) as s:
        host = own_host(metrics_listen=f"127.0.0.1:{s.getsockname()[1]}")
        assert host.ssh("alice+bb", "true").returncode == 0
        host.wait_for_log("metrics.exit")
        assert "metrics-listen" in host.log_text()


def test_it_is_off_unless_it_is_configured(host):
    assert not host.processes("jumpbox-metrics")
