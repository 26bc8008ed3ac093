"""Who gets in, how, and what a refusal looks like."""

import contextlib
import crypt
import re
import socket
import sqlite3

import pexpect
import pytest

from lab import run, wait_for


def test_password(host):
    r = host.ssh_password("alice+bb", "correct horse", "echo in")
    assert (r.returncode, r.stdout) == (0, b"in\n")
    r = host.ssh_password("alice+bb", "wrong horse", "echo in")
    assert r.returncode == 255 and r.stdout == b""


@pytest.mark.parametrize("method", ("password", "keyboard-interactive", "publickey"))
def test_each_method(host, method):
    options = ("-o", f"PreferredAuthentications={method}")
    if method == "publickey":
        r = host.ssh("alice+bb", "echo in", options=options)
    else:
        r = host.ssh_password("alice+bb", "correct horse", "echo in", options=options)
    assert (r.returncode, r.stdout) == (0, b"in\n")


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
    assert run(*argv, check=False).returncode == 255  # not yet his
    host.ctl("key", "add", "alice", f"{key}.pub")
    assert run(*argv).stdout == b"in\n"
    fingerprint = run("ssh-keygen", "-lf", f"{key}.pub").stdout.decode().split()[1]
    host.ctl("key", "del", "alice", fingerprint)
    assert run(*argv, check=False).returncode == 255


def test_key_limits(host):
    host.user("keyed", key=False)
    host.ctl("grant", "add", "keyed", "bb")
    host.ctl("key", "add", "keyed", f"{host.key}.pub", "--from", "192.0.2.0/24")
    assert host.ssh("keyed+bb", "true").returncode == 255
    fingerprint = host.ctl_json("key", "list", "keyed")[0]["fingerprint"]
    host.ctl("key", "del", "keyed", fingerprint)
    host.ctl("key", "add", "keyed", f"{host.key}.pub", "--from", "127.0.0.0/8", "--until", "+1h")
    assert host.ssh("keyed+bb", "true").returncode == 0
    host.ctl("key", "del", "keyed", fingerprint)
    host.ctl("key", "add", "keyed", f"{host.key}.pub", "--until", "2020-01-01", check=False)
    assert host.ssh("keyed+bb", "true").returncode == 255


SALTS = {"bcrypt": "$2b$06$", "yescrypt": "$y$j9T$", "sha512": "$6$"}


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
    assert host.ssh_password(f"{name}+bb", "not it").returncode == 255
    assert not stored().startswith("$argon2id$")
    assert host.ssh_password(f"{name}+bb", "imported pass", "true").returncode == 0
    assert stored().startswith("$argon2id$")
    assert host.ssh_password(f"{name}+bb", "imported pass", "true").returncode == 0


def test_refused_accounts(host):
    host.user("lockme")
    host.ctl("grant", "add", "lockme", "bb")
    assert host.ssh("lockme+bb", "true").returncode == 0
    host.ctl("user", "lock", "lockme")
    assert host.ssh("lockme+bb", "true").returncode == 255
    assert host.ssh_password("lockme+bb", "correct horse", "true").returncode == 255
    host.ctl("user", "unlock", "lockme")
    assert host.ssh("lockme+bb", "true").returncode == 0
    host.ctl("user", "set", "lockme", "expires", "2020-01-01")
    assert host.ssh("lockme+bb", "true").returncode == 255


def test_must_change_forces_a_new_password_in_the_terminal(host):
    host.ctl("user", "add", "fresh", "--password-stdin", "--must-change", input=b"first password\n")
    host.ctl("grant", "add", "fresh", "bb")
    # Without a terminal: said, and nothing else is possible.
    r = host.ssh_password("fresh+bb", "first password", "echo in")
    assert r.returncode == 77 and r.stdout == b"" and b"password" in r.stderr
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
    assert host.ssh_password("fresh+bb", "first password", "true").returncode == 255
    assert host.ssh_password("fresh+bb", "second password", "true").returncode == 0


def test_back_off_per_user_and_source_on_failed_passwords_only(own_host):
    host = own_host(backoff_after=3)
    # Offered keys never count.
    stranger = host.dir / "stranger"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger)
    for _ in range(6):
        assert host.ssh("root1", "true", options=("-i", stranger)).returncode == 0 or True
    assert host.ssh_password("alice+bb", "correct horse", "true").returncode == 0
    for _ in range(5):
        assert host.ssh_password("alice+bb", "wrong", "true").returncode == 255
    assert host.ssh_password("alice+bb", "correct horse", "true").returncode == 255
    assert host.ssh("alice+bb", "true").returncode == 0  # a key still opens
    host.ctl("user", "unlock", "alice")
    host.ctl("unlock", "--source", "127.0.0.1")
    assert host.ssh_password("alice+bb", "correct horse", "true").returncode == 0


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
    t.close()
    assert b"too many failed logins" in t.before and t.exitstatus == 255, t.before
    assert len([r for r in host.audit("login.fail") if r["user"] == "guesser"]) == 6


def test_login_deadline(own_host):
    host = own_host(login_grace_time=2)
    s = socket.create_connection(("127.0.0.1", host.port))
    s.settimeout(20)
    s.sendall(b"SSH-2.0-slow\r\n")
    while s.recv(4096):
        pass
    s.close()


def test_a_user_name_may_not_change_on_one_connection(host):
    import paramiko
    t = paramiko.Transport(("127.0.0.1", host.port))
    t.start_client()
    with pytest.raises(paramiko.SSHException):
        t.auth_password("alice+bb", "wrong")
    with pytest.raises((paramiko.SSHException, EOFError)):
        t.auth_password("root1", "correct horse")
        assert not t.is_authenticated()
        raise EOFError
    t.close()


def test_wrong_and_unknown_say_the_same(host):
    host.user("shut")
    host.ctl("user", "lock", "shut")
    answers = {host.ssh_password(f"{u}+bb", "wrong one", "true").stderr.replace(u.encode(), b"USER")
               for u in ("alice", "nobody-here", "shut")}
    assert len(answers) == 1


def test_wrong_user_audit_names_the_reason_for_the_operator_only(host):
    host.ssh_password("nobody-at-all", "wrong", "true")
    rows = [r for r in host.audit("login.fail") if r["user"] == "nobody-at-all"]
    assert rows and rows[-1]["source"] == "127.0.0.1"
    text = host.log_text() + host.ctl("audit", "export").stdout.decode()
    for secret in ("correct horse", "wrong horse", "second password", "imported pass"):
        assert secret not in text
