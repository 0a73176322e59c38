# SPDX-License-Identifier: Apache-2.0
"""What runs inside the OpenStack environment: entry points of services that have no command of their own."""
