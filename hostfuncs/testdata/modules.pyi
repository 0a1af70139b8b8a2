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

async def call(name: Literal["weather.today"], arg: WeatherTodayArgument, /) -> WeatherTodayResult:
    """The weather in a city.
    Today, or for some days."""
def call_sync(name: Literal["weather.today"], arg: WeatherTodayArgument, /) -> WeatherTodayResult:
    """The weather in a city.
    Today, or for some days."""

# chart.pyi
def line(values: list[float]) -> str:
    """A line as SVG."""
