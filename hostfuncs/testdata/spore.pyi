from typing import Any, Literal, NotRequired, TypedDict, overload

class HostError(Exception):
    code: str
    message: str
    call: int

async def emit(value: Any, /) -> None:
    """Gives one part of a streamed result, and waits until more is wanted."""
def emit_sync(value: Any, /) -> None: ...
def display(*objects: Any, raw: bool = False) -> None:
    """Shows values in a cell, in the richest forms they have."""

ImageScaleArgument = TypedDict("ImageScaleArgument", {
    "image": bytes,  # PNG or JPEG
    "mask": NotRequired[None | bytes],
    "layers": NotRequired[dict[str, bytes]],
    "extra": NotRequired[Any],
    "raw": NotRequired[Any],
})

KvDeleteArgument = TypedDict("KvDeleteArgument", {
    "key": str,
})

QueryNextArgument = TypedDict("QueryNextArgument", {
    "query": int,
})

WeatherTodayArgumentNear = TypedDict("WeatherTodayArgumentNear", {
    "lat": float,
    "lon": float,
})

WeatherTodayArgument = TypedDict("WeatherTodayArgument", {
    "city": str,  # where, as people write it
    "days": NotRequired[int],
    "tags": NotRequired[None | list[str]],
    "near": NotRequired[None | WeatherTodayArgumentNear],
    "opt-s": NotRequired[dict[str, str]],
})

WeatherTodayResult = TypedDict("WeatherTodayResult", {
    "high": None | list[float],
    "rain": bool,
})

@overload
async def call(name: Literal["blob.copy"], arg: Any = ..., /) -> Any:
    """Any value."""
@overload
async def call(name: Literal["image.scale"], arg: ImageScaleArgument, /) -> None | list[bytes]:
    """An image of another size."""
@overload
async def call(name: Literal["kv.delete"], arg: KvDeleteArgument, /) -> dict[str, Any]:
    """Ends */ a comment and a \"\"\" docstring."""
@overload
async def call(name: Literal["kv.keys"], /) -> None | list[dict[str, None | int]]: ...
@overload
async def call(name: Literal["query.next"], arg: QueryNextArgument, /) -> Any:
    """Rows."""
@overload
async def call(name: Literal["weather.today"], arg: WeatherTodayArgument, /) -> WeatherTodayResult:
    """The weather in a city.
    Today, or for some days."""
@overload
def call_sync(name: Literal["blob.copy"], arg: Any = ..., /) -> Any:
    """Any value."""
@overload
def call_sync(name: Literal["image.scale"], arg: ImageScaleArgument, /) -> None | list[bytes]:
    """An image of another size."""
@overload
def call_sync(name: Literal["kv.delete"], arg: KvDeleteArgument, /) -> dict[str, Any]:
    """Ends */ a comment and a \"\"\" docstring."""
@overload
def call_sync(name: Literal["kv.keys"], /) -> None | list[dict[str, None | int]]: ...
@overload
def call_sync(name: Literal["query.next"], arg: QueryNextArgument, /) -> Any:
    """Rows."""
@overload
def call_sync(name: Literal["weather.today"], arg: WeatherTodayArgument, /) -> WeatherTodayResult:
    """The weather in a city.
    Today, or for some days."""
