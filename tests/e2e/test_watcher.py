"""The watchers of nodes: what happens on an engine is in the list a moment later, whatever the engine does."""

import contextlib
import datetime
import os
import signal
import sqlite3
import subprocess
import sys
import time

import fleet
from lab import HERE, SLOW, wait_for
from screen import Screen

SOON = 3  # seconds in which an event must have reached the list


def row(host, name):
    """The inventory's row of a container, as jumpboxctl shows it; None."""
    return next((r for r in host.ctl_json("container", "list") if r["name"] == name), None)


def seconds_ago(at):
    return abs(datetime.datetime.fromisoformat(at).timestamp() - time.time())


def shows(host, name, seconds=SOON, **want):
    """Until the container is listed so."""
    def as_wanted():
        found = row(host, name)
        return found and all(found[k] == v for k, v in want.items()) and found
    try:
        return wait_for(as_wanted, seconds, f"{name} with {want}")
    except AssertionError as e:
        raise AssertionError(f"{e}: {row(host, name)}") from None


def node(host, name="one"):
    return next((n for n in host.ctl_json("node", "list") if n["name"] == name), None)


@contextlib.contextmanager
def fake(path, scenario, *call):
    process = subprocess.Popen([sys.executable, HERE / "fake_engine.py", path, scenario, *call], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(10)
        process.stdout.close()


# ---- events


def test_events_reach_the_list(site):
    host, engine = site, site.engine
    engine.container("w1", "busybox", command=("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"))
    up = shows(host, "w1", state="running")
    assert max(seconds_ago(up["started"]), seconds_ago(up["created"])) < 60 and not up["health"]
    engine.cli("stop", "w1")
    down = shows(host, "w1", state="exited", exit_code=7, oom=False)
    assert down["finished"] >= up["started"] and down["status"].startswith("Exited (7) ")
    engine.cli("start", "w1")
    again = shows(host, "w1", state="running")
    assert again["started"] >= down["finished"] and again["status"].startswith("Up ")
    assert again["id"] == up["id"]
    engine.cli("rename", "w1", "w2")
    assert shows(host, "w2", state="running")["id"] == up["id"] and row(host, "w1") is None
    engine.cli("pause", "w2")
    shows(host, "w2", state="paused")
    engine.cli("unpause", "w2")
    shows(host, "w2", state="running")
    engine.remove("w2")
    wait_for(lambda: row(host, "w2") is None, SOON, "the end of w2")


def test_a_container_made_anew_is_reached_at_once(site):
    """`docker run` and ssh with no moment between, also under a name that was another's."""
    engine = site.engine
    try:
        for round in ("first", "second"):
            engine.container("fresh", "busybox", "--hostname", round)
            r = site.ssh("alice+fresh", "hostname")
            assert (r.returncode, r.stdout) == (0, round.encode() + b"\n"), r.stderr
    finally:
        engine.remove("fresh")


def test_health_is_followed(host, docker):
    # What fails in the first hour, until it has been well once, is still starting: each stays until it is changed.
    docker.container("well", "busybox", "--health-cmd", "test -e /tmp/well", "--health-interval", "1s",
                     "--health-retries", "1", "--health-start-period", "1h")
    try:
        shows(host, "well", health="starting", seconds=10)
        for command, health in (("touch", "healthy"), ("rm", "unhealthy"), ("touch", "healthy")):
            docker.exec("well", command, "/tmp/well")
            well = shows(host, "well", health=health, seconds=15)
        assert well["status"].endswith(" (healthy)")
    finally:
        docker.remove("well")


def test_out_of_memory_and_gpus_and_ports_and_services(host, docker):
    docker.cli("create", "--name", "big", "--network", "none", "--memory", "8m", "--memory-swap", "8m",
               docker.image("busybox"), "sh", "-c", "x=0; while :; do x=$x$x; done")
    docker.cli("create", "--name", "gpu", "--gpus", "all", docker.image("busybox"), "true")
    docker.cli("create", "--name", "shop-db-1", "--label", "com.docker.compose.project=shop",
               "--label", "com.docker.compose.service=db", docker.image("busybox"), "true")
    docker.cli("create", "--name", "web.1.x8f", "--label", "com.docker.swarm.service.name=web",
               "--label", "com.docker.swarm.task.name=web.1.x8f", "--label", "com.docker.swarm.task.id=x8f",
               docker.image("busybox"), "true")
    try:
        docker.cli("start", "big")
        assert shows(host, "big", state="exited", oom=True, exit_code=137, seconds=15)["status"].endswith("(out of memory)")
        shows(host, "gpu", gpus="all", state="created")
        shows(host, "shop-db-1", service="shop/db")
        shows(host, "web.1.x8f", service="web.1")
    finally:
        for name in ("big", "gpu", "shop-db-1", "web.1.x8f"):
            docker.remove(name)


def test_a_burst_of_events_is_no_burst_of_writes(host, docker):
    def mark():
        with contextlib.closing(sqlite3.connect(f"file:{host.database}?mode=ro", uri=True)) as db:
            return db.execute("select mark from inventory").fetchone()[0]
    docker.container("busy", "busybox")
    shows(host, "busy", state="running")
    before = mark()
    docker.exec("busy", "true")  # no row shows that
    for _ in range(30):
        docker.cli("rename", "busy", "busy2")
        docker.cli("rename", "busy2", "busy")
    docker.remove("busy")
    wait_for(lambda: row(host, "busy") is None and row(host, "busy2") is None, SOON, "its end")
    assert mark() - before <= 62


# ---- watchers that die, nodes that change


def test_killed_with_9_they_come_back_and_nothing_is_stale(own_host, docker):
    host = own_host()
    first = host.watchers()
    assert len(first) == 2
    docker.container("gone", "busybox")
    shows(host, "gone")
    for pid in first.values():
        os.kill(pid, signal.SIGKILL)
    docker.remove("gone")  # while nobody watches, or nearly so
    wait_for(lambda: row(host, "gone") is None, SOON, "the list without it")
    again = wait_for(lambda: (now := host.watchers()).keys() == first.keys() and now, 10, "both watchers")
    assert set(again.values()).isdisjoint(first.values())
    docker.container("back", "busybox")
    shows(host, "back", state="running")
    docker.remove("back")
    host.may_crash = True
    assert "watcher.exit" in host.log_text()


def test_a_node_disabled_enabled_changed_renamed_and_deleted(own_host, docker, lab):
    host = own_host()
    podman = lab.engine("podman")
    number = node(host)["id"]

    def watched():
        return host.watchers().get(number)

    def names():
        return {r["name"] for r in host.ctl_json("container", "list")}
    first = watched()
    host.ctl("node", "disable", "one")
    wait_for(lambda: watched() is None, SOON, "the end of its watcher")
    assert not names() and node(host)["state"] == "unknown"
    assert b"bb" not in host.ssh("alice", "ls").stdout
    host.ctl("node", "enable", "one")
    wait_for(lambda: node(host)["state"] == "connected", SOON, "the node to be seen")
    assert "bb" in names() and watched() not in (None, first)
    # Another engine: what was on the first is gone.
    ids = {r["id"] for r in host.ctl_json("container", "list")}
    host.ctl("node", "set", "one", "url", podman.url)
    wait_for(lambda: ids.isdisjoint(now := {r["id"] for r in host.ctl_json("container", "list")}) and now, 5, "Podman's")
    podman.container("moved", "busybox")
    shows(host, "moved")
    podman.remove("moved")
    with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
        db.execute("update nodes set name = 'uno' where name = 'one'")
        db.commit()
    wait_for(lambda: "uno+bb" in host.ssh("alice+uno+b", "true").stderr.decode(), SOON, "its new name")
    host.ctl("node", "del", "uno")
    wait_for(lambda: watched() is None, SOON, "the end of its watcher")
    assert not names() and set(host.watchers()) == {0}


def test_a_node_that_fails_is_looked_at_anew_when_it_is_enabled(own_host):
    """However soon after it was disabled: it fails for the same reason as before."""
    host = own_host()
    host.ctl("node", "add", "gone", f"unix://{host.dir}/nobody.sock")
    wait_for(lambda: node(host, "gone")["state"] == "failed", SOON, "the failure")
    host.ctl("node", "disable", "gone")
    host.ctl("node", "enable", "gone")
    wait_for(lambda: node(host, "gone")["state"] == "failed", SOON, "the same again")


def test_a_wrong_certificate_is_said_and_its_remedy_works(own_host, lab):
    host = own_host()
    tls = lab.engine("tls")
    host.ctl("node", "add", "far", tls.url, "--ca", tls.certs / "otherca.pem", "--cert", tls.certs / "client.pem",
             "--key", tls.certs / "client.key")
    wait_for(lambda: node(host, "far")["state"] == "failed", SOON, "the failure")
    why = node(host, "far")["last_error"]
    assert "did not sign" in why
    host.wait_for_log(f'node.failed node=far reason="{why}"', SOON)
    host.ctl("node", "set", "far", "ca", tls.certs / "ca.pem")
    wait_for(lambda: node(host, "far")["state"] == "connected", SOON, "the node")
    assert node(host, "far")["last_error"] is None


# ---- engines that no real one can be made to be


def test_an_engine_that_stands_still_ages_alone(own_host, docker):
    """It is stopped while it is connected: found out by the next question, and back by itself."""
    host = own_host(node_list_interval=5)
    sock = host.dir / "still.sock"
    with fake(sock, "send-good") as engine:
        host.ctl("node", "add", "still", f"unix://{sock}")
        wait_for(lambda: node(host, "still")["state"] == "connected", SOON, "the node")
        engine.send_signal(signal.SIGSTOP)
        wait_for(lambda: node(host, "still")["state"] == "failed", 25, "its silence to be noticed")
        assert "did not answer in time" in node(host, "still")["last_error"]
        assert b"unreachable" in host.ssh("alice", "ls").stdout
        docker.container("meanwhile", "busybox")
        shows(host, "meanwhile", state="running")
        docker.remove("meanwhile")
        engine.send_signal(signal.SIGCONT)
        wait_for(lambda: node(host, "still")["state"] == "connected", 25, "it to be back")


def test_an_engine_that_goes_and_comes_back(own_host):
    host = own_host(start=False)
    sock = host.dir / "far.sock"
    host.ctl("node", "add", "far", f"unix://{sock}")
    host.start()
    assert node(host, "far")["state"] == "failed" and "socket does not exist" in node(host, "far")["last_error"]
    with fake(sock, "send-good"):
        wait_for(lambda: node(host, "far")["state"] == "connected", 20, "the engine to be found")
    wait_for(lambda: node(host, "far")["state"] == "failed", SOON, "its end")
    found = row(host, "fake")
    assert found["node_state"] == "failed" and found["state"] == "running"


def test_a_broken_stream_of_events_breaks_nothing(own_host):
    host = own_host()
    sock = host.dir / "odd.sock"
    with fake(sock, "broken-events"):
        host.ctl("node", "add", "odd", f"unix://{sock}")
        shows(host, "fake", state="running", node_state="connected")
        wait_for(lambda: host.log_text().count("node.hung_up node=odd") >= 3, 20, "the stream to end some times")
        shows(host, "fake", state="running", node_state="connected")
    assert host.log_text().count("node.connected node=odd") == 1  # the engine answers all the while


def test_streams_that_end_at_once_are_begun_ever_later(own_host):
    host = own_host()
    sock = host.dir / "short.sock"
    with fake(sock, "closed-events") as engine:
        host.ctl("node", "add", "short", f"unix://{sock}")
        began = [float(engine.stdout.readline()) for _ in range(5)]
    waits = [b - a for a, b in zip(began, began[1:])]
    assert all(seconds >= least for seconds, least in zip(waits, (0.5, 1, 2, 4))), waits


def test_what_no_event_told_is_found_by_the_next_list(own_host):
    host = own_host(node_list_interval=5)
    sock = host.dir / "mute.sock"
    with fake(sock, "silent-change") as engine:
        host.ctl("node", "add", "mute", f"unix://{sock}")
        ref = shows(host, "fake")["id"]
        engine.send_signal(signal.SIGUSR1)
        assert shows(host, "moved", seconds=8)["id"] == ref


def test_the_name_is_that_of_the_look(own_host):
    """An engine may tell of a rename before its list knows of it, and nothing else is told afterwards."""
    host = own_host()
    sock = host.dir / "renaming.sock"
    with fake(sock, "being-renamed"):
        host.ctl("node", "add", "renaming", f"unix://{sock}")
        shows(host, "renamed", state="running")
        assert row(host, "fake") is None


def test_forty_nodes_that_hang_delay_nobody(own_host, docker):
    host = own_host(start=False)
    sock = host.dir / "hung.sock"
    with fake(sock, "hang"):
        for n in range(40):
            host.ctl("node", "add", f"hung{n}", f"unix://{sock}")
        host.start()
        docker.container("quick", "busybox")
        shows(host, "quick", state="running")
        for login in ("alice", "alice+quick"):
            start = time.monotonic()
            assert host.ssh(login, "ls").returncode == 0
            assert time.monotonic() - start < 1.5 * SLOW
        docker.remove("quick")
        assert {n["state"] for n in host.ctl_json("node", "list")} == {"connected", "failed"}


def test_an_engine_whose_clock_is_wrong(own_host):
    """What it says of the past may be in our future, and a step of its clock is one of its containers alone."""
    host = own_host()
    engine = fleet.Fleet(host.dir / "late.sock", [fleet.container(1, "ahead", days=-400), fleet.container(2, "behind", days=400)])
    try:
        host.node(engine, "late")
        shows(host, "behind", state="running", status="Up 400 days")
        shows(host, "ahead", state="running", status="Up 0 seconds")
        engine.become([fleet.container(1, "ahead", days=2), engine.rows[1]])
        shows(host, "ahead", state="running", status="Up 2 days")
        engine.become([fleet.container(1, "ahead", "exited", days=-2), engine.rows[1]])
        shows(host, "ahead", state="exited", exit_code=3)
        assert node(host, "late")["state"] == "connected"
    finally:
        host.stop()
        engine.stop()


# ---- what changes under the cursor


def test_the_selected_container_is_renamed_made_anew_and_on_a_node_of_another_name(own_host, docker):
    host = own_host()
    for name in ("picked", "repicked"):
        docker.remove(name)
    docker.container("picked", "busybox", "--hostname", "first")
    shows(host, "picked", state="running")
    s = Screen(host.ssh_argv("alice"))

    def enter(name, hostname):
        s.keys("Enter").expect(f"Connecting to {name} ")
        s.type("echo in $(hostname)\n").expect(f"^in {hostname}$")
        s.type("exit\n").expect("ended with exit code 0")
        s.expect("q quit")
    try:
        number = s.type("/picked").keys("Tab").expect(r"^> *(\d+) +picked ").group(1)
        docker.cli("rename", "picked", "repicked")
        s.expect(rf"^> *{number} +repicked +running +one ")
        enter("repicked", "first")
        # Another container, though it has the name: its row is another one, and the old number means nothing.
        docker.container("repicked", "busybox", "--hostname", "second")
        again = s.expect(rf"^> *(?!{number} )(\d+) +repicked +running ").group(1)
        s.type(number).keys("Enter").expect(f"no container with the number {number}")
        s.keys("Escape")
        enter("repicked", "second")
        with contextlib.closing(sqlite3.connect(host.database, timeout=10)) as db:
            db.execute("update nodes set name = 'uno' where name = 'one'")
            db.commit()
        s.expect(rf"^> *{again} +repicked +running +uno ")
        enter("repicked", "second")
        s.keys("q")
        assert s.status() == 0
    finally:
        s.close()
        for name in ("picked", "repicked"):
            docker.remove(name)
