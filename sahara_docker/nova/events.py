# SPDX-License-Identifier: Apache-2.0
"""What happens to the containers, told by the daemon at once instead of found by Nova's next look.

The watcher is a thread: a green one in a Nova that runs on eventlet, a native one else. It outlives restarts of the
daemon, and of each it says when the daemon is lost and when it is back.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Protocol

from nova.virt import event as virtevent
from oslo_log import log as logging

from sahara_docker.nova import hypervisor

LOG = logging.getLogger(__name__)

_TRANSITIONS = {
    "start": virtevent.EVENT_LIFECYCLE_STARTED,
    "die": virtevent.EVENT_LIFECYCLE_STOPPED,
    "pause": virtevent.EVENT_LIFECYCLE_PAUSED,
    "unpause": virtevent.EVENT_LIFECYCLE_RESUMED,
}
_ACTIONS = (*_TRANSITIONS, "kill", "oom", "health_status")
# Seconds. A daemon that is told to end stops its containers first and closes its connections then, for which it has 15
# seconds; until it is gone, that looks as if somebody had stopped each of them.
_DAEMON_ENDS_WITHIN = 20
_LONGEST_PAUSE = 10
_SAME_AGAIN = 60


class Listener(Protocol):
    """Who wants to know."""

    def transition(self, uuid: str, transition: int) -> None:
        """An instance changed its state: an ``EVENT_LIFECYCLE`` constant of nova.virt.event."""

    def trouble(self, uuid: str, kind: str, what: str) -> None:
        """Something is wrong with an instance."""

    def daemon_lost(self) -> None:
        """The daemon does not answer any more."""

    def daemon_back(self) -> None:
        """The daemon answers again; what happened meanwhile is not told."""


class Watcher:
    """Follows one daemon's events about one host's instances."""

    def __init__(self, daemon: hypervisor.Hypervisor, listener: Listener) -> None:
        self._daemon, self._listener = daemon, listener
        self._ended = threading.Event()
        self._stream: Any = None
        self._killed: set[str] = set()  # workloads that get a signal through Docker
        self._held_back: dict[str, threading.Timer] = {}
        self._told: dict[tuple[str, str], float] = {}

    def start(self) -> None:
        """Begin; the daemon answers."""
        self._thread = threading.Thread(target=self._run, name="docker-events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, also in the middle of a wait for the next event."""
        self._ended.set()
        self._drop_held_back()
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        lost, pause = False, 0.5
        while not self._ended.is_set():
            try:
                self._stream = self._daemon.events(_ACTIONS)
                if lost:
                    lost, pause = False, 0.5
                    LOG.info("The Docker daemon is back")
                    self._quietly(self._listener.daemon_back)
                for event in self._stream:
                    self._quietly(self._handle, event)
            except Exception as error:  # whatever the connection dies of
                LOG.debug("No events from the Docker daemon: %s", error)
            if self._ended.is_set():
                return
            if not lost:
                lost = True
                LOG.error("The Docker daemon at %s is lost", self._daemon.url)
                self._drop_held_back()
                self._quietly(self._listener.daemon_lost)
            self._ended.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _quietly(self, call: Callable[..., None], *arguments: Any) -> None:
        """Nobody's failure ends the watch."""
        try:
            call(*arguments)
        except Exception:
            LOG.exception("Cannot handle an event of the Docker daemon")

    def _drop_held_back(self) -> None:
        for timer in self._held_back.values():
            timer.cancel()
        self._held_back.clear()
        self._killed.clear()

    def _handle(self, event: dict[str, Any]) -> None:
        attributes = event["Actor"]["Attributes"]
        uuid, action = attributes[hypervisor.LABEL_UUID], event["Action"]
        if attributes[hypervisor.LABEL_ROLE] == "sandbox":
            if action == "die":
                self._hold_back(f"{uuid} sandbox", self._sandbox_died, uuid)
        elif attributes["name"] != f"nova-{uuid}":
            return  # one that is set aside
        elif action == "kill":
            self._killed.add(uuid)
        elif action == "oom":
            self._trouble(uuid, "oom", "a process was killed because the instance's memory was used up")
        elif action.startswith("health_status"):
            if action.endswith("unhealthy"):
                self._trouble(uuid, "health check", "the health check of the image fails")
        elif action in _TRANSITIONS:
            self._workload_changed(uuid, action, attributes)

    def _workload_changed(self, uuid: str, action: str, attributes: dict[str, str]) -> None:
        if timer := self._held_back.pop(uuid, None):
            timer.cancel()
        transition = _TRANSITIONS[action]
        if action == "die" and uuid in self._killed:
            self._hold_back(uuid, self._listener.transition, uuid, transition)
        else:
            if action == "die" and (status := attributes.get("exitCode", "0")) != "0":
                self._trouble(uuid, "exit", f"the first process ended with status {status}")
            self._listener.transition(uuid, transition)
        self._killed.discard(uuid)

    def _hold_back(self, key: str, call: Callable[..., None], *arguments: Any) -> None:
        """Do it later, unless the daemon turns out to have ended."""
        timer = threading.Timer(_DAEMON_ENDS_WITHIN, self._quietly, (call, *arguments))
        timer.daemon = True
        self._held_back[key] = timer
        timer.start()

    def _sandbox_died(self, uuid: str) -> None:
        if self._daemon.is_running(f"nova-{uuid}") and not self._daemon.is_running(f"nova-{uuid}-sandbox"):
            self._trouble(uuid, "sandbox", "the container with the network ended; a hard reboot brings it back")

    def _trouble(self, uuid: str, kind: str, what: str) -> None:
        now = time.monotonic()
        if now - self._told.get((uuid, kind), -_SAME_AGAIN) >= _SAME_AGAIN:
            self._told = {key: when for key, when in self._told.items() if now - when < _SAME_AGAIN}
            self._told[uuid, kind] = now
            self._quietly(self._listener.trouble, uuid, kind, what)
