# Bytecode that no compiler makes gives the component its whole linear memory, to read and to write.
# It searches it for what belongs to other tenants, and for a text of its own to show that it looks
# well.
# class: corruption
# expect: json [false,true]
# limits: Memory=60MiB

import opcode, re, struct, types


def memory(size, start=0):
    """Linear memory from start as a bytearray, made of bytes that the interpreter takes for one."""
    fake = struct.pack("<8I", 1000, id(bytearray), size, size, start, start, 0, 0)
    slot = struct.pack("<I", id(fake) + 16)
    keep.extend((fake, slot))
    consts = (None,)
    arg = ((id(slot) + 16 - id(consts) - 12) // 4) & 0xFFFFFFFF
    code = bytes((RESUME, 0, EXTENDED, arg >> 24, EXTENDED, arg >> 16 & 255, EXTENDED, arg >> 8 & 255, LOAD_CONST, arg & 255, RETURN, 0))
    return types.FunctionType((lambda: None).__code__.replace(co_code=code, co_consts=consts), {})()


EXTENDED, LOAD_CONST, RETURN, RESUME = (opcode.opmap[n] for n in ("EXTENDED_ARG", "LOAD_CONST", "RETURN_VALUE", "RESUME"))
keep = []


def top():
    last = bytes(2 << 20)  # too large for what was freed before, so at the end of the heap
    return id(last) + len(last)


def attack():
    keep.append(bytes(8 << 20)[1:])
    del keep[:]
    mine = "".join(("my own", " secret"))
    mem = memory(top(), 16)
    found = lambda pattern: re.search(pattern, mem) is not None  # patterns that do not match themselves
    return [found(rb"TENANT-SECRE[T]-[0-9a-f]"), found(rb"my ow[n] secret") and bool(mine)]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
