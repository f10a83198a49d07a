"""RabbitMQ: a virtual host of our own on the node that runs here, else a node of our own from Debian's package."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from kombu import Connection
from kombu.exceptions import OperationalError

from tests.services.processes import (
    ServiceUnavailableError,
    answers,
    as_user,
    folder_for,
    free_port,
    running,
    wait_until,
)

BINARIES = Path("/usr/lib/rabbitmq/bin")


@contextlib.contextmanager
def rabbitmq_server() -> Iterator[str]:
    """The URL of an empty virtual host; ``RUSHLIGHT_TEST_RABBITMQ`` names one to use instead."""
    if named := os.environ.get("RUSHLIGHT_TEST_RABBITMQ"):
        yield named
        return
    name = f"rushlight-test-{secrets.token_hex(8)}"
    if answers(5672) and _control("add_vhost", name):
        try:
            _control("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
            yield f"amqp://guest:guest@127.0.0.1:5672/{name}"
        finally:
            _control("delete_vhost", name)
        return
    with _own_node(name) as url:
        yield url


def _control(*words: str) -> bool:
    """Speaks to the node of this machine, which only root and RabbitMQ's own user may."""
    command = shutil.which("rabbitmqctl")
    if command is None:
        return False
    result = subprocess.run([command, "--quiet", *words], cwd="/", capture_output=True, timeout=60, check=False)
    return result.returncode == 0


@contextlib.contextmanager
def _own_node(name: str) -> Iterator[str]:
    if not (BINARIES / "rabbitmq-server").exists():
        raise ServiceUnavailableError(
            "no RabbitMQ: none runs on 127.0.0.1:5672 and the package rabbitmq-server is missing"
        )
    with folder_for("rabbitmq") as folder:
        for empty in ("plugins", "rabbitmq.conf", "env.conf"):
            (folder / empty).touch()
        port, mapper, log = free_port(), free_port(), folder / "log"
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        # Started here and not by the node, whose own port mapper would outlive it.
        epmd = as_user("rabbitmq", "epmd", "-address", "127.0.0.1", "-port", str(mapper))
        server = as_user("rabbitmq", BINARIES / "rabbitmq-server")
        with (
            running(epmd, folder, folder / "epmd.log"),
            running(server, folder, log, _node_settings(name, folder, port, mapper)) as process,
        ):
            wait_until(lambda: _accepts(url), process, log, seconds=90)
            yield url


def _node_settings(name: str, folder: Path, port: int, mapper: int) -> Mapping[str, str]:
    """Everything on loopback and on ports of its own, and nothing read from /etc/rabbitmq.

    Without these a node joins the port mapper of the host and may take the settings of the host's node.
    """
    home = str(folder)
    return {
        "HOME": home,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": f"{name}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": home,
        "RABBITMQ_LOG_BASE": home,
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
        "RABBITMQ_CONF_ENV_FILE": f"{home}/env.conf",
        "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _accepts(url: str) -> bool:
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.connect()
    except (OperationalError, OSError):
        return False
    return True
