# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import types

import testtools

from lab import rest
from tests.unit import answering


class CloudTest(testtools.TestCase):
    def test_object_that_goes_while_it_is_asked_for_is_not_there(self):
        url = self.useFixture(answering.Server(b'"<Response 148 bytes [404 NOT FOUND]>"')).url
        cloud = rest.Cloud(types.SimpleNamespace(url=lambda service: url))
        cloud._token = "token"
        error = self.assertRaises(rest.RestError, cloud.get, "sahara", "/clusters/1")
        self.assertEqual(404, error.status)
