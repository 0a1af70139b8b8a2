"""A year of daily weather: totals, a calendar of the sky, and tables."""

from datetime import date
from html import escape
from statistics import fmean

SKIES = ["sun", "fog", "drizzle", "rain", "snow"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def number(x, digits=0):
    """Formats like "1,139.2", with a true minus sign."""
    return f"{x:,.{digits}f}".replace("-", "−")


def total(label, value, unit=""):
    unit = f"<small> {unit}</small>" if unit else ""
    return f"<div><dt>{label}</dt><dd>{value}{unit}</dd></div>"


def totals(days):
    return "".join([
        '<dl class="totals">',
        total("Days", number(len(days))),
        total("Rain", number(sum(d["rain"] for d in days), 1), "mm"),
        total("Wet days", number(sum(d["rain"] > 0 for d in days))),
        total("Warmest", number(max(d["high"] for d in days), 1), "°C"),
        total("Coldest", number(min(d["low"] for d in days), 1), "°C"),
        "</dl>",
    ])


def day_name(d):
    day = date.fromisoformat(d["date"])
    return f"{day.day} {MONTHS[day.month - 1]}"


def calendar(days, label):
    """A row for each month, a box for each day."""
    left, top, w, h = 40, 18, 22, 22
    parts = []

    def box(sky, x, y, title=""):
        title = f"<title>{title}</title>" if title else ""
        parts.append(f'<rect class="{sky}" x="{x}" y="{y}" width="{w - 3}" height="{h - 3}" rx="3">{title}</rect>')

    def text(s, x, y, anchor="start"):
        parts.append(f'<text class="tick" x="{x}" y="{y}" text-anchor="{anchor}">{s}</text>')

    for day in (1, 5, 10, 15, 20, 25, 30):
        text(day, left + (day - 1) * w + 9, 10, "middle")
    for month, name in enumerate(MONTHS):
        text(name, left - 8, top + month * h + 14, "end")
    for d in days:
        day, sky = date.fromisoformat(d["date"]), escape(d["sky"])
        title = f"{day_name(d)}: {sky}, {number(d['rain'], 1)} mm"
        box(sky, left + (day.day - 1) * w, top + (day.month - 1) * h, title)
    legend = top + 12 * h + 12
    seen = {d["sky"] for d in days}
    for i, sky in enumerate(s for s in SKIES if s in seen):
        box(sky, left + i * 90, legend)
        text(sky, left + i * 90 + w + 3, legend + 14)
    size = f"0 0 {left + 31 * w} {legend + h}"
    return f'<svg viewBox="{size}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def table(caption, columns, rows, foot=()):
    def tr(label, *cells):
        return f'<tr><th scope="row">{label}</th>' + "".join(f"<td>{c}</td>" for c in cells) + "</tr>\n"

    head = "".join(f'<th scope="col">{c}</th>' for c in columns)
    return (
        f"<table>\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{''.join(tr(*r) for r in rows)}</tbody>\n"
        f"<tfoot>\n{''.join(tr(*r) for r in foot)}</tfoot>\n</table>"
    )


def by_sky(days):
    def row(label, ds):
        share = number(100 * len(ds) / len(days)) + "%"
        return (label, len(ds), share, number(sum(d["rain"] for d in ds), 1),
                number(fmean(d["high"] for d in ds), 1), number(fmean(d["wind"] for d in ds), 1))

    groups = [(sky, [d for d in days if d["sky"] == sky]) for sky in SKIES]
    return table(
        "High is the mean in °C, wind the mean in m/s, rain is in mm.",
        ["Sky", "Days", "Share", "Rain", "High", "Wind"],
        [row(sky.capitalize(), ds) for sky, ds in groups if ds],
        [row("Year", days)],
    )


def wettest(days, n):
    top = sorted(days, key=lambda d: d["rain"], reverse=True)[:n]
    return table(
        f"The {n} wettest days.",
        ["Day", "Rain", "High", "Wind"],
        [(day_name(d), number(d["rain"], 1), number(d["high"], 1), number(d["wind"], 1)) for d in top],
    )


def render(props):
    days, place, year = props["days"], escape(props["place"]), int(props["year"])
    return "\n".join([
        f'<section class="dashboard" aria-label="Weather in {place}, {year}, by day">',
        f"<h2>{place} {year}, day by day</h2>",
        totals(days),
        calendar(days, f"The sky on each day of {year}"),
        by_sky(days),
        wettest(days, 5),
        "</section>",
    ])
