# The same work as devicecheck's, in PyTorch and CuPy. Prints a line of JSON for each measurement: name, seconds or why there are none.
import json, sys, time

quick = sys.argv[1] == "quick"


def say(name, seconds=None, p99=None, why=None, what=None):
    print(json.dumps({"name": name, "seconds": seconds, "p99": p99, "why": why, "what": what}), flush=True)


def times(f, n):
    all = []
    for _ in range(n):
        start = time.perf_counter()
        f()
        all.append(time.perf_counter() - start)
    all.sort()
    return all[n // 2], all[n * 99 // 100]


names = ["P1", "P2", "P3", "P5", "P7", "P8"]
try:
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("PyTorch sees no device")
    what = "PyTorch " + torch.__version__
    torch.backends.cuda.matmul.allow_tf32 = False
    host = torch.arange(16384, dtype=torch.float32) / 16384

    def p1():
        x = host.cuda()
        for _ in range(4):
            x = x * 1.5 + 0.25
        return x.cpu()

    def wait(f):
        f()
        torch.cuda.synchronize()

    big = torch.rand(1 << (16 if quick else 26), device="cuda")

    def p2():
        x = big
        for _ in range(5):
            x = x * 1.0001 + 0.5
        return x.sum().cpu()

    n = 64 if quick else 8192
    a = torch.rand(n, n, device="cuda").bfloat16()
    b = torch.rand(n, n, device="cuda").bfloat16()
    rows, width = (2000, 64) if quick else (1000000, 768)
    db = torch.rand(rows, width, device="cuda").half()
    q = torch.rand(width, device="cuda").half()
    pinned = torch.empty((64 if not quick else 1) << 20, dtype=torch.uint8).pin_memory()
    device = torch.empty_like(pinned, device="cuda")
    vectors = torch.rand(64, 512)
    matrix = torch.rand(512, 512, device="cuda")
    work = {
        "P1": p1,
        "P2": p2,
        "P3": lambda: (a @ b).sum().cpu(),
        "P5": lambda: wait(lambda: device.copy_(pinned, non_blocking=True)),
        "P7": lambda: (vectors.cuda() @ matrix).cpu(),
        "P8": lambda: [t.cpu() for t in torch.topk(db @ q, 10)],
    }
    for name in names:
        for _ in range(3):
            work[name]()
        say(name, *times(work[name], 300 if name == "P1" else 15), what=what)
except Exception as e:
    for name in names:
        say(name, why=str(e))

try:
    import cupy

    @cupy.fuse()
    def chain(x, y):
        return cupy.sqrt(cupy.exp(x) + y * y) * 0.7310585 - x

    x = cupy.arange(1000, dtype=cupy.float32)
    y = cupy.ones(1000, dtype=cupy.float32)
    cupy.cuda.Device().synchronize()
    start = time.perf_counter()
    chain(x, y).get()
    say("P9", time.perf_counter() - start, what="CuPy " + cupy.__version__)
except Exception as e:
    say("P9", why=str(e))
