import array
import struct


def render(props):
    packed = struct.pack("<IhB5s", 70000, -2, 255, b"abc")
    view = memoryview(bytearray(packed))
    view[0] = 1
    numbers = array.array("d", [1.5, 2.5])
    return [packed.hex(" "), struct.unpack("<IhB5s", view)[:3], numbers.tobytes().hex(),
            b"a-b-c".split(b"-")[1].decode(), bytes.fromhex("c3 a6").decode(), view[4:6].tolist()]
