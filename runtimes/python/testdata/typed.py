from typing import Annotated, Generic, Literal, NamedTuple, Optional, Protocol, TypedDict, TypeVar, get_args, get_origin, get_type_hints, runtime_checkable


class Movie(TypedDict, total=False):
    title: str
    year: Annotated[int, "year"]


class Pt(NamedTuple):
    x: int
    y: int = 0


@runtime_checkable
class Named(Protocol):
    name: str


class Stack[T]:
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> None:
        self.items.append(item)


type Pair[A] = tuple[A, A]


def f(a: int, b: Optional[str] = None) -> list["Pt"]: ...


def render(props):
    s = Stack[int]()
    s.push(1)
    return [str(get_type_hints(f)), get_args(Literal["a", "b"]), get_origin(dict[str, int]).__name__, Pt(1), isinstance(type("N", (), {"name": 1})(), Named),
            str(Movie.__annotations__), s.items, str(Pair.__value__), str(get_type_hints(Movie, include_extras=True)["year"]), str(int | None)]
