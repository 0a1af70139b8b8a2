import calendar
import time


def render(props):
    text = calendar.TextCalendar(calendar.MONDAY).formatmonth(props["year"], props["month"])
    return text + str(calendar.timegm(time.strptime("2026-03-01", "%Y-%m-%d"))) + " " + \
        time.strftime("%a %d %b %H:%M", time.gmtime(86400 * 365))
