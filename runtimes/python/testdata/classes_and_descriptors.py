class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, obj, cls):
        return self if obj is None else getattr(obj, self.name)

    def __set__(self, obj, value):
        if value <= 0:
            raise ValueError(f"{self.name[1:]} must be positive")
        setattr(obj, self.name, value)


class Meta(type):
    def __new__(mcls, name, bases, ns, **kw):
        cls = super().__new__(mcls, name, bases, ns)
        cls.tag = kw.get("tag", name.lower())
        return cls


class Box(metaclass=Meta, tag="box"):
    __slots__ = ("_width",)
    width = Positive()

    def __init__(self, w):
        self.width = w

    def __add__(self, other):
        return Box(self.width + other.width)

    def __format__(self, spec):
        return format(self.width, spec)


def render(props):
    try:
        Box(-1)
    except ValueError as e:
        message = str(e)
    return f"{Box.tag} {Box(1) + Box(2):>5} {message} {Box.__mro__[1].__name__}"
