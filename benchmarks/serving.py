# SPDX-License-Identifier: Apache-2.0
"""The inner side of :class:`benchmarks.engines.Process`: functions run by request, a line of JSON in and one out.

For processes that are eventlet's, as a Sahara or a Nova of the 2023.2 release is; whoever imports this has seen to that
before.
"""

from __future__ import annotations

import importlib
import json
import os
import traceback
from collections.abc import Callable

from eventlet import greenio


def serve(prepare: Callable[[], None]) -> None:
    """Call *prepare*, then answer until nobody asks any more."""
    # What anybody prints goes where the log goes.
    answers = os.dup(1)
    os.dup2(2, 1)
    prepare()
    # Green, so that connections live between the requests as in a service that waits for work.
    with greenio.GreenPipe(0, "r") as requests, open(answers, "w") as out:
        for line in requests:
            request = json.loads(line)
            module, name = request["function"].split(":")
            try:
                function = getattr(importlib.import_module(module), name)
                answer = {"value": function(*request["arguments"])}
            except Exception as failure:
                traceback.print_exc()
                answer = {"error": f"{type(failure).__name__}: {failure}"}
            out.write(json.dumps(answer) + "\n")
            out.flush()
