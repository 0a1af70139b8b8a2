# SQL that asks for files and extensions.
# class: builtin
# expect: json []

import sqlite3


def attack():
    db = sqlite3.connect(':memory:')
    tried = []
    for sql in ("attach '/etc/passwd' as a", "vacuum into '/copy.db'", "select load_extension('x')", "attach 'file:x?mode=memory&cache=shared' as b"):
        try:
            db.execute(sql)
            db.execute('select * from a.sqlite_master')
            tried.append(sql)
        except Exception: pass
    return tried


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
