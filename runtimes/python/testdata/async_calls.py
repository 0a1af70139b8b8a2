import asyncio


async def worker(name, queue, out):
    while (item := await queue.get()) is not None:
        await asyncio.sleep(0)
        out.append(f"{name}{item}")


async def numbers(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def render(props):
    queue, out = asyncio.Queue(), []
    async with asyncio.TaskGroup() as group:
        group.create_task(worker("a", queue, out))
        group.create_task(worker("b", queue, out))
        for i in range(props["n"]):
            await queue.put(i)
        await queue.put(None)
        await queue.put(None)
    squares = await asyncio.gather(*(square(i) for i in range(4)))
    lock, event = asyncio.Lock(), asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    async with lock:
        await event.wait()
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.001)
    except TimeoutError:
        late = True
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(60)
    except TimeoutError:
        later = True
    return {"work": sorted(out), "squares": squares, "late": [late, later],
            "numbers": [i async for i in numbers(3)]}


async def square(i):
    await asyncio.sleep(0.001 * (4 - i))
    return i * i
