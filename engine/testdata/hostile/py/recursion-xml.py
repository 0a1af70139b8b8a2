# XML nested a hundred thousand deep.
# class: recursion
# expect: error RecursionError
# limits: Memory=60MiB

import xml.etree.ElementTree as ET


def attack():
    e = ET.fromstring('<a>' * 100000 + '</a>' * 100000)
    return len(ET.tostring(e))


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
