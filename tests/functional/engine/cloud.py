# SPDX-License-Identifier: Apache-2.0
"""As much of Heat and Nova as Sahara's engine talks to, over containers that the test has made.

It reads the template that it is given and makes the servers that stand in it: a wrong template is a failed test.
What it cannot show, how the real Heat reacts to time and load, the end-to-end test does.
"""

from __future__ import annotations

import itertools
import types
import uuid
from typing import Any, Callable

import fixtures
import yaml  # type: ignore[import]
from heatclient import exc as heat_exceptions


class Cloud(fixtures.Fixture):
    """Heat's and Nova's clients for Sahara.

    :param boot: makes a node of a name and returns its address.
    :ivar stacks: stacks by name.
    :ivar booted: names of all servers ever made, in order.
    :ivar calls: requests to Heat in order, as (method, stack name).
    :ivar fail: reasons for coming stack actions to fail, taken from the front; None for one that succeeds.
    """

    def __init__(self, boot: Callable[[str], str]) -> None:
        super().__init__()
        self._boot = boot
        self.stacks: dict[str, Any] = {}
        self.addresses: dict[str, str] = {}
        self.booted: list[str] = []
        self.calls: list[tuple[str, str]] = []
        self.fail: list[str | None] = []
        self._clock = itertools.count(1)

    def _setUp(self) -> None:
        heat = types.SimpleNamespace(
            stacks=types.SimpleNamespace(list=self._list, create=self._create, get=self._get, delete=self._delete),
            resources=types.SimpleNamespace(list=self._resources),
        )
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.openstack.heat.client", lambda: heat))
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.openstack.nova.get_instance_info", self._server))

    def names(self, stack_name: str) -> list[str]:
        """Names of the servers in a stack."""
        return sorted(server["name"] for server in self.stacks[stack_name].servers.values())

    # Heat

    def _list(self, filters: dict, show_hidden: bool) -> list:
        return [stack for name, stack in self.stacks.items() if name == filters["name"]]

    def _create(self, stack_name: str, **arguments: Any) -> dict:
        self.calls.append(("create", stack_name))
        stack = types.SimpleNamespace(
            stack_name=stack_name, id=str(uuid.uuid4()), servers={}, updated_time=None, stack_status_reason=""
        )
        stack.identifier = f"{stack_name}/{stack.id}"
        stack.update = lambda **arguments: self._apply(stack, "UPDATE", arguments)
        self.stacks[stack_name] = stack
        self._apply(stack, "CREATE", arguments)
        return {"stack": {"id": stack.id}}

    def _apply(self, stack: Any, action: str, arguments: dict) -> None:
        if action == "UPDATE":
            self.calls.append(("update", stack.stack_name))
        stack.updated_time = next(self._clock)
        stack.action, stack.status = action, "COMPLETE"
        stack.stack_status = f"{action}_COMPLETE"
        reason = self.fail.pop(0) if self.fail else None
        if reason:
            stack.status, stack.stack_status, stack.stack_status_reason = "FAILED", f"{action}_FAILED", reason
            if not arguments["disable_rollback"]:
                stack.action, stack.status, stack.stack_status = "ROLLBACK", "COMPLETE", "ROLLBACK_COMPLETE"
                stack.stack_status_reason = "Stack ROLLBACK completed successfully"
            return
        template = yaml.safe_load(arguments["template"])
        wanted = {
            name: resource["properties"]
            for name, resource in template["resources"].items()
            if resource["type"] == "OS::Nova::Server"
        }
        for name in set(stack.servers) - set(wanted):
            del stack.servers[name]
        for name in wanted:
            if name in stack.servers:
                if stack.servers[name]["definition"] != wanted[name]:
                    raise AssertionError(f"Heat would replace {name}: its definition changed")
                continue
            separator, parts = wanted[name]["name"]["list_join"]
            server = {"id": str(uuid.uuid4()), "name": separator.join(parts), "definition": wanted[name]}
            self.addresses[server["id"]] = self._boot(server["name"])
            self.booted.append(server["name"])
            stack.servers[name] = server

    def _find(self, identifier: str) -> Any:
        stack = self.stacks.get(identifier.split("/")[0])
        if stack is None:
            raise heat_exceptions.HTTPNotFound
        return stack

    def _get(self, identifier: str, resolve_outputs: bool) -> Any:
        return self._find(identifier)

    def _delete(self, identifier: str) -> None:
        stack = self._find(identifier)
        self.calls.append(("delete", stack.stack_name))
        reason = self.fail.pop(0) if self.fail else None
        if reason:
            stack.action, stack.status, stack.stack_status = "DELETE", "FAILED", "DELETE_FAILED"
            stack.stack_status_reason = reason
            return
        del self.stacks[stack.stack_name]

    def _resources(self, identifier: str) -> list:
        return [
            types.SimpleNamespace(resource_name=name, physical_resource_id=server["id"])
            for name, server in self._find(identifier).servers.items()
        ]

    # Nova

    def _server(self, instance: Any) -> Any:
        address = {"addr": self.addresses[instance.instance_id], "version": 4, "OS-EXT-IPS:type": "fixed"}
        return types.SimpleNamespace(addresses={"private": [address]})
