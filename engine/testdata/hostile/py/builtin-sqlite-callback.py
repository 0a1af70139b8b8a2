# A function called by SQL that closes the database it is called from.
# class: builtin
# expect: error ProgrammingError

import sqlite3


def attack():
    db = sqlite3.connect(':memory:')
    db.create_function('f', 0, lambda: db.close())
    return db.execute('select f()').fetchone()


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
