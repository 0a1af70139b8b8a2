import sqlite3


def render(props):
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    db.execute("create table item(id integer primary key, name text unique, price real, data json)")
    with db:
        db.executemany("insert into item(name, price, data) values (?, ?, ?)", [(n, p, '{"k": [1, 2]}') for n, p in props["items"]])
    try:
        with db:
            db.execute("insert into item(name) values ('new')")
            db.execute("insert into item(name) values (?)", (props["items"][0][0],))
    except sqlite3.IntegrityError as e:
        error = str(e)
    db.create_function("shout", 1, lambda s: s.upper() + "!")
    db.create_aggregate("longest", 1, type("L", (), {"__init__": lambda s: setattr(s, "v", ""), "step": lambda s, x: setattr(s, "v", max(s.v, x, key=len)), "finalize": lambda s: s.v}))
    rows = [dict(r) for r in db.execute("select shout(name) n, price, sum(price) over (order by id) run, data ->> '$.k[1]' j from item order by price desc")]
    cte = [r[0] for r in db.execute("with recursive f(a, b) as (select 0, 1 union all select b, a + b from f limit 10) select a from f")]
    db.executescript("create virtual table doc using fts5(body); insert into doc values ('a quick fox'), ('slow snails'), ('quick quick');")
    found = [r[0] for r in db.execute("select highlight(doc, 0, '<b>', '</b>') from doc where doc match 'quick' order by rank")]
    return {"rows": rows, "found": found, "cte": cte, "error": error, "count": db.execute("select count(*), longest(name) from item").fetchone()[:],
            "math": db.execute("select round(sqrt(2), 6), date('2026-01-31', '+1 month'), hex(x'ab')").fetchone()[:]}
