import asyncio


async def fail(kind):
    await asyncio.sleep(0)
    raise kind("no")


async def render(props):
    seen = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError))
            group.create_task(fail(KeyError))
    except* ValueError as group:
        seen.append([repr(e) for e in group.exceptions])
    except* KeyError as group:
        seen.append([repr(e) for e in group.exceptions])
    seen.append([repr(r) for r in await asyncio.gather(fail(OSError), return_exceptions=True)])
    task = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        seen.append("cancelled")
    return seen
