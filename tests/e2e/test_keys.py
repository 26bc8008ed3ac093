"""What is recorded of logins by public key, good and bad."""

import contextlib
import sqlite3

import paramiko
import pytest

from lab import SLOW, run, wait_for


class Forged(paramiko.Ed25519Key):
    """Signs something else than what it was asked to."""

    def sign_ssh_data(self, data, algorithm=None):
        return super().sign_ssh_data(b"something else", algorithm)


def failures(host, user):
    return [r["detail"] for r in host.audit("login.fail") if r["user"] == user]


@contextlib.contextmanager
def client(host, login):
    t = paramiko.Transport(("127.0.0.1", host.port))
    try:
        t.start_client(timeout=20 * SLOW)
        with pytest.raises(paramiko.BadAuthenticationType):
            t.auth_none(login)
        yield t
    finally:
        t.close()


def test_a_bad_signature_is_recorded_once_a_connection(host):
    host.user("forger")
    with client(host, "forger") as t:
        for _ in range(3):
            with pytest.raises(paramiko.AuthenticationException):
                t.auth_publickey("forger", Forged(filename=str(host.key)))
        assert failures(host, "forger") == ["method=publickey reason=bad signature"]
        t.auth_publickey("forger", paramiko.Ed25519Key(filename=str(host.key)))
    with client(host, "forger") as t, pytest.raises(paramiko.AuthenticationException):
        t.auth_publickey("forger", Forged(filename=str(host.key)))
    wait_for(lambda: len(failures(host, "forger")) == 2, 5, "the second connection's failure")  # behind its answer


def test_what_a_stranger_signs_is_not_recorded(host):
    """Else anyone could fill the database, a connection a row."""
    user = host.user("signed-for", key=False)
    stranger = host.dir / "signing-stranger"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger)
    key = paramiko.Ed25519Key(filename=str(stranger))
    for login in (user, "nobody-at-all", "NOT.A NAME"):
        for sign in (Forged(filename=str(stranger)), key):
            with client(host, login) as t, pytest.raises(paramiko.AuthenticationException):
                t.auth_publickey(login, sign)
    host.user("marker")
    with client(host, "marker") as t, pytest.raises(paramiko.AuthenticationException):
        t.auth_publickey("marker", Forged(filename=str(host.key)))
    wait_for(lambda: failures(host, "marker"), 5, "what is recorded")
    assert [r for r in host.audit("login.fail") if r["user"] in (user, "nobody-at-all", "NOT.A NAME", "-")] == []


@pytest.mark.parametrize("kept_out", ("locked", "expired"))
def test_a_known_key_of_a_user_who_may_not_log_in_is_recorded(host, kept_out):
    user = host.user(f"was-{kept_out}")
    host.ctl("user", *{"locked": ("lock", user), "expired": ("set", user, "expires", "2020-01-01")}[kept_out])
    assert host.ssh(user, "ls").returncode == 255
    rows = wait_for(lambda: failures(host, user), 10, "the row")
    assert len(rows) == 1 and rows[0].startswith("method=publickey reason=") and kept_out in rows[0]


@pytest.mark.parametrize("limit, said", (("from_cidr = '192.0.2.0/24'", "the key is not accepted from this address"),
                                         ("until = 1", "the key has expired")), ids=("from", "until"))
def test_a_known_key_that_is_not_good_here_or_now_is_recorded(host, limit, said):
    user = host.user(f"kept-out-by-{limit.split()[0].replace('_', '-')}")
    with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
        db.execute(f"update user_keys set {limit} where user_id = (select id from users where name = ?)", (user,))
        db.commit()
    assert host.ssh(user, "ls").returncode == 255
    assert wait_for(lambda: failures(host, user), 10, "the row") == [f"method=publickey reason={said}"]


def test_offers_of_unknown_keys_are_not_recorded(own_host):
    host = own_host(backoff_after=1)
    host.user("stranger", key=False)
    for _ in range(3):
        assert host.ssh("stranger", "ls").returncode == 255
    assert host.ssh_password("stranger", "correct horse", "ls").returncode == 0  # and nobody has to wait
    assert failures(host, "stranger") == []


def test_the_fingerprint_is_in_the_record_of_the_login(host):
    host.user("keyholder")
    assert host.ssh("keyholder", "ls").returncode == 0
    fingerprint = run("ssh-keygen", "-lf", f"{host.key}.pub").stdout.decode().split()[1]
    assert host.ssh_password("keyholder", "correct horse", "ls").returncode == 0
    assert [r["detail"] for r in host.audit("login.ok") if r["user"] == "keyholder"] == \
        [f"publickey {fingerprint}", "password"]


def test_another_name_after_a_bad_signature_is_no_breach_of_the_protocol(host):
    host.user("mallory")
    before = host.log_text().count("broker.protocol")
    t = paramiko.Transport(("127.0.0.1", host.port))
    try:
        t.start_client(timeout=20 * SLOW)
        for attempt in (lambda: t.auth_none("alice"), lambda: t.auth_publickey("mallory", Forged(filename=str(host.key))),
                        lambda: t.auth_password("alice", "wrong password")):
            with pytest.raises(paramiko.AuthenticationException):
                attempt()
    finally:
        t.close()
    assert host.log_text().count("broker.protocol") == before
