"""A to-do list. Its state is a list of this module: the host saves it, whatever it is."""

from dataclasses import dataclass
from html import escape
from itertools import count

MOST, LONGEST = 100, 200  # items, and characters of one


@dataclass
class Item:
    number: int
    text: str
    done: bool = False


items = []
numbers = count(1)


def event(e):
    """What a button of the page does."""
    text = e.get("text", "").strip()[:LONGEST]
    number = int(e.get("number", 0))
    match e["action"]:
        case "add" if text and len(items) < MOST:
            items.append(Item(next(numbers), text))
        case "toggle":
            for i in items:
                i.done ^= i.number == number
        case "clear":
            items[:] = [i for i in items if not i.done]


def row(i):
    state = "done" if i.done else "open"
    return (
        f'<li class="{state}"><form method="post"><input type="hidden" name="number" value="{i.number}">'
        f'<button name="action" value="toggle" aria-pressed="{str(i.done).lower()}">{escape(i.text)}</button></form></li>\n'
    )


def render():
    left = sum(not i.done for i in items)
    clear = '<form method="post"><button class="quiet" name="action" value="clear">Clear done</button></form>'
    return (
        '<section class="todo">\n<form method="post" class="add">'
        f'<input name="text" maxlength="{LONGEST}" required autofocus autocomplete="off" placeholder="What is to be done?" aria-label="What is to be done?">'
        '<button name="action" value="add">Add</button></form>\n'
        f"<ul>\n{''.join(map(row, items))}</ul>\n"
        f'<div class="left"><span>{left} of {len(items)} left</span>{clear if left < len(items) else ""}</div>\n</section>'
    )
