import copy
import pickle
from dataclasses import dataclass, field


@dataclass
class Node:
    name: str
    children: list = field(default_factory=list)


def render(props):
    root = Node("root")
    root.children = [Node("a"), root]
    deep = copy.deepcopy(root)
    again = pickle.loads(pickle.dumps(root, protocol=5))
    return [deep.children[1] is deep, again.children[1] is again, again.children[0],
            copy.copy(root).children is root.children, copy.replace(Node("x"), name="y").name]
