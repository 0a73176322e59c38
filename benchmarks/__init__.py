# SPDX-License-Identifier: Apache-2.0
"""What this package costs, beside what stock Sahara costs and the least that it could; run by ``make bench``.

``remote_command``  one command on a node that was used before
``configuration``   the first login to 3, 20 and 100 nodes, and bringing them their names
``memory``          what an open connection holds
``spawn``           instances of the Nova driver, 1, 8 and 20 at a time
``cloud``           what a lab that runs adds to that
``cluster``         a whole cluster in a lab that runs: made, used, grown

To add one, write a module with ``run(place)``, which returns rows of the table, and name it in ``MODULES``. They use

``results``         the rows, the table, the JSON file
``engines``         processes that run functions by request, among them sahara-engine, ours and stock
``serving``         the inner side of such a process
``engine_process``  sahara-engine
``compute_process`` nova-compute's driver
``stock``           what stock Sahara needs to run at all
``nodes``           containers with an sshd
``clock``           time and processor time
``timeline``        where a cluster's time went
``managed``         its Cloudera Manager
``word_count``      a job on it
``bare``            SSH without Sahara: the floor
"""

#: Modules, by the name that ``make bench BENCH=...`` knows them under, in the order in which they run.
MODULES = {
    "remote": "remote_command",
    "configuration": "configuration",
    "memory": "memory",
    "spawn": "spawn",
    "cloud": "cloud",
    "cluster": "cluster",
}
