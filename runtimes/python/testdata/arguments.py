import argparse
import shlex


def render(props):
    parser = argparse.ArgumentParser(prog="tool", exit_on_error=False)
    parser.add_argument("name")
    parser.add_argument("-n", "--number", type=int, default=1)
    args = parser.parse_args(shlex.split(props["line"]))
    return f"{args.name!r} x {args.number}\n{parser.format_usage()}"
