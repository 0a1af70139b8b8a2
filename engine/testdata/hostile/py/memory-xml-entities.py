# XML entities that refer to each other: a billion laughs.
# class: memory
# expect: limit Memory
# limits: Memory=40MiB

import xml.etree.ElementTree as ET


def attack():
    e = ''.join(f'<!ENTITY e{i} "' + f'&e{i - 1};' * 10 + '">' for i in range(1, 12))
    return len(ET.fromstring(f'<!DOCTYPE a [<!ENTITY e0 "lol">{e}]><a>&e11;</a>').text)


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
