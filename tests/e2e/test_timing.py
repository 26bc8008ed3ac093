"""Unknown, locked and wrong are answered alike: 200 samples of each, interleaved, for each kind of hash.

So are wrong codes, whatever is wrong with them.
"""

import contextlib
import functools
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
from test_totp import code, database, enrol, wrong

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


@contextlib.contextmanager
def connection(host):
    """From an address of its own; and what it hears, with the time."""
    t = paramiko.Transport(socket.create_connection(("127.0.0.1", host.port), 30, (str(next(SOURCES)), 0)))
    heard = []
    read = t.packetizer.read_message

    def listen():
        kind, message = read()
        heard.append((time.perf_counter(), kind, message.asbytes()))
        return kind, message
    t.packetizer.read_message = listen
    try:
        t.start_client(timeout=30)
        yield t, heard
    finally:
        t.close()


def attempts(host, name):
    """[(seconds, what the server sent)] of wrong passwords on one connection."""
    made = []
    with connection(host) as (t, heard):
        for _ in range(TRIES):
            heard.clear()
            start = time.perf_counter()
            with pytest.raises(paramiko.AuthenticationException):
                t.auth_password(name, "not the right one", fallback=False)
            made.append((heard[-1][0] - start, tuple(h[1:] for h in heard if h[1] != paramiko.common.MSG_EXT_INFO)))
    return made


def dialogues(host, name, password, typed):
    """The same of the last answer in a dialogue: that password, and where it is right that code."""
    made, answered = [], None

    def answer(title, instructions, prompts):
        nonlocal answered
        (text, _), = prompts
        answered = time.perf_counter()
        return [password if "assword" in text else typed()]
    with connection(host) as (t, heard):
        for _ in range(TRIES):
            with pytest.raises(paramiko.AuthenticationException):
                t.auth_interactive(name, answer)
            refusal = [h for h in heard if h[1] == paramiko.common.MSG_USERAUTH_FAILURE][-1]  # the end of all may follow
            made.append((refusal[0] - answered, refusal[1:]))
    return made


def passwords(host):
    return {kind: {case: functools.partial(attempts, host, f"{case}-{kind}") for case in CASES} for kind in KINDS}


def measure(tries, samples, workers):
    """{kind: {case: [seconds]}} from interleaved attempts, one name a connection; and all answers that there were."""
    work = queue.Queue()
    for _ in range(samples // TRIES):
        for kind in tries:
            for case in tries[kind]:
                work.put((kind, case))
    times = {kind: {case: [] for case in tries[kind]} for kind in tries}
    answers, failures = set(), []

    def worker():
        while True:
            try:
                kind, case = work.get_nowait()
            except queue.Empty:
                return
            try:
                for seconds, answer in tries[kind][case]():
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
    for kind in times:
        for case in times[kind]:
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
        times, answers = measure(passwords(host), SAMPLES, workers)
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


def test_wrong_codes_are_answered_like_a_wrong_password(lab):
    """At the same instant after what was typed, used codes and those that have to wait too."""
    host = lab.host(backoff_after=50)
    secret = {name: enrol(host, host.user(name, key=False)) for name in ("coded", "used", "waits")}
    with database(host) as db:
        db.execute("UPDATE totp SET last = 1 << 40 WHERE user_id = (SELECT id FROM users WHERE name = 'used')")
        now = int(time.time())
        db.execute("INSERT INTO login_failures VALUES ('code:waits', 60, ?, ?)", (now, now + 250))
    host.start()

    def after(name, typed):
        return functools.partial(dialogues, host, name, "correct horse", typed)
    cases = {"password": functools.partial(dialogues, host, "coded", "not the right one", None),
             "code": after("coded", lambda: wrong(secret["coded"])), "used": after("used", lambda: code(secret["used"])),
             "recovery": after("coded", lambda: "aaaa-bbbb-cccc-dddd"), "waits": after("waits", lambda: code(secret["waits"]))}
    times, answers = measure({"typed": cases}, 20, 4)
    host.stop()
    # To judge a code takes no time that could be seen: what is looked for is one that is answered at once.
    assert 0.49 < min(map(min, times["typed"].values())) and apart(times["typed"], 50) < 0.05
    failures = [paramiko.Message(message) for _, message in answers]
    lists = {tuple(f.get_list()) for f in failures}
    assert len(lists) == len(answers) == 2  # after a right password there is nothing but the dialogue
    assert ("keyboard-interactive",) in lists and not any(f.get_boolean() for f in failures)


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
        times, _ = measure(passwords(host), 40, 2)
    finally:
        host.stop()
    assert [kind for kind in KINDS[1:] if apart(times[kind], 50) < 2 * NEAR[50]] == []
