# SPDX-License-Identifier: Apache-2.0
"""What ``instance.remote()`` returns."""

from __future__ import annotations

import codecs
import contextlib
import functools
import socket
import threading
import time
import zlib
from typing import Any, Callable, Iterator, Union

from oslo_config import cfg
from oslo_log import log as logging
from sahara import context
from sahara import exceptions as sahara_exceptions
from sahara.utils import network, ssh_remote

from sahara_docker.ssh import authentication, command, dial, errors, http, logins, os_release, pool, redaction, route
from sahara_docker.ssh import connection as connections
from sahara_docker.ssh import deadline as deadlines
from sahara_docker.ssh import files as scripts

LOG = logging.getLogger(__name__)

Data = Union[str, bytes]
Seconds = Union[float, None]

# How long a command waits for an sshd that refuses connections; the engine's own wait for a new node does not.
_PATIENCE = 5.0
_FAMILIES = {
    "ubuntu": ("apt-get update", "DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y"),
    "debian": ("apt-get update", "DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y"),
    "centos": ("yum clean all", "yum install -y"),
    "redhat": ("yum clean all", "yum install -y"),
    "fedora": ("dnf clean all", "dnf install -y"),
}


class Remotes:
    """All remotes of an engine process: their connections, HTTP sessions and limits.

    :param conf: sahara.conf.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf
        self.connections = pool.ConnectionPool(conf.sahara_docker.ssh_max_connections)
        self.logins = logins.Logins(conf)
        redaction.HttpBodies.install()
        self.operations = threading.BoundedSemaphore(conf.global_remote_threshold)
        self.sessions: dict[tuple[str, int], http.NodeSession] = {}

    def remote(self, instance: Any) -> NodeRemote:
        return NodeRemote(instance, self)

    def forget(self, instance: Any) -> None:
        """Close everything that leads to an instance that is gone."""
        self.connections.forget(instance.instance_id)
        self.logins.forget(instance.instance_id)
        for host, port in list(self.sessions):
            if host in (instance.management_ip, instance.internal_ip):
                self.sessions.pop((host, port)).close()


class NodeRemote(ssh_remote.InstanceInteropHelper):
    """Sahara's ``Remote`` for one node; its ``with`` block holds nothing, the connection is kept anyway.

    Commands end within *timeout* seconds (sahara.conf's ``ssh_timeout_common``, ``ssh_timeout_files`` and
    ``ssh_timeout_interactive`` when left out) or raise ``sahara.exceptions.TimeoutException``. A node that cannot be
    reached raises a ``sahara_docker.ssh.errors.SshError``.
    """

    def __init__(self, instance: Any, remotes: Remotes) -> None:
        super().__init__(instance)
        self._remotes = remotes

    def __enter__(self) -> NodeRemote:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        pass

    def close(self) -> None:
        """For callers of the stock bulk helper; the connection is kept for the next one."""

    def reconnect(self) -> None:
        """Have the next command log in anew: a login keeps the environment and the groups of its moment."""
        self._remotes.connections.renew(self.instance.instance_id)

    # -- commands ---------------------------------------------------------------------------------------------------

    def check_login(self, timeout: float) -> None:
        """Log in, or use the connection that is there.

        :raises SshError: why it cannot be done now.
        """
        with self._operation("Logging in", timeout) as deadline, self._lend(self._node(), deadline, patience=0):
            pass

    def log_in_again(self, timeout: float) -> authentication.Key | authentication.Password:
        """Log in beside the kept connection, and out; what the node accepted.

        :raises SshError: why it cannot be done now.
        """
        with self._operation("Logging in again", timeout) as deadline:
            return self._remotes.connections.log_in_again(self._node(), deadline, _PATIENCE)

    def keep_secret(self, secret: str) -> None:
        """Hide *secret* in every log line and error about this node from now on."""
        self._remotes.logins.keep_secret(self.instance.instance_id, secret)

    def execute_command(
        self,
        cmd: str,
        run_as_root: bool = False,
        get_stderr: bool = False,
        raise_when_error: bool = True,
        timeout: Seconds = None,
        *,
        stdin: Data = b"",
    ) -> tuple:
        """Run *cmd* in the login user's shell, or in root's bash.

        Output that is not UTF-8 has its odd bytes as ``\\xNN``.

        :param stdin: data for the command, never shown in logs or errors: the way to hand over a secret.
        :returns: (exit code, stdout) or, with *get_stderr*, (exit code, stdout, stderr).
        :raises RemoteCommandFailed: on another exit code than 0, unless *raise_when_error* is false.
        :raises ConnectionLost: the connection broke while the command ran; it is never repeated.
        """
        with self._operation(f'Executing "{cmd}"', timeout or self._remotes.conf.ssh_timeout_common) as deadline:
            outcome = self._run(cmd, run_as_root, deadline, stdin, raise_when_error)
        code, stdout, stderr = outcome.exit_code, _text(outcome.stdout), _text(outcome.stderr)
        return (code, stdout, stderr) if get_stderr else (code, stdout)

    def execute_on_vm_interactive(self, cmd: str, matcher: Any, timeout: Seconds = None) -> None:
        """Type *cmd* into a shell on a terminal and answer its questions.

        :param matcher: an object with ``get_response(text)``, the answer to the question in the text so far or None,
            and ``is_eof(text)``, true when the command is finished. The text starts anew after each answer.
        :raises ConnectionLost: when the shell ends before the matcher is satisfied.
        """
        timeout = timeout or self._remotes.conf.ssh_timeout_interactive
        with self._operation(f'Executing interactively "{cmd}"', timeout) as deadline:
            node = self._node()
            with self._lend(node, deadline) as connection, connection.channel(deadline) as channel:
                _converse(channel, cmd, matcher, deadline, node)

    # -- files ------------------------------------------------------------------------------------------------------

    def write_file_to(self, remote_file: str, data: Data, run_as_root: bool = False, timeout: Seconds = None) -> None:
        """Replace the content of a file, in place: also where it is a bind mount."""
        self._change_files("Writing", scripts.write, {remote_file: data}, run_as_root, timeout)

    def write_files_to(self, files: dict[str, Data], run_as_root: bool = False, timeout: Seconds = None) -> None:
        self._change_files("Writing", scripts.write, files, run_as_root, timeout)

    def append_to_file(self, r_file: str, data: Data, run_as_root: bool = False, timeout: Seconds = None) -> None:
        self._change_files("Appending to", scripts.append, {r_file: data}, run_as_root, timeout)

    def append_to_files(self, files: dict[str, Data], run_as_root: bool = False, timeout: Seconds = None) -> None:
        self._change_files("Appending to", scripts.append, files, run_as_root, timeout)

    def prepend_to_file(self, r_file: str, data: Data, run_as_root: bool = False, timeout: Seconds = None) -> None:
        self._change_files("Prepending to", scripts.prepend, {r_file: data}, run_as_root, timeout)

    def read_file_from(self, remote_file: str, run_as_root: bool = False, timeout: Seconds = None) -> str | bytes:
        """The content of a file: text, or bytes when it is not UTF-8."""
        timeout = timeout or self._remotes.conf.ssh_timeout_files
        with self._operation(f'Reading file "{remote_file}"', timeout) as deadline:
            data = self._run(scripts.read(remote_file), run_as_root, deadline).stdout
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data

    def replace_remote_string(self, remote_file: str, old_str: str, new_str: str, timeout: Seconds = None) -> None:
        """Replace every match of *old_str* (a regular expression of sed's, as in the stock remote), as root."""
        self._edit(remote_file, scripts.replace_string(remote_file, old_str, new_str), timeout)

    def replace_remote_line(
        self, remote_file: str, old_line_with_start_string: str, new_line: str, timeout: Seconds = None
    ) -> None:
        """Replace every line that begins with a string, as root."""
        self._edit(remote_file, scripts.replace_line(remote_file, old_line_with_start_string, new_line), timeout)

    # -- the system -------------------------------------------------------------------------------------------------

    def get_python_version(self, timeout: Seconds = None) -> str:
        """``python3`` or, where that is missing, ``python2``."""
        return self.execute_command(
            "command -v python3 > /dev/null && echo python3 || { command -v python2 > /dev/null && echo python2; }",
            timeout=timeout,
        )[1].strip()

    def get_os_distrib(self, timeout: Seconds = None) -> str:
        return os_release.distribution(self.execute_command(os_release.COMMAND, timeout=timeout)[1])

    def get_os_version(self, timeout: Seconds = None) -> str:
        return os_release.version(self.execute_command(os_release.COMMAND, timeout=timeout)[1])

    def install_packages(self, packages: list[str], timeout: Seconds = None) -> None:
        install = self._package_tool("Package Installation", timeout)[1]
        timeout = timeout or self._remotes.conf.ssh_timeout_files
        self.execute_command(f"{install} {' '.join(packages)}", run_as_root=True, timeout=timeout)

    def update_repository(self, timeout: Seconds = None) -> None:
        update = self._package_tool("Repository Update", timeout)[0]
        timeout = timeout or self._remotes.conf.ssh_timeout_files
        self.execute_command(update, run_as_root=True, timeout=timeout)

    # -- HTTP -------------------------------------------------------------------------------------------------------

    def get_http_client(self, port: int, info: dict | None = None) -> http.NodeSession:
        """A ``requests`` session to *port* of this node, kept until ``close_http_session`` or the node's end."""
        node = self._node(port, info)
        key = (node.host, int(port))
        session = self._remotes.sessions.get(key)
        if session is None:
            session = http.NodeSession(self._remotes.conf.ssh_timeout_common, self._dialler(node))
            self._remotes.sessions[key] = session
        return session

    def close_http_session(self, port: int) -> None:
        host = ssh_remote._get_access_ip(self.instance)
        session = self._remotes.sessions.pop((host, int(port)), None)
        if session is None:
            raise sahara_exceptions.NotFoundException(
                {"host": host, "port": port}, "Session for %(host)s:%(port)s not cached"
            )
        session.close()

    # -- how --------------------------------------------------------------------------------------------------------

    def _node(self, port: int = 22, info: dict | None = None) -> route.Node:
        """Where this node answers now, by the stock helper's rules for gateways, proxy commands and namespaces."""
        stock = self._remotes.conf
        instance = self.instance
        gateway = self._gateway()
        by_command = stock.proxy_command or (stock.use_namespaces and not network.has_floating_ip(instance))
        return route.Node(
            id=instance.instance_id,
            name=instance.instance_name,
            host=ssh_remote._get_access_ip(instance),
            login=self._remotes.logins.of(instance),
            port=port,
            # What leads to the gateway, such as a proxy command, is the gateway's own.
            gateway=self._remotes.remote(gateway)._node() if gateway else None,
            proxy_command=functools.partial(self._proxy_command_to, port, info) if by_command and not gateway else None,
            cluster_id=instance.node_group.cluster.id,
        )

    def _gateway(self) -> Any:
        """The proxy gateway that leads to this node, always the same of several; None when it is reached directly."""
        group = self.instance.node_group
        if group.is_proxy_gateway:
            return None
        gateways = [one for other in group.cluster.node_groups if other.is_proxy_gateway for one in other.instances]
        return gateways[zlib.crc32(self.instance.instance_id.encode()) % len(gateways)] if gateways else None

    def _proxy_command_to(self, port: int, info: dict | None) -> str:
        stock = self._remotes.conf
        template = stock.proxy_command or "ip netns exec qrouter-{router_id} nc {host} {port}"
        rootwrap = stock.rootwrap_command if stock.use_rootwrap else ""
        return self._build_proxy_command(
            template, instance=self.instance, port=port, info=info, rootwrap_command=rootwrap
        )

    def _lend(
        self, node: route.Node, deadline: deadlines.Deadline, patience: float = _PATIENCE
    ) -> contextlib.AbstractContextManager[connections.Connection]:
        return self._remotes.connections.lend(node, deadline, patience)

    def _run(
        self,
        cmd: str,
        run_as_root: bool,
        deadline: deadlines.Deadline,
        stdin: Data = b"",
        raise_when_error: bool = True,
    ) -> command.Outcome:
        node = self._node()
        text = command.as_root(cmd, node.login.username) if run_as_root else cmd
        data = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            with self._lend(node, deadline) as connection:
                outcome = command.execute(connection, text, deadline, data)
        except errors.NotSent as broken:
            # Nothing was sent, so once more is safe. The pool opens a new connection in place of the broken one.
            LOG.debug("Reopening a broken connection: %s", broken)
            with self._lend(node, deadline) as connection:
                outcome = command.execute(connection, text, deadline, data)
        if outcome.exit_code and raise_when_error:
            raise errors.RemoteCommandFailed(
                self._redacted(cmd),
                outcome.exit_code,
                self._redacted(_text(outcome.stdout)),
                self._redacted(_text(outcome.stderr)),
                where=str(node),
            )
        return outcome

    def _change_files(
        self,
        doing: str,
        script: Callable[[str, int], str],
        contents: dict[str, Data],
        run_as_root: bool,
        timeout: Seconds,
    ) -> None:
        timeout = timeout or self._remotes.conf.ssh_timeout_files
        for path, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            with self._operation(f'{doing} file "{path}"', timeout) as deadline:
                self._run(script(path, len(data)), run_as_root, deadline, data)

    def _edit(self, path: str, edit: scripts.Edit, timeout: Seconds) -> None:
        # The replaced text is not shown: plugins write passwords this way.
        with self._operation(f'Editing file "{path}"', timeout or self._remotes.conf.ssh_timeout_files) as deadline:
            self._run(edit.script, True, deadline, edit.data)

    def _package_tool(self, feature: str, timeout: Seconds) -> tuple[str, str]:
        distribution = self.get_os_distrib(timeout)
        if distribution not in _FAMILIES:
            raise sahara_exceptions.NotImplementedException(feature, f"%s is not implemented for OS {distribution}")
        return _FAMILIES[distribution]

    def _dialler(self, node: route.Node) -> Callable[[], dial.Stream] | None:
        if node.proxy_command:
            command_line = node.proxy_command
            return lambda: dial.through_command(command_line())
        if node.gateway:
            return functools.partial(self._tunnel, node.gateway, node.host, node.port)
        return None

    def _tunnel(self, gateway: route.Node, host: str, port: int) -> dial.Stream:
        deadline = deadlines.Deadline(self._remotes.conf.ssh_timeout_common)
        loan = contextlib.ExitStack()
        try:
            connection = loan.enter_context(self._lend(gateway, deadline))
            # The gateway's connection stays on loan as long as the tunnel is used.
            return dial.Stream(connection.tunnel(host, port, deadline), loan.close)
        except BaseException:
            loan.close()
            raise

    def _redacted(self, text: str) -> str:
        return redaction.redact(text, self._remotes.logins.secrets(self.instance.instance_id))

    @contextlib.contextmanager
    def _operation(self, description: str, timeout: float) -> Iterator[deadlines.Deadline]:
        """One bounded operation on the node: a place among the allowed number, a deadline, two lines in the log."""
        description = self._redacted(description)
        deadline = deadlines.Deadline(timeout)
        LOG.debug("[%s] %s", self.instance.instance_name, description)
        started = time.monotonic()
        try:
            with self._place(deadline):
                yield deadline
        except errors.DeadlineExceeded:
            raise sahara_exceptions.TimeoutException(
                timeout, op_name=f"{description} on {self.instance.instance_name}"
            ) from None
        finally:
            LOG.debug("[%s] %s took %.3f s", self.instance.instance_name, description, time.monotonic() - started)

    @contextlib.contextmanager
    def _place(self, deadline: deadlines.Deadline) -> Iterator[None]:
        """Wait for a place within sahara.conf's ``cluster_remote_threshold`` and ``global_remote_threshold``."""
        with contextlib.ExitStack() as stack:
            gates = [context.current().remote_semaphore] if context.has_ctx() else []
            for gate in [*gates, self._remotes.operations]:
                if not gate.acquire(timeout=deadline.remaining()):
                    raise errors.DeadlineExceeded
                stack.callback(gate.release)
            yield


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="backslashreplace")


def _converse(channel: Any, cmd: str, matcher: Any, deadline: deadlines.Deadline, node: route.Node) -> None:
    channel.settimeout(deadline.remaining())
    channel.get_pty(width=200)
    channel.invoke_shell()
    channel.sendall((cmd + "\n").encode())
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    seen = ""
    while not matcher.is_eof(seen):
        channel.settimeout(deadline.remaining())
        try:
            chunk = channel.recv(4096)
        except socket.timeout:
            raise errors.DeadlineExceeded from None
        if not chunk:
            raise errors.ConnectionLost("an interactive command ended before its dialogue did", where=str(node))
        seen += decoder.decode(chunk)
        response = matcher.get_response(seen)
        if response is not None:
            channel.sendall((response + "\n").encode())
            seen = ""
