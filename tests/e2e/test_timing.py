"""Unknown, locked and wrong are answered alike: 200 samples of each, interleaved, for each kind of hash."""

import os
import pathlib
import queue
import statistics
import threading
import time

import pytest

from lab import JumpHost, run
from test_login import imported_hash

SAMPLES = 200
WORKERS = 10
KINDS = ("argon2", "bcrypt", "yescrypt", "sha512")
CASES = ("unknown", "locked", "wrong")
NEAR = 0.003  # seconds between medians; a hash takes 5 to 100 ms

pytestmark = [pytest.mark.skipif("JUMPBOX_SANITIZED" in os.environ, reason="timing of the real build is what is measured"),
              pytest.mark.timeout(900)]


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


def measure(host, samples):
    """{kind: {case: [seconds]}} from interleaved attempts, one name a connection, five tries each."""
    import paramiko
    work = queue.Queue()
    for _ in range(samples // 5):
        for kind in KINDS:
            for case in CASES:
                work.put((kind, case))
    times = {kind: {case: [] for case in CASES} for kind in KINDS}
    failures = []

    def worker():
        while True:
            try:
                kind, case = work.get_nowait()
            except queue.Empty:
                return
            try:
                t = paramiko.Transport(("127.0.0.1", host.port))
                t.start_client(timeout=30)
                for _ in range(5):
                    start = time.perf_counter()
                    try:
                        t.auth_password(f"{case}-{kind}", "not the right one", fallback=False)
                        failures.append((kind, case, "let in"))
                    except paramiko.AuthenticationException:
                        times[kind][case].append(time.perf_counter() - start)
                t.close()
            except Exception as e:
                failures.append((kind, case, repr(e)))
    threads = [threading.Thread(target=worker) for _ in range(WORKERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(600)
    assert not failures, failures[:3]
    return times


def spread(times):
    """The largest distance between the medians of the three cases, over the kinds."""
    return max(max(m) - min(m) for m in (
        [statistics.median(times[kind][case]) for case in CASES] for kind in KINDS))


def test_same_time(lab):
    host = prepare(lab.host(backoff_after=0, max_startups_per_source=100))
    times = measure(host, SAMPLES)
    host.stop()
    for kind in KINDS:
        print(kind, {case: f"{statistics.median(v) * 1000:.1f} ms" for case, v in times[kind].items()})
    assert spread(times) < NEAR


def test_a_leaky_build_is_noticed(lab):
    """The same measurement over a build that answers when the work is done."""
    top = pathlib.Path(__file__).resolve().parents[2]
    prefix = lab.dir / "leaky"
    run("make", "-C", top, "-s", "-j2", f"PREFIX={prefix}", f"BUILD={lab.dir}/leaky-build",
        "CPPFLAGS=-DANSWER_EVERY_MS=1", "install", timeout=300)
    host = prepare(JumpHost(lab.dir / "leaky-host", prefix=prefix, backoff_after=0, max_startups_per_source=100))
    lab.hosts.append(host)
    times = measure(host, 20)
    host.stop()
    assert spread(times) > NEAR
