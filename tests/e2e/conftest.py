"""Fixtures: engines are made once a run, jump hosts as tests ask for them."""

import contextlib
import functools
import os
import signal

import pytest

import far as far_side
from lab import JumpHost, Lab


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session", autouse=True)
def lab():
    """In every run: its end also looks at the jump hosts that tests made without it."""
    lab = Lab(containers=(("bb", "busybox"), ("deb", "debian"), ("bare", "noshell")))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def docker(lab):
    """dockerd on a unix socket."""
    return lab.engine("docker")


@pytest.fixture
def stopping(docker):
    """For who stops dockerd: afterwards the run's other jump hosts find it again, whose lists say how nodes are."""
    yield
    os.kill(docker.proc.pid, signal.SIGCONT)
    for host in JumpHost.made:
        if host.proc and host.proc.poll() is None:
            host.wait_for_nodes(f"url = '{docker.url}' and state <> 'connected'")


@pytest.fixture(scope="session")
def host(lab, docker):
    """A jump host over that engine, as Lab.site() makes it."""
    return lab.site(docker).start()


@pytest.fixture
def container(host):
    """Makes containers of a test's own."""
    made = []

    def make(name, image="debian", *options):
        made.append(host.engine.container(name, image, *options))
        host.wait_for_container(name, 10)
        return name

    yield make
    for name in made:
        host.engine.remove(name)


@pytest.fixture(scope="session", params=("docker", "tls", "podman"))
def site(request, lab):
    """A jump host over each engine in turn."""
    host = lab.site(lab.engine(request.param)).start()
    yield host
    host.stop()


@pytest.fixture(scope="session")
def fars(lab, tmp_path_factory, request):
    """Each is made once a run, whatever the order of tests."""
    with contextlib.ExitStack() as stack:
        @functools.cache
        def make(name):
            directory = tmp_path_factory.mktemp("far")
            if name == "sshd":
                lab.first = lab.first or lab.model()
                return stack.enter_context(far_side.with_sshd(directory, lab.engine("docker"), lab.first.key))
            if name == "alpine":  # where what would be an sshd's is not
                host = request.getfixturevalue("host")
                return stack.enter_context(far_side.with_jumpbox(directory, host.engine, host, "far-alpine", name))
            engine = lab.engine(name)
            host = lab.site(engine).start()
            stack.callback(host.stop)
            return stack.enter_context(far_side.with_jumpbox(directory, engine, host))
        yield make


@pytest.fixture(scope="session", params=("sshd", "docker"))
def far(request, fars):
    """A container with Debian's tools: first behind a real sshd, then the same behind a jump host over that engine."""
    return fars(request.param)


@pytest.fixture
def own_host(lab, docker):
    """Makes jump hosts of a test's own, with configuration, and stops them."""
    made = []

    def make(start=True, **config):
        host = lab.site(docker, **config)
        made.append(host)
        return host.start() if start else host

    yield make
    for host in made:
        host.stop()
