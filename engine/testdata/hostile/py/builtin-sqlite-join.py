# A join of eight tables without a condition.
# class: builtin
# expect: limit CallTime within 25ms
# limits: CallTime=100ms Memory=60MiB

import sqlite3


def attack():
    db = sqlite3.connect(':memory:')
    db.execute('create table t as with recursive c(x) as (select 1 union all select x + 1 from c where x < 200) select x from c')
    return db.execute('select count(*) from t a, t b, t c, t d, t e, t f, t g, t h').fetchone()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
