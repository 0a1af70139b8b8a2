"""Arrays that are computed on the host's device, which may be a GPU: see README.md.

What is called here makes nodes of a graph, with types and shapes that are known at once.
Data are asked for at the end: then the graph becomes one program (../FORMAT.md) and one
call of the host.
"""

import array as _array
import difflib
import math
import operator
import struct
import sys
from itertools import chain

from spore import HostError, call as _host_call, call_sync as _host_call_sync

# Functions of this module hide these names.
_all, _bool, _max, _slice = all, bool, max, slice

# region generated
# By number: names, bytes of an element, and kinds: 1 bool, 2 integer, 4 float.
_DTYPES = ["", "bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
_SIZES = [0, 1, 1, 4, 8, 2, 2, 4, 8]
_KINDS = [0, 1, 2, 2, 2, 4, 4, 4, 4]
# Attributes: kind, name, smallest and largest value.
_ATTRS = [
    ("shape", "shape", 0, 2147483647),
    ("scalar", "value", 0, 0),
    ("int", "n", 0, 2147483647),
    ("scalar", "start", 0, 0),
    ("scalar", "step", 0, 0),
    ("scalar", "stop", 0, 0),
    ("bool", "endpoint", 0, 1),
    ("int", "rows", 0, 2147483647),
    ("int", "cols", 0, 2147483647),
    ("int", "k", -2147483647, 2147483647),
    ("seed", "seed", 0, 0),
    ("ints", "axes", 0, 31),
    ("bool", "keepdims", 0, 1),
    ("float", "correction", 0, 0),
    ("int", "axis", 0, 31),
    ("ints", "start", 0, 2147483647),
    ("ints", "step", -2147483647, 2147483647),
    ("shape", "count", 0, 2147483647),
    ("bool", "tf32", 0, 1),
    ("float", "eps", 0, 0),
    ("int", "k", 0, 2147483647),
    ("bool", "largest", 0, 1),
    ("bool", "descending", 0, 1),
]
# Operations: name, number, inputs, results, rule of types with its kinds and its number, rule of shapes, attributes.
_TABLE = [
    ("asarray", 1, 0, 1, "declared", 7, 0, "given", (0,)),
    ("constant", 2, 0, 1, "declared", 7, 0, "given", (0,)),
    ("zeros", 3, 0, 1, "declared", 7, 0, "given", (0,)),
    ("ones", 4, 0, 1, "declared", 7, 0, "given", (0,)),
    ("full", 5, 0, 1, "declared", 7, 0, "given", (0, 1,)),
    ("arange", 6, 0, 1, "declared", 6, 0, "counted", (2, 3, 4,)),
    ("linspace", 7, 0, 1, "declared", 4, 0, "counted", (2, 3, 5, 6,)),
    ("eye", 8, 0, 1, "declared", 7, 0, "matrix", (7, 8, 9,)),
    ("random_uniform", 9, 0, 1, "declared", 4, 0, "given", (0, 10,)),
    ("random_normal", 10, 0, 1, "declared", 4, 0, "given", (0, 10,)),
    ("abs", 11, 1, 1, "same", 6, 0, "unchanged", ()),
    ("negative", 12, 1, 1, "same", 6, 0, "unchanged", ()),
    ("sign", 13, 1, 1, "same", 6, 0, "unchanged", ()),
    ("sqrt", 14, 1, 1, "same", 4, 0, "unchanged", ()),
    ("rsqrt", 15, 1, 1, "same", 4, 0, "unchanged", ()),
    ("exp", 16, 1, 1, "same", 4, 0, "unchanged", ()),
    ("log", 17, 1, 1, "same", 4, 0, "unchanged", ()),
    ("log1p", 18, 1, 1, "same", 4, 0, "unchanged", ()),
    ("expm1", 19, 1, 1, "same", 4, 0, "unchanged", ()),
    ("sin", 20, 1, 1, "same", 4, 0, "unchanged", ()),
    ("cos", 21, 1, 1, "same", 4, 0, "unchanged", ()),
    ("tanh", 22, 1, 1, "same", 4, 0, "unchanged", ()),
    ("sigmoid", 23, 1, 1, "same", 4, 0, "unchanged", ()),
    ("erf", 24, 1, 1, "same", 4, 0, "unchanged", ()),
    ("floor", 25, 1, 1, "same", 6, 0, "unchanged", ()),
    ("ceil", 26, 1, 1, "same", 6, 0, "unchanged", ()),
    ("round", 27, 1, 1, "same", 6, 0, "unchanged", ()),
    ("isnan", 28, 1, 1, "fixed", 6, 1, "unchanged", ()),
    ("logical_not", 29, 1, 1, "same", 1, 0, "unchanged", ()),
    ("astype", 30, 1, 1, "converted", 7, 0, "unchanged", ()),
    ("add", 31, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("subtract", 32, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("multiply", 33, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("divide", 34, 2, 1, "promoted", 4, 0, "stretched", ()),
    ("floor_divide", 35, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("remainder", 36, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("pow", 37, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("minimum", 38, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("maximum", 39, 2, 1, "promoted", 6, 0, "stretched", ()),
    ("equal", 40, 2, 1, "fixed", 7, 1, "stretched", ()),
    ("not_equal", 41, 2, 1, "fixed", 7, 1, "stretched", ()),
    ("less", 42, 2, 1, "fixed", 6, 1, "stretched", ()),
    ("less_equal", 43, 2, 1, "fixed", 6, 1, "stretched", ()),
    ("greater", 44, 2, 1, "fixed", 6, 1, "stretched", ()),
    ("greater_equal", 45, 2, 1, "fixed", 6, 1, "stretched", ()),
    ("bitwise_and", 46, 2, 1, "promoted", 3, 0, "stretched", ()),
    ("bitwise_or", 47, 2, 1, "promoted", 3, 0, "stretched", ()),
    ("where", 48, 3, 1, "promoted", 7, 1, "stretched", ()),
    ("clip", 49, 3, 1, "promoted", 6, 0, "stretched", ()),
    ("sum", 50, 1, 1, "summed", 7, 0, "reduced", (11, 12,)),
    ("mean", 51, 1, 1, "same", 4, 0, "reduced", (11, 12,)),
    ("var", 52, 1, 1, "same", 4, 0, "reduced", (11, 12, 13,)),
    ("min", 53, 1, 1, "same", 6, 0, "reduced-nonempty", (11, 12,)),
    ("max", 54, 1, 1, "same", 6, 0, "reduced-nonempty", (11, 12,)),
    ("argmin", 55, 1, 1, "fixed", 6, 4, "reduced-one", (14, 12,)),
    ("argmax", 56, 1, 1, "fixed", 6, 4, "reduced-one", (14, 12,)),
    ("any", 57, 1, 1, "fixed", 7, 1, "reduced", (11, 12,)),
    ("all", 58, 1, 1, "fixed", 7, 1, "reduced", (11, 12,)),
    ("cumulative_sum", 59, 1, 1, "summed", 7, 0, "axis", (14,)),
    ("reshape", 60, 1, 1, "same", 7, 0, "reshaped", (0,)),
    ("permute_dims", 61, 1, 1, "same", 7, 0, "permuted", (11,)),
    ("expand_dims", 62, 1, 1, "same", 7, 0, "expanded", (14,)),
    ("squeeze", 63, 1, 1, "same", 7, 0, "squeezed", (11,)),
    ("broadcast_to", 64, 1, 1, "same", 7, 0, "broadcast", (0,)),
    ("concat", 65, -1, 1, "promoted", 7, 0, "joined", (14,)),
    ("slice", 66, 1, 1, "same", 7, 0, "sliced", (15, 16, 17,)),
    ("take", 67, 2, 1, "indexed", 7, 0, "taken", (14,)),
    ("matmul", 68, 2, 1, "promoted", 6, 0, "multiplied", (18,)),
    ("softmax", 69, 1, 1, "same", 4, 0, "axis", (14,)),
    ("layer_norm", 70, 1, 1, "same", 4, 0, "axis", (14, 19,)),
    ("topk", 71, 1, 2, "same", 6, 0, "selected", (14, 20, 21,)),
    ("sort", 72, 1, 2, "same", 6, 0, "axis", (14, 22,)),
]
# Functions that are no methods.
_CREATORS = ["asarray", "constant", "zeros", "ones", "full", "arange", "linspace", "eye", "random_uniform", "random_normal", "concat"]
# What there is for names of other libraries.
_NEAREST = {"absolute": "abs", "amax": "max", "amin": "min", "and": "bitwise_and", "array": "asarray", "average": "mean", "batch_norm": "layer_norm", "bmm": "matmul", "cast": "astype", "cat": "concat", "clamp": "clip", "concatenate": "concat", "conv2d": "matmul", "cumprod": "cumulative_sum", "cumsum": "cumulative_sum", "div": "divide", "dot": "matmul", "einsum": "matmul", "empty": "zeros", "eq": "equal", "exp2": "exp", "expand": "broadcast_to", "flatten": "reshape", "flip": "slice", "fmod": "remainder", "from_numpy": "asarray", "frombuffer": "asarray", "full_like": "full", "gather": "take", "ge": "greater_equal", "gelu": "erf", "gt": "greater", "histogram": "sum", "hstack": "concat", "identity": "eye", "index_select": "take", "inner": "matmul", "invert": "logical_not", "isfinite": "isnan", "isinf": "isnan", "le": "less_equal", "log10": "log", "log2": "log", "log_softmax": "softmax", "logical_and": "bitwise_and", "logical_or": "bitwise_or", "logistic": "sigmoid", "lt": "less", "masked_fill": "where", "median": "sort", "mm": "matmul", "mod": "remainder", "moveaxis": "permute_dims", "mul": "multiply", "narrow": "slice", "ne": "not_equal", "neg": "negative", "nonzero": "where", "norm": "sum", "not": "logical_not", "numpy": "asarray", "ones_like": "ones", "or": "bitwise_or", "permute": "permute_dims", "power": "pow", "prod": "sum", "rand": "random_uniform", "randn": "random_normal", "random": "random_uniform", "ravel": "reshape", "reciprocal": "divide", "relu": "maximum", "repeat": "broadcast_to", "select": "where", "silu": "sigmoid", "square": "multiply", "stack": "concat", "std": "var", "sub": "subtract", "swapaxes": "permute_dims", "tan": "sin", "tensor": "asarray", "tensordot": "matmul", "tile": "broadcast_to", "to": "astype", "transpose": "permute_dims", "true_divide": "divide", "trunc": "astype", "type": "astype", "unsqueeze": "expand_dims", "view": "reshape", "vstack": "concat", "zeros_like": "zeros"}
# endregion generated
