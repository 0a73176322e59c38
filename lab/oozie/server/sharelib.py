# SPDX-License-Identifier: Apache-2.0
"""The share lib: jars in HDFS that Oozie adds to an action's class path when a job says ``oozie.use.system.libpath``.

Sahara says so for every job. Oozie takes the newest directory ``lib_<timestamp>`` below the system's library path and
reads it when it starts; so this comes before.
"""

from __future__ import annotations

import time
from pathlib import Path

from . import webhdfs

DEFAULT_PATH = "/user/oozie/share/lib"


def ensure(site: dict[str, str], *, hadoop: dict[str, str], source: Path, user: str = "oozie") -> str:
    """Bring the share lib below ``source`` to HDFS unless HDFS has one, and return its path there.

    :param site: Oozie's properties; the library path may be set in them.
    :param hadoop: properties of core-site.xml and hdfs-site.xml.
    :param source: a local directory with one directory of jars for each kind of action.
    :raises webhdfs.WebHdfsError: HDFS does not answer or refuses.
    """
    root = site.get("oozie.service.WorkflowAppService.system.libpath", DEFAULT_PATH).replace("${user.name}", user)
    hdfs = webhdfs.WebHdfs(webhdfs.addresses(hadoop), user)
    names = sorted(hdfs.names(root) or ())
    existing = [name for name in names if name.startswith("lib_")]
    if existing:
        return f"{root}/{existing[-1]}"
    # Oozie ignores names that do not begin with lib_, so a copy that breaks off is never taken for a share lib.
    copy, final = f"{root}/copying", f"{root}/{time.strftime('lib_%Y%m%d%H%M%S', time.gmtime())}"
    hdfs.delete(copy)
    hdfs.mkdirs(copy)
    for jar in sorted(source.glob("*/*.jar")):
        hdfs.put(jar, f"{copy}/{jar.parent.name}/{jar.name}")
    hdfs.rename(copy, final)
    return final
