"""What a notebook in Python begins with: plot()."""

from html import escape


class Plot:
    """A line for each series of numbers. A cell shows it as SVG."""

    def __init__(self, series, title):
        self.series, self.title = series, title

    def _repr_svg_(self):
        w, h, edge = 640, 240, 34
        values = [y for ys in self.series for y in ys]
        low, high = min(values), max(values)
        scale = (h - 2 * edge) / ((high - low) or 1)
        y = lambda v: h - edge - (v - low) * scale
        parts = [f'<svg viewBox="0 0 {w} {h}" role="img" aria-label="{escape(self.title)}">']
        for v in (low, (low + high) / 2, high):
            parts.append(f'<path class="grid" d="M{edge} {y(v):.1f}H{w}"/><text x="{edge - 6}" y="{y(v) + 4:.1f}">{round(v, 2) + 0.0:g}</text>')
        for n, ys in enumerate(self.series):
            step = (w - edge) / max(1, len(ys) - 1)
            line = "L".join(f"{edge + i * step:.1f} {y(v):.1f}" for i, v in enumerate(ys))
            parts.append(f'<path class="line n{n % 4}" d="M{line}"/>')
        return "".join(parts) + "</svg>"


def plot(*series, title="A plot"):
    return Plot([list(s) for s in series], title)
