"""A worker that breaks the protocol, or lies, in the way that its second argument says. Its first is worker.py."""

import importlib.util
import os
import struct
import sys

script, how = sys.argv[1:3]
spec = importlib.util.spec_from_file_location("worker", script)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
Worker = worker.Worker
if how == "version":
    pack = struct.pack  # it takes the host's version but says another
    worker.struct.pack = lambda form, *values: pack(form, 2, *values[1:]) if form == "<II" and values[0] == 1 and len(values) == 2 else pack(form, *values)


def m(call, x):
    if how == "many parts":
        call.credit = 1 << 20
    for _ in range(100):
        yield [1.0]


def f(call, x):
    return [1.0]


worker.model("f", inputs={"x": "FP32[]"}, outputs={"y": "FP32[1]"})(f)
worker.model("s", inputs={"x": "FP32[]"}, outputs={"y": "FP32[1]"})(m)
worker.load = lambda path: None
send = Worker.send


def header(text):
    return struct.pack("<II", len(text), 0) + text + bytes(worker.pad(8 + len(text)))


RESULTS = {
    "nothing": [],
    "no JSON": [header(b"{")],
    "no outputs": [header(b"{}")],
    "long header": [struct.pack("<II", 0xFFFFFFFF, 0)],
    "enormous": [header(b'{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":9223372036854775800}}]}')],
    "shape": [header(b'{"outputs":[{"name":"y","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}]}'), bytes(64)],
    "datatype": [header(b'{"outputs":[{"name":"y","datatype":"/secret","shape":[1],"parameters":{"binary_data_size":4}}]}'), bytes(64)],
    "deep": [header(b"[" * 500000)],
}


def bad_send(self, kind, pieces):
    if kind in (worker.REPLY, worker.PART) and how != "wrong echo":
        id = bytes(pieces[0][:8])
        if self.served > 0:  # the trial is answered as it should be
            if kind == worker.REPLY and how in RESULTS:
                pieces = [struct.pack("<8sII", id, 0, 0)] + RESULTS[how]
            elif kind == worker.PART and how in RESULTS:
                pieces = [id] + RESULTS[how]
            elif how == "twice":
                send(self, kind, pieces)
                kind = worker.REPLY
                pieces = [struct.pack("<8sII", id, 7, 0)]
            elif how == "other id":
                pieces = [struct.pack("<Q", 1 << 60), struct.pack("<II", 7, 0)]
            elif how == "code":
                kind, pieces = worker.REPLY, [struct.pack("<8sII", id, 8, 0)]
            elif how == "part of a call" and kind == worker.REPLY:
                send(self, worker.PART, [id])
            elif how == "frame":
                kind, pieces = 77, [b"?"]
            elif how == "length":
                os.write(self.sink, struct.pack("<IB", 0x7FFFFFFF, worker.REPLY))
                return
            elif how == "garbage":
                os.write(self.sink, struct.pack("<IB", 3, worker.REPLY) + b"what")
                return
            elif how == "text" and kind == worker.REPLY:
                pieces = [struct.pack("<8sII", id, 7, 0), b"/secret\xff" * 1000]
            elif how == "silence":
                return
        if kind == worker.REPLY:
            self.served += 1
    elif kind == worker.REPLY:
        pieces[-2] = bytes(len(pieces[-2]))
    elif kind == worker.READY:
        if how == "info":
            pieces[-1] = b'{"Models":[{"name":"f"},{"name":"f"}]}'
        elif how == "no info":
            pieces[-1] = b"\0"
        elif how == "many models":
            pieces[-1] = b'{"Models":[' + b",".join(b'{"name":"%d"}' % i for i in range(5000)) + b"]}"
    send(self, kind, pieces)


Worker.send, Worker.served = bad_send, 0
if how == "old host":  # that is, one that says another version than it is
    read = Worker.read
    Worker.read = lambda self, n: struct.pack("<IIQ", 3, 1, 0) if n == 16 else read(self, n)
sys.argv[1] = "/nowhere"
worker.main()
