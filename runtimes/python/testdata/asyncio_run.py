import asyncio


async def main(n):
    results = await asyncio.gather(*(asyncio.sleep(0.001 * i, i) for i in range(n)))
    return await asyncio.to_thread(sum, results)


def render(props):
    return asyncio.run(main(props["n"]))
