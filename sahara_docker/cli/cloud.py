# SPDX-License-Identifier: Apache-2.0
"""OpenStack's APIs, through keystoneauth, which every OpenStack service installs."""

from __future__ import annotations

import argparse
import os
from typing import Any, Mapping

from sahara_docker import exceptions

TIMEOUT = 20  # seconds for one answer
#: Service types of the catalog, and the version of the API whose documents are read here.
_VERSIONS: dict[str, str | None] = {
    "compute": "2",
    "data-processing": None,  # by its address, see _adapter
    "image": "2",
    "network": "2",
    "orchestration": "1",
    "placement": None,
}


class CloudError(exceptions.SaharaDockerError):
    """An API refused or did not answer; ``status`` is the HTTP status, None when there was no answer."""

    def __init__(self, what: str, *, status: int | None = None, **parts: str) -> None:
        super().__init__(what, **parts)
        self.status = status


class NoCredentials(exceptions.SaharaDockerError):
    """Nothing says which cloud to ask, and as whom."""


class Cloud:
    """An OpenStack cloud as one user sees it; methods may be called by several threads at once.

    :param session: keystoneauth1.session.Session.
    :param region: name of a region, or None where there is only one.
    :param interface: which endpoints of the catalog are used.
    """

    def __init__(self, session: Any, region: str | None = None, interface: str = "public") -> None:
        self.session = session
        self._region, self._interface = region, interface

    def login(self) -> None:
        """Fetch a token.

        :raises CloudError: Keystone refuses or does not answer.
        """
        from keystoneauth1 import exceptions as keystone

        try:
            self.session.get_token()
        except keystone.ClientException as error:
            raise CloudError("the login to OpenStack failed", where="keystone", observed=str(error)) from error

    def request(self, method: str, service: str, path: str, **arguments: Any) -> Any:
        """Send one request and return keystoneauth's response.

        :param service: a type of the catalog, such as ``compute``.
        :param path: below the API's version, and for Sahara and Heat below the project.
        :param arguments: of ``Session.request``: ``json``, ``data``, ``headers``, ``timeout`` ...
        :raises CloudError: with the API's own words.
        """
        from keystoneauth1 import exceptions as keystone

        arguments.setdefault("timeout", TIMEOUT)
        try:
            return self._adapter(service).request(path, method, **arguments)
        except keystone.HttpError as error:
            raise CloudError(
                f"{method} {path} was refused", status=error.http_status, where=service, observed=_words(error)
            ) from error
        except keystone.ClientException as error:
            raise CloudError(
                f"{method} {path} got no answer", where=service, observed=str(error),
                remedy="see that the service runs and that its endpoint in the catalog can be reached from here",
            ) from error  # fmt: skip

    def get(self, service: str, path: str, **arguments: Any) -> Any:
        """Return the decoded JSON of a GET; otherwise as :meth:`request`."""
        content = self.request("GET", service, path, **arguments).json()
        if isinstance(content, str):
            # Sahara's answer, with status 200, for an object that goes between its two looks at it.
            raise CloudError(f"GET {path} was refused", status=404, where=service, observed=content)
        return content

    def has(self, service: str) -> bool:
        """Whether the catalog has an endpoint of this type."""
        from keystoneauth1 import exceptions as keystone

        try:
            return bool(self._adapter(service).get_endpoint())
        except keystone.EndpointNotFound:
            return False

    def _adapter(self, service: str) -> Any:
        from keystoneauth1 import adapter

        found = adapter.Adapter(
            self.session, service_type=service, interface=self._interface, region_name=self._region,
            version=_VERSIONS.get(service), allow_version_hack=True, user_agent="sahara-docker",
        )  # fmt: skip
        if service == "data-processing":
            endpoint = (found.get_endpoint() or "").rstrip("/")
            if "/v1.1" not in endpoint:  # registered without a version, as for version 2 of the API
                found.endpoint_override = f"{endpoint}/v1.1/{self.session.get_project_id()}"
        return found


def _words(error: Any) -> str:
    """What an API says about a refusal: each has its own shape of document."""
    try:
        document = error.response.json()
    except (AttributeError, ValueError):
        return f"HTTP {error.http_status} {error.message}"
    for part in (document, *(value for value in document.values() if isinstance(value, dict))):
        text = part.get("error_message") or part.get("message") or part.get("detail") or part.get("title")
        if isinstance(text, str):
            return f"HTTP {error.http_status} {text}"
    return f"HTTP {error.http_status} {error.message}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--os-cloud`` and ``--os-region-name``; everything else comes from ``OS_...`` variables or clouds.yaml."""
    group = parser.add_argument_group("cloud", "OS_... variables of the environment say which cloud, and as whom")
    group.add_argument("--os-cloud", metavar="NAME", default=os.environ.get("OS_CLOUD"), help="entry of clouds.yaml")
    group.add_argument("--os-region-name", metavar="NAME", default=os.environ.get("OS_REGION_NAME"), help="region")


def connect(name: str | None, region: str | None, environ: Mapping[str, str] = os.environ) -> Cloud:
    """Log in to the cloud that *name* (of clouds.yaml) or the ``OS_...`` variables mean.

    The token is fetched with the first request.

    :raises NoCredentials: neither is there.
    """
    try:
        from keystoneauth1 import loading
        from keystoneauth1 import session as keystone_session
    except ImportError as error:
        raise NoCredentials(
            "OpenStack cannot be asked", observed=str(error), remedy="pip install 'sahara-docker[cli]'"
        ) from error
    if name:
        return _from_clouds_yaml(name, region)
    if not environ.get("OS_AUTH_URL"):
        raise NoCredentials(
            "OpenStack cannot be asked", observed="OS_AUTH_URL is not set", remedy="source the cloud's openrc file"
        )
    plugin_name = environ.get("OS_AUTH_TYPE") or ("token" if environ.get("OS_TOKEN") else "password")
    try:
        loader = loading.get_plugin_loader(plugin_name)
        values = {}
        for option in loader.get_options():
            for spelling in (option, *option.deprecated):
                value = environ.get("OS_" + spelling.dest.upper())
                if value:
                    values[option.dest] = value
        auth = loader.load_from_options(**values)
    except Exception as error:
        raise NoCredentials(
            "the OS_... variables are no login to OpenStack",
            observed=str(error),
            remedy="source the cloud's openrc file",
        ) from error
    verify: bool | str = environ.get("OS_CACERT") or not environ.get("OS_INSECURE")
    session = keystone_session.Session(auth, verify=verify, timeout=TIMEOUT)
    return Cloud(session, region, environ.get("OS_INTERFACE") or "public")


def _from_clouds_yaml(name: str, region: str | None) -> Cloud:
    try:
        import openstack.config

        settings = openstack.config.get_cloud_region(name, region_name=region)
        return Cloud(settings.get_session(), settings.region_name or None, settings.get_interface() or "public")
    except ImportError as error:
        raise NoCredentials(
            "clouds.yaml cannot be read",
            observed=str(error),
            remedy="pip install openstacksdk, or set OS_... variables",
        ) from error
    except Exception as error:
        raise NoCredentials("the cloud cannot be used", where=name, observed=str(error)) from error
