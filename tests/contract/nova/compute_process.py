# SPDX-License-Identifier: Apache-2.0
"""A process that is a nova-compute as far as its threads and its end go, with the driver in it and one instance.

``python -m tests.contract.nova.compute_process`` writes a line of JSON for what it does and for what the driver tells
Nova, and ends by SIGTERM.
"""

from __future__ import annotations

import nova.cmd.compute  # isort: skip - must be the first: it chooses eventlet or native threads

import inspect
import json
import sys
import threading
from typing import Any

import fixtures
import nova.service
from oslo_service import service

from tests.functional.nova import environment

_LINE = threading.Lock()  # the driver's threads write too


def _say(**line: Any) -> None:
    with _LINE:
        print(json.dumps(line), flush=True)


def _say_trouble(_uuid: str, kind: str, what: str) -> None:
    _say(event=kind, what=what)


def _uses_eventlet() -> bool:
    patcher = sys.modules.get("eventlet.patcher")
    return bool(patcher and patcher.is_monkey_patched("thread"))


class ComputeService(service.Service):
    """Starts and ends the driver where nova-compute's service does."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()

    def start(self) -> None:
        super().start()
        self._compute = environment.Compute()
        self._compute.setUp()
        self._compute.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.records.trouble", _say_trouble))
        self._compute.driver.register_event_listener(lambda event: _say(event=event.get_name()))
        image = self._compute.small_image()
        instance = self._compute.instance(image)
        self._compute.spawn(instance, image)
        ceilings = self._compute.driver._daemon.ceilings
        _say(eventlet=_uses_eventlet(), ceilings=ceilings, host=self._compute.host, container=f"nova-{instance.uuid}")

    def wait(self) -> None:
        self._stopped.wait()

    def stop(self, *args: Any, **kwargs: Any) -> None:
        self._compute.driver.cleanup_host(self._compute.host)
        self._compute.driver._watcher._thread.join(timeout=30)
        _say(watches=self._compute.driver._watcher._thread.is_alive())
        self._compute.cleanUp()
        super().stop(*args, **kwargs)
        self._stopped.set()


def main() -> None:
    """As nova.cmd.compute, which forks no worker: on eventlet that needs no word."""
    words = inspect.signature(nova.service.serve).parameters
    nova.service.serve(ComputeService(), **({"workers": 1, "no_fork": True} if "no_fork" in words else {}))
    nova.service.wait()


if __name__ == "__main__":
    main()
