# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import configparser
import inspect
import pathlib
import re

import testtools
from nova import exception

from sahara_docker.nova import extra_specs, limits

_CHECKOUT = pathlib.Path(__file__).parents[3]
GOOD = {
    "ulimits": ("nofile=10:20", "nproc=5, memlock=-1"),
    "sysctls": ("net.core.somaxconn=1024", "kernel.sem=250 32000 32 128, net.ipv4.tcp_tw_reuse=1"),
    "pids_limit": ("16", "100000"),
    "shm_size_mb": ("1",),
    "cpu_cap": ("true", "no"),
    "data_gb": ("1",),
    "cap_add": ("SYS_NICE", "SYS_NICE, NET_ADMIN"),
    "cap_drop": ("NET_RAW",),
    "devices": ("/dev/fuse", "/dev/fuse:/dev/fuse:rw, /dev/kvm"),
    "privileged": ("false",),
}
BAD = {
    "ulimits": ("", "nofile", "nofile=a", "nofile=1;nproc=2"),
    "sysctls": ("", "net.core.somaxconn", "=1", "a=b=c"),
    "pids_limit": ("15", "many", ""),
    "shm_size_mb": ("0",),
    "cpu_cap": ("perhaps",),
    "data_gb": ("0", "1.5"),
    "cap_add": ("sys_nice", "", "SYS NICE"),
    "cap_drop": ("all!",),
    "devices": ("fuse", "/etc/shadow", "/dev/fuse:/dev/fuse:x"),
    "privileged": ("",),
}


class ExtraSpecsTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.validators = {v.name: v for v in extra_specs.register()}

    def test_sense_passes_and_nonsense_does_not(self) -> None:
        self.assertEqual({f"docker:{name}" for name in GOOD}, set(self.validators))
        for name, values in GOOD.items():
            for value in values:
                self.validators[f"docker:{name}"].validate(f"docker:{name}", value)
        for name, values in BAD.items():
            for value in values:
                validate = self.validators[f"docker:{name}"].validate
                self.assertRaises(exception.ValidationError, validate, f"docker:{name}", value)

    def test_what_is_checked_is_what_is_used(self) -> None:
        used = set(re.findall(r'"(docker:[a-z_]+)"', inspect.getsource(limits)))
        self.assertEqual(set(self.validators), used)

    def test_nova_finds_them_by_the_entry_point(self) -> None:
        metadata = configparser.ConfigParser()
        metadata.read(_CHECKOUT / "setup.cfg")
        self.assertEqual(
            f"docker = {extra_specs.__name__}", metadata["entry_points"]["nova.api.extra_spec_validators"].strip()
        )
