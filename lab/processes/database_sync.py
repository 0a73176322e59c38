# SPDX-License-Identifier: Apache-2.0
"""Create or migrate the schema of one service: ``python -m lab.processes.database_sync SERVICE``.

Services whose schema takes several commands run them as forks of one process: importing a service costs more than most
of its migrations, and Keystone's command cannot be called twice in a process.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from lab import configuration, settings


def _fork(function: Callable[[], object], accept: tuple[object, ...] = (None, 0)) -> None:
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            result = function()
            status = 0 if result in accept else 1
            print(f"{function}: {result}", flush=True)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"a step of the schema failed: {os.waitstatus_to_exitcode(status)}")


def keystone(lab: settings.Lab) -> None:
    from keystone.cmd import cli

    def manage(*words: str) -> None:
        # As the owner of the process, whoever that is: keystone-manage would take these from the configuration.
        argv = ["keystone-manage", "--config-file", str(lab.etc / "keystone.conf"), *words]
        sys.argv = argv
        _fork(lambda: cli.main(argv=argv))

    for name in ("fernet", "credential"):
        directory = lab.data / "keystone" / name
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
    owner = ("--keystone-user", "root", "--keystone-group", "root")
    manage("fernet_setup", *owner)
    manage("credential_setup", *owner)
    manage("db_sync")
    # The password goes by the environment: arguments can be read by every user of the machine.
    os.environ["OS_BOOTSTRAP_PASSWORD"] = lab.secrets["admin"]
    url = f"{lab.url('keystone')}/v3"
    urls = [f"--bootstrap-{kind}-url={url}" for kind in ("admin", "internal", "public")]
    manage("bootstrap", *urls, "--bootstrap-region-id", settings.REGION)


def nova(lab: settings.Lab) -> None:
    from nova import config, objects
    from nova.cmd import manage

    files = ["--config-file", str(lab.etc / "nova.conf"), "--config-file", str(lab.etc / "nova-database.conf")]
    config.parse_args(["nova-manage", *files])
    objects.register_all()
    cells = manage.CellV2Commands()
    _fork(manage.ApiDbCommands().sync)
    cell0 = configuration.database_url(lab, "nova_cell0")
    _fork(lambda: cells.map_cell0(database_connection=cell0))
    _fork(manage.DbCommands().sync)
    # 2: the cell is there already.
    _fork(lambda: cells.create_cell(name="cell1"), accept=(None, 0, 2))


def main() -> None:
    lab = settings.Lab(settings.default_state())
    {"keystone": keystone, "nova": nova}[sys.argv[1]](lab)


if __name__ == "__main__":
    main()
