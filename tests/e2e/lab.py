"""The test laboratory: private container engines, a jump host, real clients.

Everything lives below one temporary directory and on loopback addresses.
Only processes started here are ever stopped.  Nothing sleeps: wait_for()
polls a condition until a deadline.
"""

import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

import paramiko
import pexpect

HERE = pathlib.Path(__file__).resolve().parent
IMAGES = pathlib.Path(os.environ.get("JUMPBOX_IMAGES", "/var/tmp/jumpbox-images"))
PREFIX = pathlib.Path(os.environ.get("JUMPBOX_PREFIX", "/usr/local"))
HELPER = os.environ.get("JUMPBOX_HELPER", "on")  # off: every shell and command of a run on a bare stream
# Engines, and the two roads into their containers: by the helper, and without it.
ROADS = ("docker", "tls", "podman", "docker-bare")
# What stretches deadlines: sanitizers, and other suites at the same time.
SLOW = int(os.environ.get("JUMPBOX_SLOW", 4 if os.environ.get("JUMPBOX_SANITIZED") else 1))


def stop_thread(transport):
    """Waits for it, as paramiko's own does not: it would read on from a descriptor that the next connection has."""
    transport.active = False
    transport.packetizer.close()
    with contextlib.suppress(OSError):
        transport.sock.shutdown(socket.SHUT_RDWR)
    if transport is not threading.current_thread():
        transport.join(20)


paramiko.Transport.stop_thread = stop_thread


def patient(init):
    """Its own limits are for a machine with nothing else to do."""
    def with_limits(transport, *args, **kw):
        init(transport, *args, **kw)
        transport.banner_timeout = transport.handshake_timeout = 20 * SLOW
        transport.auth_timeout = 30 * SLOW
    return with_limits


paramiko.Transport.__init__ = patient(paramiko.Transport.__init__)


def wait_for(condition, seconds=10, what="a condition"):
    """The first true value of condition(), or an assertion after the deadline."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Ports:
    """Below what the kernel gives to clients, and a part that no other run on this machine has at the time."""

    PARTS, FIRST = 8, 10000

    def __init__(self):
        end = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        size = (end - self.FIRST) // self.PARTS
        self.claim = socket.socket(socket.AF_UNIX)  # its name is the run's until the run ends
        for part in range(self.PARTS):
            with contextlib.suppress(OSError):
                self.claim.bind(f"\0jumpbox-tests-{part}")
                self.left = list(range(self.FIRST + part * size, self.FIRST + (part + 1) * size))
                random.shuffle(self.left)
                return
        raise AssertionError(f"{self.PARTS} runs of these tests are going on already")


PORTS = Ports()


def free_port():
    """Between this and its use nobody takes it: none comes twice."""
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            port = PORTS.left.pop()
            s.bind(("127.0.0.1", port))
            return port


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def run(*argv, check=True, timeout=60, **kw):
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.PIPE)
    if "input" not in kw:
        kw.setdefault("stdin", subprocess.DEVNULL)
    r = subprocess.run([str(a) for a in argv], timeout=timeout * SLOW, **kw)
    if check and r.returncode:
        raise AssertionError(f"{argv}: exit {r.returncode}\n{r.stdout}\n{r.stderr}")
    return r


def make_certificates(directory):
    """A CA, a server certificate for 127.0.0.1 and client certificates: good, expired, of another CA."""
    d = pathlib.Path(directory)
    d.mkdir(exist_ok=True)

    def openssl(*args):
        run("openssl", *args, cwd=d)

    for ca in ("ca", "otherca"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-days", "90", "-subj", f"/CN=test {ca}")
    (d / "server.ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    (d / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    (d / "index").write_text("")
    for name, ca, ext in (("server", "ca", "server"), ("client", "ca", "client"),
                          ("stranger", "otherca", "client"), ("expired", "ca", "server")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        dates = ["-days", "90"]
        if name == "expired":
            # x509 cannot date backwards; ca can.
            (d / "ca.cnf").write_text(
                "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
                "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
            openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-out", f"{name}.pem",
                    "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key", "-extfile", f"{ext}.ext",
                    "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
                    "-rand_serial", "-notext")
        else:
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
                    "-CAcreateserial", "-out", f"{name}.pem", "-extfile", f"{ext}.ext", *dates)
    return d


class Engine:
    """A private container engine: dockerd on a unix socket or behind TLS, one with user namespaces, or Podman's API."""

    IDS = 200000  # of root in a user namespace, here

    def __init__(self, kind, directory):
        self.kind = kind
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True)
        os.chmod(self.dir, 0o755)
        self.socket = self.dir / "engine.sock"
        self.port = None
        self.certs = None
        self.proc = None
        self.images = set()

    @property
    def url(self):
        return f"tcp://127.0.0.1:{self.port}" if self.port else f"unix://{self.socket}"

    def start(self):
        log = open(self.dir / "log", "ab")
        if self.kind == "podman":
            # Its usual locks are one file for all Podmans of a machine, and who starts anew frees those of the others.
            (self.dir / "containers.conf").write_text('[engine]\nlock_type = "file"\n')
            argv = [*self._podman(), "system", "service", "--time=0", f"unix://{self.socket}"]
        else:
            argv = ["dockerd", "--host", f"unix://{self.socket}", "--group", "jumpbox",
                    "--data-root", str(self.dir / "data"), "--exec-root", str(self.dir / "exec"),
                    "--pidfile", str(self.dir / "pid"), "--bridge=none", "--iptables=false",
                    "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--live-restore"]
            if self.kind == "tls":
                self.certs = self.certs or make_certificates(self.dir / "certs")
                self.port = self.port or free_port()
                argv += ["--host", f"tcp://127.0.0.1:{self.port}", "--tlsverify",
                         "--tlscacert", str(self.certs / "ca.pem"),
                         "--tlscert", str(self.certs / "server.pem"),
                         "--tlskey", str(self.certs / "server.key")]
            if self.kind == "userns":
                argv = [*self._own_ids(), *argv, "--userns-remap", "jumpbox"]
        self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True)
        log.close()
        wait_for(self._answers, 60, f"{self.kind} engine to answer (log in {self.dir}/log)")
        if self.kind == "podman":
            shutil.chown(self.socket, group="jumpbox")
            os.chmod(self.socket, 0o660)
        return self

    def _own_ids(self):
        """Subordinate ids as this engine alone sees them: the machine's files stay what they are."""
        ids = self.dir / "ids"
        ids.write_text(f"jumpbox:{self.IDS}:65536\n")
        binds = "".join(f"mount --bind {ids} /etc/{file} && " for file in ("subuid", "subgid"))
        return ["unshare", "--mount", "sh", "-c", f'{binds}exec "$@"', "sh"]

    def _podman(self):
        return ["env", f"CONTAINERS_CONF={self.dir}/containers.conf", "podman", "--root", str(self.dir / "data"),
                "--runroot", str(self.dir / "run"), "--tmpdir", str(self.dir / "tmp"),
                "--cgroup-manager=cgroupfs", "--events-backend=file", "--runtime", "runc",
                "--storage-driver=overlay"]

    def _answers(self):
        assert self.proc.poll() is None, (self.dir / "log").read_text()[-2000:]
        if self.kind == "podman":
            return self.socket.exists() and self.cli("ps", check=False).returncode == 0
        return self.cli("version", check=False).returncode == 0

    def cli(self, *args, **kw):
        if self.kind == "podman":
            return run(*self._podman(), *args, **kw)
        return run("docker", "--host", f"unix://{self.socket}", *args, **kw)

    def image(self, name):
        if name not in self.images:
            run(HERE / "images", IMAGES, name, timeout=600)
            self.cli("import", IMAGES / f"{name}.tar", f"{name}:latest", timeout=120)
            self.images.add(name)
        return f"{name}:latest"

    def container(self, name, image="busybox", *options, command=("sleep", "1000000"), network="none"):
        """A running container; removes an older one of that name."""
        self.remove(name)
        if image == "noshell":
            command = ("/sleep", "1000000")
        if self.kind == "podman":  # its defaults are above what an unprivileged parent may give
            options = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:4096", *options)
        self.cli("run", "--detach", "--init", "--network", network, "--name", name, *options,
                 self.image(image), *command)
        return name

    def remove(self, name):
        self.cli("rm", "--force", "--volumes", name, check=False)

    def exec(self, name, *argv, check=True, user=None):
        flags = ["--user", user] if user else []
        return self.cli("exec", *flags, name, *argv, check=check).stdout.decode()

    def processes(self, name):
        """[(pid, ppid, command line)] in a container, read from outside: a busy engine cannot hide any."""
        init = int(self.cli("inspect", "--format", "{{.State.Pid}}", name).stdout)
        assert init > 0, f"{name} does not run"
        group = pathlib.Path(f"/proc/{init}/cgroup").read_text()
        assert group != pathlib.Path("/proc/self/cgroup").read_text(), f"{name} has no cgroup of its own"
        rows, inner = [], {}
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                if (p / "cgroup").read_text() != group:
                    continue
                status = dict(line.split(":", 1) for line in (p / "status").read_text().splitlines())
                command = (p / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
                inner[int(p.name)] = int(status["NSpid"].split()[-1])
                if command:  # no zombie
                    rows.append((int(p.name), int(status["PPid"]), command))
        assert init in inner, f"{name} ended"
        return [(inner[pid], inner.get(parent, 0), command) for pid, parent, command in rows]

    def kill(self):
        """As a crash would. Its containerd dies with it, but may stay a zombie: dockerd would wait for that."""
        self.proc.kill()
        self.proc.wait(10)
        (self.dir / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    def stop(self):
        if self.proc is None:
            return
        if self.proc.poll() is None:
            names = self.cli("ps", "--all", "--quiet", check=False).stdout.decode().split()
            if names:
                self.cli("rm", "--force", "--volumes", *names, check=False, timeout=120)
            self.proc.terminate()
            try:
                self.proc.wait(30)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(10)
        self._end_what_waits()
        for line in reversed(open("/proc/self/mounts").read().splitlines()):
            mount = line.split()[1].encode().decode("unicode_escape")
            if mount.startswith(str(self.dir)):
                run("umount", "--lazy", mount, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _end_what_waits(self):
        """Minutes after an exec Podman tidies up after it: that would make all of this anew."""
        for pid in self.own_processes():
            with contextlib.suppress(OSError):  # it has ended
                os.kill(pid, signal.SIGKILL)

    def own_processes(self):
        """The engine and what it has for its containers; not what runs in them."""
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended
                if f"{self.dir}/".encode() in (p / "cmdline").read_bytes():
                    yield int(p.name)


class TlsProxy:
    """TLS with client certificates in front of an engine's socket: how Podman is reached over a network."""

    def __init__(self, engine, directory):
        self.engine = engine
        self.certs = make_certificates(directory)
        self.port = free_port()
        self.url = f"tcp://127.0.0.1:{self.port}"
        self.log = open(self.certs / "log", "ab")
        self.proc = subprocess.Popen(
            ["socat", f"OPENSSL-LISTEN:{self.port},bind=127.0.0.1,reuseaddr,fork,verify=1,cafile={self.certs}/ca.pem,"
             f"cert={self.certs}/server.pem,key={self.certs}/server.key", f"UNIX-CONNECT:{engine.socket}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        wait_for(self._listens, 10, "the proxy to listen")

    def _listens(self):
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def stop(self):
        os.killpg(self.proc.pid, signal.SIGTERM)
        self.proc.wait(10)
        self.log.close()


class JumpHost:
    """jumpboxd of the installed prefix with a database, keys and a configuration of its own."""

    made = []  # all of a run: Lab.close() looks at how each has fared
    # Patterns; the last is no complaint where a test crashes something itself.
    BAD_WORDS = ("AddressSanitizer", "runtime error:", "watcher.exit .*status=(?!137|143)", "zygote.crash")

    def __init__(self, directory, prefix=PREFIX, **config):
        self.made.append(self)
        self.maker = os.environ.get("PYTEST_CURRENT_TEST", "?")
        self.may_crash = False  # set by a test that kills a session or a broker on purpose
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True)
        os.chmod(self.dir, 0o755)
        self.prefix = pathlib.Path(prefix)
        self.port = free_port()
        self.state = self.dir / "state"
        self.state.mkdir(mode=0o700)
        (self.dir / "run").mkdir(mode=0o755)
        (self.dir / "jail").mkdir(mode=0o755)
        if os.geteuid() == 0:
            for d in (self.state, self.dir / "run"):
                shutil.chown(d, "jumpbox", "jumpbox")
        self.database = self.state / "jumpbox.db"
        self.conf = self.dir / "jumpbox.conf"
        self.log = self.dir / "log"
        self._log_reader = open(self.log, "a+b")  # readable after a test has removed the directory
        self.proc = None
        self.settings = {
            "port": self.port, "listen-address": "127.0.0.1", "database": self.database,
            "run-directory": self.dir / "run", "jail-directory": self.dir / "jail",
            "host-key": [self.state / "ssh_host_ed25519_key", self.state / "ssh_host_rsa_key"],
            "log-level": "debug"}
        self.configure(**config)
        # A key and a password that clients of the tests use.
        self.key = self.dir / "id_ed25519"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)

    def configure(self, **config):
        self.settings.update({k.replace("_", "-"): v for k, v in config.items()})
        lines = []
        for key, value in self.settings.items():
            for v in value if isinstance(value, list) else [value]:
                lines.append(f"{key} {v}\n")
        self.conf.write_text("".join(lines))

    # ---- running it

    def start(self, **popen):
        with open(self.log, "ab") as log:
            started = self.log_text().count("server.start")
            self.proc = subprocess.Popen([self.prefix / "sbin/jumpboxd", "-D", "-f", self.conf],
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log, **popen)

        def serving():
            assert self.proc.poll() is None, "jumpboxd ended:\n" + self.log_text()[-3000:]
            return self.log_text().count("server.start") > started
        wait_for(serving, 30, f"the start (log: {self.log})")
        self.wait_for_nodes()
        return self

    def wait_for_nodes(self, unlike="state = 'unknown'"):
        """Until each node in use has been looked at by its watcher, which may have found that it fails."""
        def seen():
            with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
                return not db.execute(f"select 1 from nodes where enabled and {unlike}").fetchall()
        with contextlib.suppress(sqlite3.Error):  # a database that a test has damaged
            wait_for(seen, 15, f"the watchers of nodes (log: {self.log})")

    def wait_for_container(self, name, seconds=20):
        """Until alice sees it: what an engine has just made is in the inventory a little later."""
        wait_for(lambda: name in self.ssh("alice", "ls").stdout.decode().split(), seconds, "the inventory")

    def stop(self, sig=signal.SIGINT, seconds=15):
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(sig)
            try:
                self.proc.wait(seconds * SLOW)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(10)
                raise AssertionError("jumpboxd did not stop:\n" + self.log_text()[-3000:])
        return self.proc.returncode if self.proc else None

    def log_text(self):
        fd = self._log_reader.fileno()
        return os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="replace")

    def wait_for_log(self, text, seconds=10):
        """What a client sees of an end may be there before the broker has written why."""
        wait_for(lambda: text in self.log_text(), seconds, f"{text!r} in the log ({self.log})")

    def complaint(self):
        """What the log holds that no test may leave there; "" if nothing."""
        text = self.log_text()
        words = self.BAD_WORDS[:3 if self.may_crash else 4]
        found = [m.start() for m in (re.search(word, text) for word in words) if m]
        return f"{self.maker}: {self.dir}:\n{text[max(0, min(found) - 200):][:6000]}" if found else ""

    def processes(self, role):
        """Pids of this jump host's processes of a role: jumpboxd, jumpbox-session, jumpbox-broker."""
        found = []
        for p in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                exe = os.readlink(p / "exe")
                if pathlib.Path(exe.removesuffix(" (deleted)")).name == role and exe.startswith(str(self.prefix)):
                    if self._mine(int(p.name)):
                        found.append(int(p.name))
        return sorted(found)

    def serving(self, role):
        """Those of them that serve a connection, by the name that ps shows: no zygote, no cleaner (it comes and goes)."""
        found = []
        for pid in self.processes(role):
            with contextlib.suppress(OSError):  # it ended
                if pathlib.Path(f"/proc/{pid}/comm").read_text() == role.replace("jumpbox", "jb") + "\n":
                    found.append(pid)
        return found

    def watchers(self):
        """{number of a node: pid of its watcher}; 0 is the database's."""
        found = {}
        for pid in self.processes("jumpbox-watcher"):
            with contextlib.suppress(OSError, IndexError):  # it ended
                argv = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                found[int(argv[1] or 0)] = pid
        return found

    def _mine(self, pid, generations=1):
        """By the log on standard error, the jail, or a parent that is: a session has no log of its own."""
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/2") == str(self.log):
                return True
            if os.readlink(f"/proc/{pid}/root") == str(self.dir / "jail"):
                return True
            return generations > 0 and self._mine(parent_of(pid), generations - 1)
        return False

    # ---- administering it

    def ctl(self, *args, check=True, **kw):
        if isinstance(kw.get("input"), str):
            kw["input"] = kw["input"].encode()
        return run(self.prefix / "sbin/jumpboxctl", "-f", self.conf, *args, check=check, **kw)

    def ctl_json(self, *args):
        return json.loads(self.ctl("--json", *args).stdout)

    def user(self, name, *flags, password="correct horse", key=True):
        self.ctl("user", "add", name, "--password-stdin", *flags, input=password + "\n")
        if key:
            self.ctl("key", "add", name, f"{self.key}.pub")
        return name

    def node(self, engine, name):
        flags = []
        if engine.certs:
            flags = ["--ca", engine.certs / "ca.pem", "--cert", engine.certs / "client.pem",
                     "--key", engine.certs / "client.key"]
        self.ctl("node", "add", name, engine.url, *flags)
        if HELPER == "off":
            self.ctl("node", "set", name, "helper", "off")
        if self.proc and self.proc.poll() is None:
            self.wait_for_nodes()
        return name

    def audit(self, event=None, helpers=False):
        """Its rows; those of helpers only for whom they are about."""
        rows = [json.loads(line) for line in self.ctl("audit", "export").stdout.splitlines()]
        opened = [r["detail"] for r in rows if r["event"] == "attach.open"]
        streams = {detail.split()[0] for detail in opened if " kind=helper " in detail}
        return [r for r in rows if (event is None or r["event"] == event) and
                (helpers or not r["event"].startswith("attach.") or r["detail"].split()[0] not in streams)]

    def live(self, n=1, user=None):
        """Its n live sessions, of that user: what has just ended for its client may be among them a little longer."""
        rows = []

        def so_many():
            rows[:] = [s for s in self.ctl_json("session", "list") if user in (None, s["user"])]
            return len(rows) == n
        try:
            wait_for(so_many, 20)
        except AssertionError:
            raise AssertionError(f"not {n} live sessions: {rows}") from None
        return rows

    def outlast(self, what):
        """The wait that failures have brought to `user:NAME` or another is one that a test does not outlast."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as db:
            n = db.execute("update login_failures set blocked_until = last + 250 where what = ?"
                           " and blocked_until > last", (what,)).rowcount
            db.commit()
        return n == 1

    # ---- reaching it

    def ssh_argv(self, login, *command, options=(), key=True):
        # ssh takes the first value that it meets: a test's own options go first.
        argv = ["ssh", *options, "-F", "none", "-p", self.port, "-o", "StrictHostKeyChecking=accept-new",
                "-o", f"UserKnownHostsFile={self.dir}/known_hosts", "-o", "LogLevel=ERROR",
                "-o", "ConnectTimeout=20"]
        if key:
            argv += ["-i", self.key, "-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey"]
        else:
            argv += ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]
        return [str(a) for a in (*argv, f"{login}@127.0.0.1", *command)]

    def ssh(self, login, *command, options=(), check=False, **kw):
        """ssh without a terminal; the CompletedProcess with bytes."""
        return run(*self.ssh_argv(login, *command, options=options), check=check, **kw)

    def ssh_password(self, login, password, *command, options=(), **kw):
        env = {**os.environ, "SSH_ASKPASS": str(HERE / "askpass"), "SSH_ASKPASS_REQUIRE": "force",
               "JUMPBOX_TEST_PASSWORD": password}
        return run(*self.ssh_argv(login, *command, options=options, key=False), check=False, env=env, **kw)

    def popen(self, login, *command, options=(), **kw):
        return subprocess.Popen(self.ssh_argv(login, *command, options=options), **kw)

    def transport(self, login, password=None):
        """A paramiko connection, logged in by key or password: what OpenSSH's client cannot be made to send."""
        t = paramiko.Transport(("127.0.0.1", self.port))
        t.start_client(timeout=20 * SLOW)
        if password is None:
            t.auth_publickey(login, paramiko.Ed25519Key(filename=str(self.key)))
        else:
            t.auth_password(login, password)
        return t

    def terminal(self, login, *command, rows=24, cols=80, options=(), key=True, term="xterm", timeout=20):
        """ssh in a real terminal of that size (pexpect)."""
        argv = self.ssh_argv(login, *command, options=("-tt", *options), key=key)
        terminal = pexpect.spawn(argv[0], argv[1:], dimensions=(rows, cols), timeout=timeout * SLOW,
                                 env={**os.environ, "TERM": term, "LC_ALL": "C.UTF-8"}, encoding=None)
        terminal.str_last_chars = 4000  # of what is said of it when a test fails
        return terminal


def ended(t, timeout=20):
    """The exit status of a client in a terminal, waited for: close() would hang up on one that is still leaving."""
    t.expect(pexpect.EOF, timeout=timeout * SLOW)
    wait_for(lambda: not t.isalive(), 10 * SLOW, "the client to exit")
    t.close()
    return t.exitstatus


def channel_request(channel, name, *fields):
    """Sends a request of a paramiko channel and waits for nothing."""
    m = paramiko.Message()
    m.add_byte(b"\x62")
    m.add_int(channel.remote_chanid)
    m.add_string(name)
    m.add_boolean(False)
    for f in fields:
        (m.add_int if isinstance(f, int) else m.add_string)(f)
    channel.transport._send_user_message(m)


def read_all(channel, seconds=60):
    """What a paramiko channel has for standard output, to its end."""
    channel.settimeout(seconds * SLOW)
    return b"".join(iter(lambda: channel.recv(1 << 20), b""))


def live_terminal(host, login="alice+bb"):
    """A shell in a container that has answered."""
    t = host.terminal(login)
    t.sendline("echo rea''dy")
    t.expect(b"ready\r\n")
    return t


@contextlib.contextmanager
def served(directory, *options):
    """A mounted file system, and the process that serves it: once that is stopped nobody is answered there."""
    mount, server, pid = directory / "mount", directory / "server", directory / "pid"
    for d in (mount, directory / "served"):
        d.mkdir()
        d.chmod(0o777)
    server.write_text(f"#!/bin/sh\necho $$ >{pid}\nexec {PREFIX}/libexec/jumpbox/jumpbox-helper.amd64 sftp\n")
    server.chmod(0o755)
    run("sshfs", "-o", f"ssh_command={server}", *options, f"x:{directory}/served", mount)
    pid = int(pid.read_text())
    try:
        yield mount, pid
    finally:
        os.kill(pid, signal.SIGCONT)
        run("fusermount", "-u", mount)


@contextlib.contextmanager
def frozen(directory):
    """A mounted file system, and what makes it wait with all that is to be written there, and go on."""
    mount, image = directory / "mount", directory / "image"
    mount.mkdir()
    with open(image, "wb") as f:
        f.truncate(16 << 20)
    run("mkfs.ext4", "-q", image)
    run("mount", "-o", "loop", image, mount)
    mount.chmod(0o1777)
    try:
        yield mount, lambda: run("fsfreeze", "--freeze", mount), lambda: run("fsfreeze", "--unfreeze", mount)
    finally:
        run("fsfreeze", "--unfreeze", mount, check=False)
        run("umount", mount)


class Lab:
    """One temporary directory with the engines and jump hosts of a test run."""

    def __init__(self, containers=()):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="jumpbox-lab-", dir="/tmp"))
        os.chmod(self.dir, 0o755)
        self.containers = containers  # (name, image) of each engine
        self.engines = {}
        self.first = None  # what each site() is a copy of

    def engine(self, kind):
        """One of the run's engines, with the run's containers, whichever test asks first; "userns" has none of them."""
        if kind in self.engines:
            return self.engines[kind]
        if kind == "podman-tls":
            engine = self.engines[kind] = TlsProxy(self.engine("podman"), self.dir / kind)
        else:
            engine = self.engines[kind] = Engine(kind, self.dir / kind).start()
            for name, image in () if kind == "userns" else self.containers:
                engine.container(name, image)
        return engine

    def host(self, **config):
        return JumpHost(self.dir / f"host{len(JumpHost.made)}", **config)

    def model(self):
        """To make host keys and users takes most of a jump host's time."""
        host = self.host()
        host.user("root1", "--admin")
        host.user("alice")
        host.ctl("grant", "add", "alice", "*")
        database = host.database.read_bytes()
        host.start().stop()
        host.database.write_bytes(database)  # no node that the start may have found
        return host

    def site(self, engine, **config):
        """A jump host over one engine: administrator `root1`, user `alice` with a grant for everything. Not started."""
        self.first = self.first or self.model()
        host = self.host(**{"max_startups_per_source": 100, "backoff_after": 0, **config})
        run("cp", "--archive", f"{self.first.state}/.", host.state)
        host.key = self.first.key
        host.node(engine, "one")
        host.engine = engine
        return host

    def road(self, name):
        """A site() over one of ROADS, started; its `helper`: whether processes are carried by one."""
        host = self.site(self.engine(name.removesuffix("-bare")))
        host.helper = HELPER == "on" and not name.endswith("-bare")
        if not host.helper:
            host.ctl("node", "set", "one", "helper", "off")
        return host.start()

    def close(self):
        """Ends everything; complains of what did not end and of what a log should not hold."""
        failures = []
        for host in JumpHost.made:
            if host.proc and host.proc.poll() is None:
                host.proc.send_signal(signal.SIGINT)
        for host in JumpHost.made:
            try:
                host.stop()
            except AssertionError as e:
                failures.append(f"{host.maker}: {e}")
        for engine in reversed(self.engines.values()):
            engine.stop()
        failures += filter(None, (host.complaint() for host in JumpHost.made))
        shutil.rmtree(self.dir, ignore_errors=True)
        assert not failures, "\n".join(failures)
