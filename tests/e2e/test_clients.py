"""Other people's clients: dbclient, plink, paramiko, asyncssh, and what editors and tools send."""

import asyncio
import os
import subprocess

import pexpect
import pytest

from lab import free_port, run, wait_for

PASSWORD = "correct horse"


def test_dropbear(host):
    env = {**os.environ, "DROPBEAR_PASSWORD": PASSWORD, "HOME": str(host.dir)}
    r = run("dbclient", "-y", "-y", "-p", host.port, "-l", "alice+bb", "127.0.0.1", "cat; exit 4", check=False,
            env=env, input=b"through dropbear\n")
    assert (r.returncode, r.stdout) == (4, b"through dropbear\n"), r.stderr


def test_dropbear_terminal(host):
    t = pexpect.spawn("dbclient", ["-y", "-y", "-t", "-p", str(host.port), "-l", "alice+bb", "127.0.0.1"],
                      env={**os.environ, "DROPBEAR_PASSWORD": PASSWORD, "HOME": str(host.dir)},
                      dimensions=(29, 91), timeout=30)
    t.sendline("stty size; exit 6")
    t.expect(rb"29 91\r\n")
    t.expect(pexpect.EOF)
    t.close()
    assert t.exitstatus == 6


def test_plink(host):
    # plink has no switch to accept a key: give it the fingerprint.
    key = run("ssh-keygen", "-lf", host.state / "ssh_host_ed25519_key").stdout.decode().split()[1]
    r = run("plink", "-batch", "-P", host.port, "-l", "alice+bb", "-pw", PASSWORD, "-hostkey", key, "127.0.0.1",
            "cat; exit 4", check=False, input=b"through plink\n", env={**os.environ, "HOME": str(host.dir)})
    assert (r.returncode, r.stdout) == (4, b"through plink\n"), r.stderr


def paramiko_client(host, login="alice+bb", **kw):
    import paramiko
    c = paramiko.SSHClient()
    c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    kw = kw or {"key_filename": str(host.key)}
    c.connect("127.0.0.1", host.port, login, allow_agent=False, look_for_keys=False, **kw)
    return c


@pytest.mark.parametrize("kw", ({}, {"password": PASSWORD}), ids=("key", "password"))
def test_paramiko(host, kw):
    c = paramiko_client(host, **kw)
    stdin, stdout, stderr = c.exec_command("cat; echo err >&2; exit 11")
    stdin.write(b"x" * 500000)
    stdin.channel.shutdown_write()
    assert stdout.read() == b"x" * 500000 and stderr.read() == b"err\n"
    assert stdout.channel.recv_exit_status() == 11
    ch = c.invoke_shell("xterm", 99, 44)
    ch.sendall(b"stty size; exit 5\n")
    got = b""
    while chunk := ch.recv(1000):
        got += chunk
    assert b"44 99" in got and ch.recv_exit_status() == 5
    c.close()


def test_asyncssh(host):
    import asyncssh

    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username="alice+bb", password=PASSWORD,
                                    known_hosts=None, client_keys=None) as c:
            r = await c.run("cat; exit 12", input="through asyncssh")
            assert (r.exit_status, r.stdout) == (12, "through asyncssh")
            many = await asyncio.gather(*(c.run(f"echo {i}") for i in range(20)))
            assert [m.stdout.strip() for m in many] == [str(i) for i in range(20)]
            p = await c.create_process(term_type="xterm", term_size=(77, 33))
            p.stdin.write("stty size; exit 3\n")
            out = await p.stdout.read()
            assert "33 77" in out
            assert (await p.wait()).exit_status == 3
    asyncio.run(asyncio.wait_for(go(), 60))


def test_200_sessions_on_one_connection(host):
    import asyncssh

    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username="alice+bb", password=PASSWORD,
                                    known_hosts=None, client_keys=None) as c:
            processes = await asyncio.gather(*(c.create_process("cat") for _ in range(200)))
            for i, p in enumerate(processes):
                p.stdin.write(f"{i}\n")
            for i, p in enumerate(processes):
                assert await p.stdout.readline() == f"{i}\n"
            for p in processes:
                p.stdin.write_eof()
            assert {(await p.wait()).exit_status for p in processes} == {0}
    asyncio.run(asyncio.wait_for(go(), 240))


def test_one_channel_that_nobody_reads_stops_no_other(host):
    import asyncssh

    async def go():
        async with asyncssh.connect("127.0.0.1", host.port, username="alice+bb", password=PASSWORD,
                                    known_hosts=None, client_keys=None) as c:
            deaf = await c.create_process("cat /dev/zero", encoding=None, stdout=asyncssh.PIPE)
            await deaf.stdout.read(1)
            for i in range(5):
                r = await asyncio.wait_for(c.run(f"echo {i}"), 15)
                assert r.stdout == f"{i}\n"
            deaf.close()
    asyncio.run(asyncio.wait_for(go(), 120))


def test_rekey_each_mib_under_load(host):
    for algorithm in ("ssh-ed25519", "rsa-sha2-512"):
        options = ("-o", "RekeyLimit=1M", "-o", f"HostKeyAlgorithms={algorithm}", "-o",
                   f"UserKnownHostsFile={host.dir}/known-{algorithm}")
        data = os.urandom(12 << 20)
        r = host.ssh("alice+bb", "cat", options=options, input=data, timeout=120)
        assert r.returncode == 0 and r.stdout == data


@pytest.mark.parametrize("shell", ("bb", "deb"))
def test_vscode_style_script_on_stdin(host, shell):
    """`ssh -T host sh` with a script on stdin and end of file right after it."""
    script = b"echo first: running\nuname -rsv >/dev/null\necho '1a%%1%%'\nsleep 1\necho first: end\n"
    r = host.ssh(f"alice+{shell}", "sh", options=("-T",), input=script)
    assert (r.returncode, r.stdout) == (0, b"first: running\n1a%%1%%\nfirst: end\n")
    p = host.popen(f"alice+{shell}", options=("-T",), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"echo 'ready: 7'\n")
    p.stdin.flush()
    assert p.stdout.readline() == b"ready: 7\n"
    p.stdin.write(b"exit 8\n")
    p.stdin.flush()
    assert p.wait(20) == 8


def test_no_channel_at_all_stays(host):
    control = host.dir / "control"
    p = host.popen("alice+bb", options=("-N", "-M", "-S", control))
    try:
        wait_for(control.exists, 20, "the control socket")
        for i in range(3):
            r = host.ssh("alice+bb", f"echo {i}", options=("-S", control))
            assert r.stdout == f"{i}\n".encode()
        assert p.poll() is None
    finally:
        run("ssh", "-S", control, "-O", "exit", "x", check=False)
        p.wait(10)


def test_what_is_not_there_yet_is_refused_and_ends_nothing(host):
    p = host.popen("alice+bb", "cat", options=("-L", f"127.0.0.1:{free_port()}:127.0.0.1:9", "-A"), stdin=subprocess.PIPE,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, _ = p.communicate(b"still here\n", timeout=30)
    assert (p.returncode, out) == (0, b"still here\n")
    r = run("sftp", "-F", "none", "-P", host.port, "-i", host.key, "-o", "IdentitiesOnly=yes", "-o",
            f"UserKnownHostsFile={host.dir}/known_hosts", "-o", "StrictHostKeyChecking=accept-new",
            "-b", "/dev/null", "alice+bb@127.0.0.1", check=False)
    assert r.returncode != 0
