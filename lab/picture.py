"""Who sent what to whom: a matrix of economies as SVG, from whose nodes (rows) to whose (columns)."""
import collections
import math
from xml.sax.saxutils import escape

CELL_MOST, EDGE = 26, 46
SHADES = ["#f2f5f9", "#c9d9ea", "#9dbbd9", "#6d9ac5", "#3f78ac", "#1f568a", "#0b3560"]
LARGEST = 900


def shade(count, most):
    return SHADES[min(len(SHADES) - 1, 1 + int(math.log(count) / math.log(max(2, most)) * (len(SHADES) - 2) + .5))] if count else SHADES[0]


def draw(world, delivered, title):
    """DELIVERED: (from team, to team) -> reports."""
    economies = sorted(set(world.economy.values()))
    flow = collections.Counter()
    for (a, b), count in delivered.items():
        flow[world.economy[a], world.economy[b]] += count
    most = max(flow.values(), default=1)
    teams = collections.Counter(world.economy.values())
    out_of, into = collections.Counter(), collections.Counter()
    for (a, b), count in flow.items():
        out_of[a] += count
        into[b] += count
    cell = min(CELL_MOST, LARGEST // len(economies))
    size, top = cell * len(economies), 60
    width, height = size + 2 * EDGE + 130, size + top + EDGE + 130
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
             f'font-family="sans-serif" font-size="{max(7, cell - 3)}">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>',
             f'<text x="{EDGE}" y="24" font-size="15">{escape(title)}</text>',
             f'<text x="{EDGE}" y="42" font-size="11">rows: from whose nodes; columns: to whose; darker: more reports (most: {most}); bars: sums</text>']
    longest = max([*out_of.values(), *into.values(), 1])
    for n, economy in enumerate(economies):
        at = n * cell
        parts.append(f'<text x="{EDGE - 4}" y="{top + EDGE + at + cell * .75:.1f}" text-anchor="end">{economy}</text>')
        parts.append(f'<text transform="translate({EDGE + at + cell * .75:.1f} {top + EDGE - 4}) rotate(-90)">{economy}</text>')
        for x, y, w, h, count, what in (
                (EDGE + size + 6, top + EDGE + at + 1, 110 * out_of[economy] / longest, cell - 2, out_of[economy], "sent"),
                (EDGE + at + 1, top + EDGE + size + 6, cell - 2, 110 * into[economy] / longest, into[economy], "got")):
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="#b9772f">'
                         f"<title>{economy}, {teams[economy]} teams: {what} {count}</title></rect>")
    for i, a in enumerate(economies):
        for j, b in enumerate(economies):
            count = flow[a, b]
            told = f"<title>{a} to {b}: {count}</title>" if count else ""
            parts.append(f'<rect x="{EDGE + j * cell}" y="{top + EDGE + i * cell}" width="{cell - 1}" height="{cell - 1}" '
                         f'fill="{shade(count, most)}">{told}</rect>')
    return "\n".join(parts) + "\n</svg>\n"
