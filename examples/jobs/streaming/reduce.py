# SPDX-License-Identifier: Apache-2.0
"""How often each key comes; keys come sorted."""

import itertools
import sys

for key, lines in itertools.groupby(line.strip() for line in sys.stdin):
    print(key, sum(1 for _ in lines), sep="\t")
