import pprint
import reprlib
import textwrap


def render(props):
    return pprint.pformat(props, width=40) + "\n" + reprlib.repr(list(range(100))) + "\n" + \
        textwrap.fill(props["text"], 30, initial_indent="* ", subsequent_indent="  ") + "\n" + \
        textwrap.shorten(props["text"], 25) + "\n" + textwrap.indent(textwrap.dedent("  a\n    b\n"), "> ")
