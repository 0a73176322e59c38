# SPDX-License-Identifier: Apache-2.0
"""Where the time went, as an SVG picture: a bar for each step, node and job."""

from __future__ import annotations

from xml.sax import saxutils

from sahara_docker.cli.watch.lines import duration, last_end
from sahara_docker.cli.watch.story import Story, now

_LEFT, _WIDTH, _ROW, _TOP = 260, 700, 22, 54
_COLORS = {"step": "#4c78a8", "node": "#72b7b2", "job": "#f58518"}
_FAILED = "#d62728"
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 10


def svg(story: Story) -> str:
    """Return the picture; times are seconds since the cluster was asked for."""
    began = story.began()
    spans = story.spans()
    until = last_end(spans, now())
    total = max((until - began).total_seconds(), 1)
    height = _TOP + _ROW * len(spans) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 80}" height="{height}" '
        f'font-family="sans-serif" font-size="12">',
        f"<title>{saxutils.escape(story.cluster.name)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="20" font-size="14">{saxutils.escape(story.cluster.name)}: '
        f"{saxutils.escape(story.cluster.status)}, {len(story.cluster.nodes)} nodes, {duration(total)}</text>",
    ]
    tick = next((one for one in _TICKS if total / one <= _MOST_TICKS), _TICKS[-1])
    for number in range(int(total // tick) + 1):
        x = _LEFT + number * tick / total * _WIDTH
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 10}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{_TOP - 12}" text-anchor="middle" fill="#666">{number * tick} s</text>')
    for row, span in enumerate(spans):
        y = _TOP + row * _ROW
        seconds = span.seconds(until)
        x = _LEFT + max((span.began - began).total_seconds(), 0) / total * _WIDTH
        width = max(seconds / total * _WIDTH, 2)
        color = _FAILED if span.good is False else _COLORS[span.kind]
        name = saxutils.escape(f"{span.kind} {span.name}" if span.kind == "job" else span.name)
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{name}</text>')
        parts.append(f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 6}" fill="{color}"/>')
        parts.append(f'<text x="{x + width + 4:.1f}" y="{y + 14}" fill="#666">{seconds:.0f} s</text>')
    return "\n".join([*parts, "</svg>", ""])
