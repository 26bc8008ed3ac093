"""Fixtures: engines are made once a run, jump hosts as tests ask for them."""

import os
import pwd

import pytest

from lab import Lab, wait_for


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def lab():
    lab = Lab()
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def docker(lab):
    """dockerd on a unix socket with the containers that most tests use."""
    engine = lab.engine("docker")
    engine.container("bb", "busybox")
    engine.container("deb", "debian")
    engine.container("bare", "noshell")
    return engine


@pytest.fixture(scope="session")
def host(lab, docker):
    """A jump host over that engine: administrator `root1`, user `alice` with a grant for everything."""
    host = lab.host(max_startups_per_source=100, backoff_after=0)
    host.user("root1", "--admin")
    host.user("alice")
    host.ctl("grant", "add", "alice", "*")
    host.node(docker, "one")
    host.start()
    yield host


@pytest.fixture
def own_host(lab, docker):
    """Makes jump hosts of a test's own, with configuration, and stops them."""
    made = []

    def make(start=True, **config):
        host = lab.host(**{"max_startups_per_source": 100, "backoff_after": 0, **config})
        host.user("root1", "--admin")
        host.user("alice")
        host.ctl("grant", "add", "alice", "*")
        host.node(docker, "one")
        made.append(host)
        return host.start() if start else host

    yield make
    for host in made:
        host.stop()
