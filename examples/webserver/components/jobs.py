"""Jobs in the United States, month by month: a summary, a chart, a table."""

from collections import defaultdict
from datetime import date


def signed(x):
    return f"{x:+,}".replace("-", "−")


def month_name(month):
    return date.fromisoformat(month + "-01").strftime("%B %Y")


def summary(months):
    change = sum(m["change"] for m in months)
    low = min(months, key=lambda m: m["jobs"])
    verb = "gained" if change >= 0 else "lost"
    return (
        f'<p class="lead">From {month_name(months[0]["month"])} to {month_name(months[-1]["month"])} the country '
        f"{verb} {abs(change) / 1000:.1f} million jobs. "
        f'The fewest were {low["jobs"] / 1000:.1f} million in {month_name(low["month"])}.</p>'
    )


def chart(months):
    left, width, top, height = 56, 720, 12, 250
    high = max(max(m["change"] for m in months), 0)
    low = min(min(m["change"] for m in months), 0)
    step = 200
    high, low = -(-high // step) * step, low // step * step  # outwards, to whole steps
    scale = height / max(high - low, step)
    slot = (width - left) / len(months)
    parts = []
    for v in range(low, high + 1, step):
        y = top + (high - v) * scale
        kind = "grid" if v else "axis"
        parts.append(f'<line class="{kind}" x1="{left}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{signed(v) if v else 0}</text>')
    for i, m in enumerate(months):
        x, v = left + i * slot, m["change"]
        y = top + (high - max(v, 0)) * scale
        parts.append(
            f'<rect class="{"up" if v >= 0 else "down"}" x="{x:.1f}" y="{y:.1f}" width="{max(slot - 1, 0.5):.1f}" '
            f'height="{abs(v) * scale:.1f}"><title>{month_name(m["month"])}: {signed(v)}</title></rect>'
        )
        if m["month"].endswith("-01"):
            parts.append(f'<text class="tick" x="{x:.1f}" y="{top + height + 18}">{m["month"][:4]}</text>')
    return (
        f'<svg viewBox="0 0 {width} {top + height + 24}" role="img" '
        f'aria-label="Jobs gained or lost in each month, in thousands">{"".join(parts)}</svg>'
    )


def table(months):
    years = defaultdict(list)
    for m in months:
        years[m["month"][:4]].append(m)
    rows = "".join(
        f'<tr><th scope="row">{year}</th><td>{signed(sum(m["change"] for m in ms))}</td>'
        f'<td>{sum(m["change"] < 0 for m in ms)}</td><td>{ms[-1]["jobs"]:,}</td></tr>\n'
        for year, ms in years.items()
    )
    return (
        "<table>\n<caption>Nonfarm jobs in thousands, seasonally adjusted.</caption>\n"
        '<thead><tr><th scope="col">Year</th><th scope="col">Change</th>'
        '<th scope="col">Months of losses</th><th scope="col">At the end</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table>"
    )


def render(props):
    months = [m for m in props["months"] if props["from"] <= int(m["month"][:4]) <= props["to"]]
    return f"<section>\n<h1>Jobs in the United States</h1>\n{summary(months)}\n{chart(months)}\n{table(months)}\n</section>"
