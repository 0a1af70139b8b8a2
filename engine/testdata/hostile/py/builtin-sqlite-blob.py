# Values larger than any memory in SQL.
# class: builtin
# expect: limit Memory
# limits: Memory=30MiB

import sqlite3


def attack():
    return len(sqlite3.connect(':memory:').execute('select hex(zeroblob(900000000))').fetchone()[0])


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
