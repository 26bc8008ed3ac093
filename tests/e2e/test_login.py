"""Who gets in, how, and what a refusal looks like."""

import contextlib
import crypt
import re
import socket
import sqlite3
import threading
import time

import paramiko
import pexpect
import pytest

from lab import SLOW, ended, run, wait_for


def denied(r):
    """Refused by a server that is there, and nothing was run."""
    return r.returncode == 255 and r.stdout == b"" and b"Permission denied" in r.stderr


def admitted(r):
    return (r.returncode, r.stdout, r.stderr) == (0, b"in\n", b"")


def test_password(host):
    assert admitted(host.ssh_password("alice+bb", "correct horse", "echo in"))
    assert denied(host.ssh_password("alice+bb", "wrong horse", "echo in"))


@pytest.mark.parametrize("method", ("password", "keyboard-interactive", "publickey"))
def test_each_method(host, method):
    options = ("-o", f"PreferredAuthentications={method}")
    if method == "publickey":
        r = host.ssh("alice+bb", "echo in", options=options)
    else:
        r = host.ssh_password("alice+bb", "correct horse", "echo in", options=options)
    assert admitted(r)


def test_the_prompt_and_the_methods(host):
    t = host.terminal("alice+bb", "true", key=False,
                      options=("-o", "PreferredAuthentications=keyboard-interactive"))
    t.expect(b"Password: ")
    t.close()
    r = run(*host.ssh_argv("alice", "true", options=("-v", "-o", "PreferredAuthentications=none")), check=False)
    offered = re.search(rb"authentications that can continue: (\S+)", r.stderr, re.I).group(1)
    assert set(offered.split(b",")) == {b"publickey", b"password", b"keyboard-interactive"}


@pytest.mark.parametrize("kind", ("ed25519", "ecdsa", "rsa"))
def test_key_kinds(host, kind):
    key = host.dir / f"user_{kind}"
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key)
    argv = ["ssh", "-F", "none", "-p", host.port, "-i", key, "-o", "IdentitiesOnly=yes", "-o",
            f"UserKnownHostsFile={host.dir}/known_hosts", "-o", "StrictHostKeyChecking=accept-new",
            "-o", "PreferredAuthentications=publickey", "alice+bb@127.0.0.1", "echo in"]
    assert denied(run(*argv, check=False))  # not yet his
    host.ctl("key", "add", "alice", f"{key}.pub")
    assert run(*argv).stdout == b"in\n"
    fingerprint = run("ssh-keygen", "-lf", f"{key}.pub").stdout.decode().split()[1]
    host.ctl("key", "del", "alice", fingerprint)
    assert denied(run(*argv, check=False))


def test_key_limits(host):
    host.user("keyed", key=False)
    host.ctl("grant", "add", "keyed", "bb")
    host.ctl("key", "add", "keyed", f"{host.key}.pub", "--from", "192.0.2.0/24")
    assert denied(host.ssh("keyed+bb", "true"))
    fingerprint = host.ctl_json("key", "list", "keyed")[0]["fingerprint"]
    host.ctl("key", "del", "keyed", fingerprint)
    host.ctl("key", "add", "keyed", f"{host.key}.pub", "--from", "127.0.0.0/8", "--until", "+1h")
    assert host.ssh("keyed+bb", "true").returncode == 0
    host.ctl("key", "del", "keyed", fingerprint)
    assert host.ctl("key", "add", "keyed", f"{host.key}.pub", "--until", "2020-01-01", check=False).returncode == 65
    host.ctl("key", "add", "keyed", f"{host.key}.pub", "--until", "+1h")
    with contextlib.closing(sqlite3.connect(host.database)) as db:  # the hour passes
        assert db.execute("update user_keys set until = until - 3601 where fingerprint = ? and from_cidr is null"
                          " and user_id = (select id from users where name = 'keyed')", (fingerprint,)).rowcount == 1
        db.commit()
    assert denied(host.ssh("keyed+bb", "true"))


def imported_hash(kind, password):
    salt = crypt.mksalt({"bcrypt": crypt.METHOD_BLOWFISH, "sha512": crypt.METHOD_SHA512}[kind]) \
        if kind != "yescrypt" else "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"
    if kind == "bcrypt":
        salt = salt.replace("$12$", "$06$")
    return crypt.crypt(password, salt)


@pytest.mark.parametrize("kind", ("bcrypt", "yescrypt", "sha512"))
def test_imported_hashes_are_rehashed_at_the_first_good_login(host, kind):
    name = f"imp-{kind}"
    host.ctl("user", "add", name, "--password-hash", imported_hash(kind, "imported pass"))
    host.ctl("grant", "add", name, "bb")

    def stored():
        with contextlib.closing(sqlite3.connect(f"file:{host.database}?mode=ro", uri=True)) as db:
            return db.execute("select hash from users where name = ?", (name,)).fetchone()[0]
    assert denied(host.ssh_password(f"{name}+bb", "not it"))
    assert not stored().startswith("$argon2id$")
    assert host.ssh_password(f"{name}+bb", "imported pass", "true").returncode == 0
    assert stored().startswith("$argon2id$")
    assert host.ssh_password(f"{name}+bb", "imported pass", "true").returncode == 0


def test_refused_accounts(host):
    host.user("lockme")
    host.ctl("grant", "add", "lockme", "bb")
    assert host.ssh("lockme+bb", "true").returncode == 0
    host.ctl("user", "lock", "lockme")
    assert denied(host.ssh("lockme+bb", "true"))
    assert denied(host.ssh_password("lockme+bb", "correct horse", "true"))
    host.ctl("user", "unlock", "lockme")
    assert host.ssh("lockme+bb", "true").returncode == 0
    host.ctl("user", "set", "lockme", "expires", "2020-01-01")
    assert denied(host.ssh("lockme+bb", "true"))


def test_must_change_forces_a_new_password_in_the_terminal(host):
    host.ctl("user", "add", "fresh", "--password-stdin", "--must-change", input=b"first password\n")
    host.ctl("grant", "add", "fresh", "bb")
    # Without a terminal: said, and nothing else is possible.
    r = host.ssh_password("fresh+bb", "first password", "echo in")
    assert r.returncode == 77 and r.stdout == b"" and b"jumpbox: your password must be changed first" in r.stderr
    t = host.terminal("fresh+bb", key=False)
    t.expect(b"assword: ")
    t.sendline("first password")
    t.expect(b"[Nn]ew password")
    t.sendline("short")
    t.expect(b"again")
    t.sendline("short")
    t.expect(b"8 characters")
    t.expect(b"[Nn]ew password")
    t.sendline("second password")
    t.expect(b"gain")
    t.sendline("second password")
    t.sendline("echo in''side; exit")
    t.expect(b"inside\r\n")
    t.expect(pexpect.EOF)
    assert b"second password" not in t.before
    assert denied(host.ssh_password("fresh+bb", "first password", "true"))
    assert host.ssh_password("fresh+bb", "second password", "true").returncode == 0


def test_a_password_may_be_as_long_wherever_it_is_typed(host):
    longest = "p" * 1024
    host.ctl("user", "add", "longest", "--password-stdin", "--must-change", input=b"first password\n")
    t = host.terminal("longest", key=False)
    t.expect(b"assword: ")
    t.sendline("first password")
    t.expect(b"[Nn]ew password")
    t.sendline(longest + "p")
    t.expect(b"too long")
    t.expect(b"[Nn]ew password")
    t.sendline(longest)
    t.expect(b"gain")
    t.sendline(longest)
    t.expect(b"is changed")
    t.close()
    t = paramiko.Transport(("127.0.0.1", host.port))
    t.start_client(timeout=20 * SLOW)
    assert t.auth_password("longest", longest) == []
    t.close()
    host.ctl("user", "passwd", "longest", "--password-stdin", input=longest.encode() + b"\n")


# ---- back-off: per user and per source, each alone ----------------------------


def wrong_at_once(host, source, users):
    """A wrong password for each, from one address, asked before any of them is answered: every one counts."""
    transports, answers = [], []

    def ask(t, user):
        try:
            t.auth_password(user, "wrong horse")
        except Exception as e:
            answers.append(type(e))
    for _ in users:
        sock = socket.create_connection(("127.0.0.1", host.port), 20 * SLOW, (source, 0))
        transports.append(paramiko.Transport(sock))
        transports[-1].start_client(timeout=20 * SLOW)
    threads = [threading.Thread(target=ask, args=pair) for pair in zip(transports, users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 * SLOW)
    for t in transports:
        t.close()
    assert answers == [paramiko.AuthenticationException] * len(users)


def lock_out(host, what, source, users):
    """Until the wait is one that outlasts a test."""
    def long_enough():
        wrong_at_once(host, source, users)
        with contextlib.closing(sqlite3.connect(f"file:{host.database}?mode=ro", uri=True)) as db:
            row = db.execute("select blocked_until - last from login_failures where what = ?", (what,)).fetchone()
        return row is not None and row[0] > 100
    wait_for(long_enough, 60, f"{what} to be kept out")


def by_password(host, user, source):
    return host.ssh_password(f"{user}+bb", "correct horse", "echo in", options=("-b", source))


@pytest.fixture
def strict_host(own_host):
    host = own_host(backoff_after=3)
    host.user("bob")
    host.ctl("grant", "add", "bob", "bb")
    return host


def test_offered_keys_never_count(strict_host):
    host = strict_host
    stranger = host.dir / "stranger"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger)
    options = ("-i", stranger, "-o", "IdentitiesOnly=yes", "-o", "PubkeyAuthentication=yes",
               "-o", "PreferredAuthentications=publickey")
    for _ in range(6):
        assert denied(run(*host.ssh_argv("alice+bb", "echo in", key=False, options=options), check=False))
    assert admitted(by_password(host, "alice", "127.0.0.1"))


def test_back_off_of_a_user(strict_host):
    """Whoever tried, the user is kept out from everywhere; other users, and the user's keys, are not."""
    host = strict_host
    assert admitted(by_password(host, "alice", "127.0.0.3"))
    lock_out(host, "user:alice", "127.0.0.2", ["alice"] * 12)
    assert denied(by_password(host, "alice", "127.0.0.3"))
    assert admitted(by_password(host, "bob", "127.0.0.3"))
    assert admitted(host.ssh("alice+bb", "echo in", options=("-b", "127.0.0.2")))
    host.ctl("unlock", "--source", "127.0.0.2")
    assert denied(by_password(host, "alice", "127.0.0.2"))
    assert admitted(by_password(host, "bob", "127.0.0.2"))
    host.ctl("user", "unlock", "alice")
    for source in ("127.0.0.2", "127.0.0.3"):
        assert admitted(by_password(host, "alice", source))


def test_back_off_of_a_source(strict_host):
    """Whomever it tried, nobody gets in from there by password, also who never failed; elsewhere they do."""
    host = strict_host
    users = [host.user(f"u{i}", key=False) for i in range(5)]
    assert admitted(by_password(host, "bob", "127.0.0.2"))
    lock_out(host, "source:127.0.0.2", "127.0.0.2", [*users, *users, "u0", "u1"])
    assert denied(by_password(host, "bob", "127.0.0.2"))
    assert admitted(by_password(host, "bob", "127.0.0.3"))
    host.ctl("user", "unlock", "u0")
    assert denied(by_password(host, "bob", "127.0.0.2"))
    host.ctl("unlock", "--source", "127.0.0.2")
    assert admitted(by_password(host, "bob", "127.0.0.2"))


# ---- around the login ----------------------------------------------------------


def test_banner_before_login(own_host):
    host = own_host(banner="Authorised use only.")
    r = run(*host.ssh_argv("nobody", "true", options=("-o", "LogLevel=INFO", "-o", "PreferredAuthentications=none")), check=False)
    assert b"Authorised use only." in r.stderr


def test_host_keys_are_kept_and_both_offered(own_host):
    host = own_host()

    def scan():
        out = run("ssh-keyscan", "-p", host.port, "-t", "ed25519,rsa", "127.0.0.1").stdout.decode()
        return sorted(line.split(" ", 1)[1] for line in out.splitlines() if not line.startswith("#"))
    before = scan()
    assert [k.split()[0] for k in before] == ["ssh-ed25519", "ssh-rsa"]
    for algorithm in ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"):
        r = host.ssh("alice+bb", "true", options=("-o", f"HostKeyAlgorithms={algorithm}", "-o",
                                                  f"UserKnownHostsFile={host.dir}/known-{algorithm}"))
        assert r.returncode == 0, (algorithm, r.stderr)
    host.stop()
    host.start()
    assert scan() == before


def test_too_many_tries_end_the_connection(host):
    host.user("guesser", key=False)
    t = host.terminal("guesser", "true", key=False, options=(
        "-o", "NumberOfPasswordPrompts=20", "-o", "PreferredAuthentications=password"))
    while t.expect([b"assword: ", pexpect.EOF]) == 0:  # ssh asks once more before it reads that it was sent away
        t.sendline("wrong")
    assert b"too many failed logins" in t.before, t.before
    assert ended(t) == 255
    assert len([r for r in host.audit("login.fail") if r["user"] == "guesser"]) == 6


def test_login_deadline(own_host):
    host = own_host(login_grace_time=2)
    start = time.monotonic()
    s = socket.create_connection(("127.0.0.1", host.port))
    s.settimeout(20 * SLOW)
    s.sendall(b"SSH-2.0-slow\r\n")
    while s.recv(4096):
        pass
    s.close()
    assert 1.9 < time.monotonic() - start < 4 * SLOW


def test_a_user_name_may_not_change_on_one_connection(own_host):
    host = own_host()
    t = paramiko.Transport(("127.0.0.1", host.port))
    t.start_client(timeout=20 * SLOW)
    with pytest.raises(paramiko.AuthenticationException):
        t.auth_password("alice+bb", "wrong")
    assert t.is_active() and "may not change" not in host.log_text()
    with pytest.raises((paramiko.SSHException, EOFError, OSError)):
        t.auth_password("root1", "correct horse")
    wait_for(lambda: not t.is_active(), 10, "the connection's end")
    assert not t.is_authenticated()
    t.close()
    host.wait_for_log("the user name may not change on one connection")


def test_wrong_and_unknown_say_the_same(host):
    host.user("shut")
    host.ctl("user", "lock", "shut")
    answers = [host.ssh_password(f"{u}+bb", "wrong one", "true") for u in ("alice", "nobody-here", "shut")]
    assert all(denied(r) for r in answers)
    assert len({r.stderr.replace(u, b"USER") for u, r in zip((b"alice", b"nobody-here", b"shut"), answers)}) == 1


def test_wrong_user_audit_names_the_reason_for_the_operator_only(host):
    host.ssh_password("nobody-at-all", "wrong", "true")
    rows = [r for r in host.audit("login.fail") if r["user"] == "nobody-at-all"]
    assert rows and rows[-1]["source"] == "127.0.0.1"
    text = host.log_text() + host.ctl("audit", "export").stdout.decode()
    for secret in ("correct horse", "wrong horse", "second password", "imported pass"):
        assert secret not in text


def test_a_name_that_nobody_can_have_counts_for_its_source(strict_host):
    host = strict_host
    lock_out(host, "source:127.0.0.5", "127.0.0.5", ["NOBODY"] * 12)
    assert denied(by_password(host, "alice", "127.0.0.5"))
    assert admitted(by_password(host, "alice", "127.0.0.1"))
