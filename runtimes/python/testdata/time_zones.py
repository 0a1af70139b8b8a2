from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


def render(props):
    out = {}
    for name in props["zones"]:
        zone = ZoneInfo(name)
        out[name] = [datetime(y, m, 1, 12, tzinfo=UTC).astimezone(zone).strftime("%F %T %Z %z") for y in (1965, 1999, 2026, 2055) for m in (1, 7)]
    oslo = ZoneInfo("Europe/Oslo")
    gap = datetime(2026, 3, 29, 1, 30, tzinfo=oslo)
    out["gap"] = (gap.astimezone(UTC) + timedelta(hours=1)).astimezone(oslo)
    out["fold"] = [datetime(2026, 10, 25, 2, 30, fold=f, tzinfo=oslo).utcoffset().total_seconds() for f in (0, 1)]
    try:
        ZoneInfo("Nowhere/Land")
    except ZoneInfoNotFoundError as e:
        out["error"] = str(e)
    out["many"] = len(available_timezones()) > 500
    return out
