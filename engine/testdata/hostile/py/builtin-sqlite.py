# A recursive query that never ends.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms Memory=60MiB

import sqlite3


def attack():
    return sqlite3.connect(':memory:').execute('with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c').fetchone()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
