from datetime import UTC, date, datetime, time, timedelta, timezone


def render(props):
    start = datetime.fromisoformat(props["start"])
    week = date(2026, 1, 1).isocalendar()
    return {"iso": start.isoformat(), "later": start + timedelta(days=40, hours=5),
            "format": start.strftime("%A %d %B %Y %H:%M %j %U"), "week": list(week),
            "parsed": [datetime.strptime("3 Feb 99", "%d %b %y"), datetime.strptime("4 Mar", "%d %b")], "time": time(12, 30, 5, 250),
            "zone": start.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=-3, minutes=-30))),
            "delta": str(timedelta(days=-1, seconds=5)), "stamp": datetime(2026, 1, 1, tzinfo=UTC).timestamp()}
