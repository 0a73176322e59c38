# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Iterator

import pytest

from tests.functional.nova import environment


@pytest.fixture(scope="session", autouse=True)
def loaded_node_image() -> Iterator[None]:
    """Remove the image that the tests of a run share."""
    yield
    environment.remove_image(environment.NODE_IMAGE_ID)
