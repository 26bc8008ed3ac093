"""Unknown, locked and wrong are answered alike: 200 samples of each, interleaved, for each kind of hash."""

import ipaddress
import itertools
import os
import pathlib
import queue
import socket
import statistics
import threading
import time

import paramiko
import pytest

from lab import JumpHost, run
from test_login import imported_hash

SAMPLES = 200
TRIES = 5  # on each connection
KINDS = ("argon2", "bcrypt", "yescrypt", "sha512")
CASES = ("unknown", "locked", "wrong")
SOURCES = map(ipaddress.ip_address, itertools.count(int(ipaddress.ip_address("127.1.0.1"))))
NEAR = {10: 0.003, 50: 0.003, 90: 0.025}  # seconds between percentiles; a hash takes 5 to 100 ms, an answer's step 500

pytestmark = pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="timing of the real build is what is measured")


def prepare(host):
    for kind in KINDS:
        for case in ("locked", "wrong"):
            name = f"{case}-{kind}"
            if kind == "argon2":
                host.user(name, key=False)
            else:
                host.ctl("user", "add", name, "--password-hash", imported_hash(kind, "the right one"))
        host.ctl("user", "lock", f"locked-{kind}")
    return host.start()


def attempts(host, name):
    """[(seconds, what the server sent)] of wrong passwords on one connection, from an address of its own."""
    t = paramiko.Transport(socket.create_connection(("127.0.0.1", host.port), 30, (str(next(SOURCES)), 0)))
    heard, made = [], []
    read = t.packetizer.read_message

    def listen():
        kind, message = read()
        heard.append((time.perf_counter(), kind, message.asbytes()))
        return kind, message
    t.packetizer.read_message = listen
    try:
        t.start_client(timeout=30)
        for _ in range(TRIES):
            heard.clear()
            start = time.perf_counter()
            with pytest.raises(paramiko.AuthenticationException):
                t.auth_password(name, "not the right one", fallback=False)
            made.append((heard[-1][0] - start, tuple(h[1:] for h in heard if h[1] != paramiko.common.MSG_EXT_INFO)))
    finally:
        t.close()
    return made


def measure(host, samples, workers):
    """{kind: {case: [seconds]}} from interleaved attempts, one name a connection; and all answers that there were."""
    work = queue.Queue()
    for _ in range(samples // TRIES):
        for kind in KINDS:
            for case in CASES:
                work.put((kind, case))
    times = {kind: {case: [] for case in CASES} for kind in KINDS}
    answers, failures = set(), []

    def worker():
        while True:
            try:
                kind, case = work.get_nowait()
            except queue.Empty:
                return
            try:
                for seconds, answer in attempts(host, f"{case}-{kind}"):
                    times[kind][case].append(seconds)
                    answers.add(answer)
            except BaseException as e:
                failures.append((kind, case, repr(e)))
    threads = [threading.Thread(target=worker) for _ in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(600)
    assert not failures, failures[:3]
    assert all(len(v) == samples for by_case in times.values() for v in by_case.values())
    for kind in KINDS:
        for case in CASES:
            print(f"{kind:9} {case:8}", *(f"p{p} {percentile(times[kind][case], p) * 1000:6.1f} ms" for p in NEAR))
    return times, answers


def percentile(values, p):
    return statistics.quantiles(values, n=100, method="inclusive")[p - 1]


def apart(by_case, p):
    """The distance between the cases of one kind of hash at a percentile."""
    values = [percentile(v, p) for v in by_case.values()]
    return max(values) - min(values)


@pytest.mark.timeout(900)
def test_same_time_and_same_answer(lab):
    host = prepare(lab.host(backoff_after=1000))  # on, and never reached
    for workers in (10, 5):  # noise goes away, a leak does not
        times, answers = measure(host, SAMPLES, workers)
        far = [(kind, p) for kind in KINDS for p in NEAR if apart(times[kind], p) >= NEAR[p]]
        if not far:
            break
    host.stop()
    assert not far
    (answer,) = answers  # byte for byte
    assert [kind for kind, _ in answer] == [paramiko.common.MSG_SERVICE_ACCEPT, paramiko.common.MSG_USERAUTH_FAILURE]
    failure = paramiko.Message(answer[-1][1])
    assert set(failure.get_list()) == {"publickey", "password", "keyboard-interactive"}
    assert failure.get_boolean() is False and failure.get_remainder() == b""


@pytest.mark.timeout(900)
def test_a_leaky_build_is_noticed(lab):
    """The same measurement over a build that answers when the work is done.

    It costs an unknown user one argon2, so each of the imported kinds must show, and argon2 has nothing to.
    """
    top = pathlib.Path(__file__).resolve().parents[2]
    prefix = lab.dir / "leaky"
    run("make", "-C", top, "-s", "-j2", f"PREFIX={prefix}", f"BUILD={lab.dir}/leaky-build",
        "CPPFLAGS=-DANSWER_EVERY_MS=1", "install", timeout=300)
    host = prepare(JumpHost(lab.dir / "leaky-host", prefix=prefix, backoff_after=1000))
    try:
        times, _ = measure(host, 40, 2)
    finally:
        host.stop()
    assert [kind for kind in KINDS[1:] if apart(times[kind], 50) < 2 * NEAR[50]] == []
