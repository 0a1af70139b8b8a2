# Date parsing and formatting with enormous numbers.
# class: builtin
# expect: error OverflowError

import datetime


def attack():
    return datetime.datetime(9999, 12, 31) + datetime.timedelta(10**9)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
