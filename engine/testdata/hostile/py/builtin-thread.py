# Threads and processes, which do not exist.
# class: builtin
# expect: json []

import os, subprocess, threading


def attack():
    tried = []
    for start in (threading.Thread(target=print).start, lambda: os.fork(), lambda: subprocess.run(['ls']), lambda: os.system('ls'), lambda: os.kill(1, 9)):
        try: tried.append(start())
        except Exception: pass
    return tried


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
