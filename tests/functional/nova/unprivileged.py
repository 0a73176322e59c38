# SPDX-License-Identifier: Apache-2.0
"""An instance's life under a nova-compute that is not root: a program of asserts, which test_unprivileged.py starts.

``python -m tests.functional.nova.unprivileged '<JSON>'``, the JSON having ``root_helper`` (a command line, as a list),
``bridge`` (a Linux bridge), ``volume`` (a block device) and ``hidden`` (a path that only root sees).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from nova.network import model
from oslo_concurrency import processutils
from oslo_privsep import priv_context

from sahara_docker.nova import privileged
from tests.functional.nova import environment
from tests.unit.nova import neutron


def live(compute: environment.Compute, bridge: str, device: str) -> None:
    """Spawn, use, restart and destroy an instance."""
    driver, context = compute.driver, compute.context
    port = neutron.port(bridge, neutron.subnet("10.93.0.0/24", "10.93.0.7", gateway="10.93.0.1"), mac="fa:16:3e:dd:0:7")
    image = compute.small_image()
    instance = compute.instance(image, docker__data_gb="1")
    volume: Any = {"driver_volume_type": "local", "serial": "v", "data": {"device_path": device}}
    block_devices = {"block_device_mapping": [{"connection_info": volume, "mount_device": "/dev/vdb"}]}
    compute.spawn(instance, image, model.NetworkInfo([port]))
    try:
        assert "10.93.0.7/24" in compute.run(instance, "ip address show dev eth0")
        assert driver.get_volume_connector(instance)["host"] == compute.host
        driver.attach_volume(context, volume, instance, "/dev/vdb")
        for place in ("/mnt", "/volumes/disk1"):
            assert f"{place} ext4" in compute.run(instance, "cat /proc/mounts")
            compute.run(instance, f"echo kept > {place}/file; chown 1234 {place}/file; chmod 700 {place}")
        compute.run(instance, "chown 0:0 /etc/hosts; chmod 600 /etc/hosts")
        driver.reboot(context, instance, [port], "HARD", block_devices)
        assert compute.run(instance, "cat /mnt/file /volumes/disk1/file") == "kept\nkept\n"
        assert driver.get_available_resource(compute.host)["local_gb"] > 0
        driver.detach_volume(context, volume, instance, "/dev/vdb")
        assert compute.run(instance, "ls /volumes") == ""
    finally:
        driver.destroy(context, instance, [port], block_devices)
    assert driver.list_instances() == []
    assert not privileged.links(device=f"tap{port['id']}"[: model.NIC_NAME_LEN])
    assert instance.uuid not in os.listdir(compute.directory)


def main(arguments: dict[str, Any]) -> None:
    with open("/proc/self/status", encoding="ascii") as status:
        assert os.geteuid() and "CapEff:\t0000000000000000" in status.read()
    priv_context.init(root_helper=arguments["root_helper"])
    assert not os.path.exists(arguments["hidden"]) and privileged.disk_of_root(arguments["hidden"])
    try:
        privileged.unmount(arguments["hidden"])
    except processutils.ProcessExecutionError as error:
        assert "not mounted" in error.stderr  # the program's words come through
    else:
        raise AssertionError("a file was unmounted that is no mount")
    with environment.Compute(data_backend="loop") as compute:
        live(compute, arguments["bridge"], arguments["volume"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
