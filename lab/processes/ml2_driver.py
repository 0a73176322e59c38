# SPDX-License-Identifier: Apache-2.0
"""ML2 mechanism driver of the lab: binds every port at once to the Linux bridge of its host, with no agent.

Security groups are not enforced by it. Real clouds run Open vSwitch or OVN, which the Docker driver reaches through
os-vif.
"""

from __future__ import annotations

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api

from lab import settings


class LabMechanismDriver(api.MechanismDriver):
    """Answers ``bind_port`` for flat segments with the name of the host's bridge."""

    def initialize(self) -> None:
        """Nothing to prepare."""

    @property
    def connectivity(self) -> str:
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context) -> None:
        details = {portbindings.CAP_PORT_FILTER: False, "bridge_name": settings.bridge(context.host)}
        for segment in context.segments_to_bind:
            if segment[api.NETWORK_TYPE] == constants.TYPE_FLAT:
                context.set_binding(
                    segment[api.ID], portbindings.VIF_TYPE_OTHER, details, status=constants.PORT_STATUS_ACTIVE
                )
                return
