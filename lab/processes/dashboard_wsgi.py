# SPDX-License-Identifier: Apache-2.0
"""Horizon with its static files, which a web server hands out elsewhere; runs in the dashboard's own environment."""

from __future__ import annotations

import os

from lab import settings


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "openstack_dashboard.settings"

    import waitress
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.wsgi import get_wsgi_application

    _mend_styles()
    application = StaticFilesHandler(get_wsgi_application())
    waitress.serve(application, listen=f"127.0.0.1:{settings.DASHBOARD_PORTS['horizon']}", threads=4, ident=None)


def _mend_styles() -> None:
    """Let the compiler of Horizon's styles run: Python 3.11 refuses a flag that is not at a pattern's beginning.

    That is pyScss 1.4.0, its last release, where no C compiler and no libpcre built its quicker scanner.
    """
    from scss.grammar.expression import SassExpressionScanner as Scanner

    Scanner._patterns = [(name, pattern.replace("(?i)opacity", "(?i:opacity)")) for name, pattern in Scanner._patterns]


if __name__ == "__main__":
    main()
