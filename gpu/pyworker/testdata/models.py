"""Models of the tests: each does by its parameters what it is told to."""

import array
import os
import signal
import sys
import time

import spore_gpu
from spore_gpu import Canceled, Invalid, Tensor, model

print("a library that prints to standard output while it is loaded")

spore_gpu.device("test device", memory_bytes=1 << 30)


@model("double", inputs={"x": "FP32[?,?]"}, outputs={"y": "FP32[?,?]"}, batch=True, max_batch=8, max_delay_ms=20, max_rows=100)
def double(call, x):
    """Twice as much.

    And no more.
    """
    if "sleep" in call.parameters:
        call.wait(call.parameters["sleep"])
    if 666.0 in x.elements():
        raise ValueError("/secret/path: a row that it does not like")
    call.result_parameters = {"rows": x.shape[0]}
    return Tensor("FP32", x.shape, array.array("f", (2 * v for v in x.elements())))


@model("upper", inputs={"text": "BYTES[?]"}, outputs={"text": "BYTES[?]", "length": "INT64[?]"}, batch=True)
def upper(call, text):
    words = [t.decode().upper() for t in text.tolist()]
    return {"text": words, "length": [len(w) for w in words]}


@model("misbehave", inputs={}, outputs={"pid": "INT64[]"}, parallel=4)
def misbehave(call):
    how = call.parameters.get("how")
    print("misbehave:", how)
    if how == "invalid":
        raise Invalid("/secret: this is not what it wants")
    if how == "memory":
        raise MemoryError("/secret: so many bytes")
    if how == "raise":
        raise RuntimeError("/secret: a bug")
    if how == "exit":
        sys.exit("for no reason")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(3600)  # it takes a moment
    if how == "poison":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    if how == "wait":
        call.wait(3600)
    if how == "hang":
        while True:
            time.sleep(0.01)
    if how == "shape":
        return [1, 2, 3]
    if how == "nan":
        call.result_parameters = {"x": float("nan")}
    return os.getpid()


@model("kinds", inputs={"x": "FP16[3]"}, outputs={"f16": "FP16[3]", "bf16": "BF16[?]", "none": "FP32[0,4]", "bytes": "BYTES[2,1]", "b": "BOOL[2]", "torch": "BF16[2,2]"})
def kinds(call, x):
    return {"f16": x, "bf16": [1.0, 1.00390625, 3.0e38, float("nan")], "none": [], "bytes": [[b"\xff"], ["é"]], "b": [True, False], "torch": FakeTorch()}


class FakeTorch:
    """As much of a torch.Tensor as the worker looks at."""

    shape, dtype = (2, 2), "torch.bfloat16"

    def __init__(self):
        self.memory = array.array("H", [0x3F80, 0x4000, 0x4040, 0x4080])

    def detach(self):
        return self

    cpu = contiguous = detach

    def numel(self):
        return 4

    def element_size(self):
        return 2

    def data_ptr(self):
        return self.memory.buffer_info()[0]


@model("count", inputs={"n": "INT64[]"}, outputs={"i": "INT64[]"})
def count(call, n):
    """Counts."""
    try:
        for i in range(n.tolist()):
            if i == call.parameters.get("fail"):
                raise ValueError("/secret: it cannot go on")
            if i == call.parameters.get("die"):
                os._exit(3)
            yield i
    finally:
        if "note" in call.parameters:
            with open(call.parameters["note"], "w") as f:
                f.write("ended")


def launch(call, x):
    """What a device does: it takes as long for many rows as for one."""
    time.sleep(0.005)
    return x


model("alone", inputs={"x": "FP32[?,4]"}, outputs={"y": "FP32[?,4]"}, batch=True, max_batch=1)(launch)
model("together", inputs={"x": "FP32[?,4]"}, outputs={"y": "FP32[?,4]"}, batch=True, max_batch=64)(launch)


@model("echo", inputs={"x": "UINT8[?]"}, outputs={"x": "UINT8[?]"})
def echo(call, x):
    return x
