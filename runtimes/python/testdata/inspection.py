import ast
import dis
import inspect


def sample(a, b: int = 2, *args, c="x", **kw) -> str:
    """A sample."""
    return f"{a}{b}"


def render(props):
    sig = inspect.signature(sample)
    bound = sig.bind(1, c="y", z=3)
    bound.apply_defaults()
    tree = ast.parse("x = [i ** 2 for i in range(3)]")
    names = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
    return [str(sig), dict(bound.arguments), inspect.getdoc(sample), inspect.isfunction(sample), names, ast.unparse(tree),
            eval(compile(ast.Expression(ast.parse("1 + 2 * 3", mode="eval").body), "e", "eval")),
            inspect.getsource(sample).splitlines()[0], len(list(dis.get_instructions("a + b"))) > 3]
