# SPDX-License-Identifier: Apache-2.0
"""For each word its length."""

import sys

for line in sys.stdin:
    for word in line.split():
        print(len(word))
