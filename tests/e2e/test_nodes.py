"""Nodes: plain tcp, the host's process ids, several of them, and an installed tree."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from lab import SLOW, run, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]


class PlainDoor:
    """A tcp port on loopback in front of an engine's unix socket: Docker without TLS, as some still run it."""

    def __init__(self, path):
        self.path = str(path)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self.path)
            for a, b in ((client, engine), (engine, client)):
                threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    @staticmethod
    def _copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def test_plain_tcp_only_with_insecure(own_host, docker):
    host = own_host()
    door = PlainDoor(docker.socket)
    try:
        url = f"tcp://127.0.0.1:{door.port}"
        r = host.ctl("node", "add", "plain", url, check=False)
        assert r.returncode == 65 and b"--insecure" in r.stderr
        host.ctl("node", "add", "plain", url, "--insecure")
        assert b"INSECURE" in host.ctl("node", "list").stdout
        wait_for(lambda: host.ssh("alice+plain+bb", "true").returncode == 0, 10, "the node's first listing")
        data = b"x" * 1_000_000
        r = host.ssh("alice+plain+bb", "cat; exit 3", input=data)
        assert (r.returncode, r.stdout) == (3, data)
        r = host.ctl("node", "set", "plain", "insecure", "no", check=False)
        assert r.returncode == 65 and b"--insecure" in r.stderr
    finally:
        door.close()


@pytest.mark.parametrize("kind, name", (("docker", "Docker"), ("tls", "Docker"), ("podman", "Podman")))
def test_a_node_is_tested(own_host, lab, kind, name):
    """The engine's kind, version and API by its own word, and the containers that its list has."""
    host, engine = own_host(), lab.engine(kind)
    engine.container("tested", "busybox")
    host.node(engine, "under-test")
    try:
        known = json.loads(engine.cli("version", "--format", "{{json .}}").stdout)
        version = known["Server"]["Version"] if kind != "podman" else known["Client"]["Version"]
        there = len(engine.cli("ps", "--all", "--quiet").stdout.split())
        answer = host.ctl_json("node", "test", "under-test")
        api = answer.pop("api")
        assert answer == {"name": "under-test", "engine": name, "version": version, "containers": there}
        assert tuple(map(int, api.split("."))) >= (1, 41)
        said = host.ctl("node", "test", "under-test").stdout.decode()
        assert said == f"under-test: {name} {version} (API {api}), {there} container{'s' * (there != 1)}\n"
        (node,) = [n for n in host.ctl_json("node", "list") if n["name"] == "under-test"]
        assert (node["state"], node["last_error"]) == ("connected", None) and node["last_seen"]
        assert host.ssh("alice+under-test+tested", "echo in").stdout == b"in\n"
    finally:
        engine.remove("tested")


# ---- jumpboxctl check

def checked(host):
    """{node: (ok, message)}, and the exit code"""
    r = host.ctl("--json", "check", check=False)
    return {c["name"]: (c["ok"], c["message"]) for c in json.loads(r.stdout) if c["check"] == "node"}, r.returncode


def test_check_asks_silent_nodes_together(own_host):
    host = own_host(start=False)
    with contextlib.ExitStack() as open_sockets:
        for i in range(34):  # more than at once
            s = open_sockets.enter_context(socket.socket(socket.AF_UNIX))
            s.bind(str(host.dir / f"silent{i}"))
            s.listen(8)
            os.chmod(host.dir / f"silent{i}", 0o666)
            host.ctl("node", "add", f"silent{i}", f"unix://{host.dir}/silent{i}")
        started = time.monotonic()
        nodes, code = checked(host)
        seconds = time.monotonic() - started
    assert code == 69 and len(nodes) == 35 and nodes["one"][0]
    assert all(not ok and "did not answer in time" in said for name, (ok, said) in nodes.items() if name != "one"), nodes
    assert seconds < 20 * SLOW  # one after the other is two minutes


class TlsDoor(PlainDoor):
    """A TLS port before an engine's socket, with a certificate for so many days."""

    def __init__(self, path, certs, days):
        name = f"days{days}"
        for argv in (["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                      "-out", f"{name}.csr", "-subj", "/CN=door"],
                     ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-out", f"{name}.pem", "-extfile", "server.ext", "-days", str(days)]):
            run("openssl", *argv, cwd=certs)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certs / f"{name}.pem", certs / f"{name}.key")
        super().__init__(path)

    def _accept(self):
        self.listener = self.context.wrap_socket(self.listener, server_side=True)
        super()._accept()


def test_check_warns_of_certificates_that_expire(own_host, docker, lab):
    """The engine's, which it shows; ours and the authority's, which are in the database."""
    host = own_host(start=False)
    certs = lab.engine("tls").certs
    for name in ("ca", "client"):  # as they are, and for ten days
        (certs / f"{name}.short").write_bytes(run("openssl", "x509", "-in", f"{name}.pem", "-days", "10", "-signkey",
                                                  f"{name}.key", cwd=certs).stdout)
    door = TlsDoor(docker.socket, certs, 60)
    soon = TlsDoor(docker.socket, certs, 20)
    try:
        for name, d, ca, cert in (("good", door, "ca.pem", "client.pem"), ("soon", soon, "ca.pem", "client.pem"),
                                  ("ours", door, "ca.pem", "client.short"), ("theirs", door, "ca.short", "client.pem")):
            host.ctl("node", "add", name, f"tcp://127.0.0.1:{d.port}", "--ca", certs / ca, "--cert", certs / cert,
                     "--key", certs / "client.key")
        nodes, code = checked(host)
        assert code == 69
        assert nodes["good"][0] and nodes["good"][1].startswith("Docker "), nodes
        day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=20)).strftime("%Y-%m-%d")
        assert nodes["soon"] == (False, nodes["soon"][1]) and f"the engine's certificate expires {day}T" in nodes["soon"][1]
        assert not nodes["ours"][0] and "node set ours cert" in nodes["ours"][1]
        assert not nodes["theirs"][0] and "node set theirs ca" in nodes["theirs"][1]
    finally:
        door.close()
        soon.close()


def test_two_nodes_with_one_name(own_host, docker, lab):
    host = own_host()
    other = lab.engine("tls")
    other.exec("bb", "sh", "-c", "echo other >/where")
    docker.exec("bb", "sh", "-c", "echo one >/where")
    host.node(other, "two")
    wait_for(lambda: host.ssh("alice+two+bb", "cat /where").stdout == b"other\n", 10, "the second node")
    assert host.ssh("alice+one+bb", "cat /where").stdout == b"one\n"
    r = host.ssh("alice+bb", "cat /where")
    assert r.returncode == 64 and b"one+bb" in r.stderr and b"two+bb" in r.stderr


def test_with_the_hosts_process_ids_a_dropped_command_is_ended(own_host, docker):
    host = own_host()
    docker.container("hostpid", "busybox", "--pid", "host")
    try:
        wait_for(lambda: host.ssh("alice+hostpid", "true").returncode == 0, 10, "the container")
        marker = "sleep 86391"
        p = host.popen("alice+hostpid", marker, stdin=subprocess.DEVNULL)

        def running():
            return marker in run("ps", "-eo", "args").stdout.decode().splitlines()
        wait_for(running, 10, "the command")
        p.kill()
        p.wait(10)
        wait_for(lambda: not running(), 15, "its end")
    finally:
        docker.remove("hostpid")


def test_a_user_other_than_root_leaves_nothing_behind(own_host, docker):
    host = own_host()
    host.user("worker")
    host.ctl("grant", "add", "worker", "deb", "--as", "app")
    p = host.popen("worker+deb", "sleep 86392", stdin=subprocess.DEVNULL)
    wait_for(lambda: any(c == "sleep 86392" for _, _, c in docker.processes("deb")), 10, "the command")
    p.kill()
    p.wait(10)
    wait_for(lambda: not any(c == "sleep 86392" for _, _, c in docker.processes("deb")), 15, "its end")


@pytest.mark.parametrize("dies", ("client", "broker"))
def test_a_process_that_has_become_another_users_is_told_of(own_host, docker, dies):
    """Root in a container may not look into it, so that it cannot be known for the one to end: a helper has started it."""
    host = own_host()
    host.ctl("node", "set", "one", "helper", "off")
    host.may_crash = dies == "broker"
    docker.container("another", "debian")
    p = host.popen("alice+another", "echo on; exec setpriv --reuid 1000 --clear-groups sleep 31415",
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"on\n"
    wait_for(lambda: any("sleep 31415" == c for _, _, c in docker.processes("another")), 10, "the other user's process")
    if dies == "client":
        p.kill()
    else:
        os.kill(host.ctl_json("session", "list")[0]["pid"], signal.SIGKILL)
    p.communicate(timeout=10 * SLOW)
    wait_for(lambda: not host.ctl_json("session", "list"), 20, "the row to be closed")
    wait_for(lambda: len(host.audit("attach.close")) == 1, 20, "the attach's as well")
    assert any("sleep 31415" == c for _, _, c in docker.processes("another"))
    said = len(re.findall(r" attach\.not_ended .*another user", host.log_text()))
    assert said == 1 or (said == 2 and dies == "broker")  # two zygotes may have had a cleaner each
    docker.remove("another")


def test_install_into_a_staging_directory(tmp_path):
    prefix = "/opt/jumpbox"
    run("make", "-C", TOP, "-s", "-j2", f"PREFIX={prefix}", f"BUILD={tmp_path}/build", f"DESTDIR={tmp_path}/stage",
        "install", timeout=300)
    stage = tmp_path / "stage"
    root = stage / prefix[1:]
    for name in ("sbin/jumpboxd", "sbin/jumpboxctl", "libexec/jumpbox/jumpbox-session",
                 "libexec/jumpbox/jumpbox-broker", "libexec/jumpbox/jumpbox-watcher", "libexec/jumpbox/jumpbox-metrics",
                 "share/man/man8/jumpboxd.8", "share/man/man8/jumpboxctl.8", "share/man/man5/jumpbox.conf.5"):
        assert (root / name).is_file(), name
    assert (stage / "etc/jumpbox/jumpbox.conf").is_file()
    unit = (root / "lib/systemd/system/jumpbox.service").read_text()
    assert f"ExecStart={prefix}/sbin/jumpboxd" in unit and "KillMode=process" in unit
    assert "Type=notify" in unit and "WatchdogSec=" in unit and "@" not in unit.replace("@system-service", "")
    # The roles are looked for where they will be, not where they are staged.
    strings = run("grep", "-ac", f"{prefix}/libexec/jumpbox", root / "sbin/jumpboxd").stdout
    assert int(strings) > 0
    run(root / "sbin/jumpboxd", "-t", "-f", stage / "etc/jumpbox/jumpbox.conf")


CTL_LINKS = {"libsqlite3", "libcurl", "libjansson", "libargon2", "libcrypt", "libcrypto", "libz"}


@pytest.mark.parametrize("role, libraries", (
    ("sbin/jumpboxd", set()),
    ("libexec/jumpbox/jumpbox-session", {"libgssapi_krb5", "libcrypto", "libseccomp", "libncursesw", "libtinfo", "libz"}),
    ("libexec/jumpbox/jumpbox-broker", CTL_LINKS | {"libssl", "liboath", "libqrencode"}),
    ("libexec/jumpbox/jumpbox-watcher", {"libsqlite3", "libcrypto", "libcurl", "libjansson"}),
    ("libexec/jumpbox/jumpbox-metrics", {"libsqlite3", "libmicrohttpd"}),
    ("sbin/jumpboxctl", CTL_LINKS)))
def test_a_role_links_what_it_needs_and_no_more(host, role, libraries):
    dynamic = run("readelf", "-d", host.prefix / role).stdout.decode()
    needed = {line.split("[")[1].split(".so")[0] for line in dynamic.splitlines() if "NEEDED" in line}
    if "JUMPBOX_SANITIZED" in os.environ:  # no filter there, so no library for it
        libraries = libraries - {"libseccomp"}
    assert needed - {"libc", "libasan", "libubsan", "libm", "libgcc_s", "ld-linux-x86-64"} == libraries
