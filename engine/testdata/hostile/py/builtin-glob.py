# fnmatch with a pattern of very many stars.
# class: builtin
# expect: json false

import fnmatch


def attack():
    return fnmatch.fnmatch('a' * 10**5, '*a' * 20 + 'b')


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
