# LIKE and GLOB patterns that backtrack.
# class: builtin
# expect: json [0]
# limits: Memory=60MiB

import sqlite3


def attack():
    return sqlite3.connect(':memory:').execute('select ? like ?', ('a' * 20000, '%a' * 200 + 'b')).fetchone()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
