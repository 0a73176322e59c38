# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import testtools
from keystoneauth1 import noauth, session

from sahara_docker.cli import cloud
from tests.unit import answering


class CloudTest(testtools.TestCase):
    def test_object_that_goes_while_it_is_asked_for_is_not_there(self):
        url = self.useFixture(answering.Server(b'"<Response 148 bytes [404 NOT FOUND]>"')).url
        asked = cloud.Cloud(session.Session(noauth.NoAuth(endpoint=f"{url}/v1.1/project")), None, "public")
        error = self.assertRaises(cloud.CloudError, asked.get, "data-processing", "/clusters/1")
        self.assertEqual(404, error.status)
