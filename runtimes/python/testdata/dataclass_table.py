from dataclasses import asdict, dataclass, field
from html import escape


@dataclass(order=True, frozen=True)
class Item:
    price: float
    name: str = field(compare=False)
    tags: tuple = ()

    @property
    def label(self):
        return f"{self.name} ({', '.join(self.tags) or 'none'})"


def render(props):
    items = sorted(Item(**{**row, "tags": tuple(row.get("tags", ()))}) for row in props["items"])
    rows = "".join(f"<tr><td>{escape(i.label)}</td><td>{i.price:>8.2f}</td></tr>" for i in items)
    return f"<table>{rows}</table><!-- {asdict(items[0])} -->"
