from array import array
import builtins
from types import EllipsisType
from typing import Any, Final, Iterator, Literal, Self, Sequence, overload

# Functions and types of this module hide these.
type Bool = builtins.bool
type Slice = builtins.slice
type DType = Literal["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
type Scalar = int | float | Bool
type Shape = int | Sequence[int]
type Nested = Scalar | Sequence[Nested]
# ints are int64, floats float32 and bools bool unless a dtype is given. bytes, bytearray and memoryview have the bytes of the dtype, or of uint8.
# An array of the module array has its own type, and is converted to the dtype.
type Data = Array | bytes | bytearray | memoryview | array[Any] | Nested
# An array, or what becomes one. Plain numbers and lists take the type of the arrays beside them.
type Arg = Data
type Index = int | Slice | None | EllipsisType | tuple[int | Slice | None | EllipsisType, ...]

class Array:
    """An array that is computed when its data are asked for. It never changes. Operators work on it: + - * / // % ** @ & | ~ abs and comparisons.
    / is of floats only, and kinds (bool, integers, floats) do not mix: say astype."""
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> DType: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def T(self) -> Array: ...
    @property
    def mT(self) -> Array:
        """With the last two dimensions transposed."""
    def tobytes(self) -> bytes:
        """The elements in row-major order, little-endian. As the others below, it evaluates the array first if it has to; nothing else runs until then."""
    def tolist(self) -> Any:
        """All elements in nested lists."""
    def item(self) -> Any:
        """The only element."""
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __bool__(self) -> Bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]:
        """Numbers if there is one dimension, and rows otherwise."""
    def __getitem__(self, index: Index, /) -> Array:
        """A part. Numbers remove their axis, None makes a new one."""
    def evaluate(self) -> Self: ...
    async def evaluate_async(self) -> Self: ...
    def abs(self, /) -> Array: ...
    def negative(self, /) -> Array: ...
    def sign(self, /) -> Array: ...
    def sqrt(self, /) -> Array: ...
    def rsqrt(self, /) -> Array: ...
    def exp(self, /) -> Array: ...
    def log(self, /) -> Array: ...
    def log1p(self, /) -> Array: ...
    def expm1(self, /) -> Array: ...
    def sin(self, /) -> Array: ...
    def cos(self, /) -> Array: ...
    def tanh(self, /) -> Array: ...
    def sigmoid(self, /) -> Array: ...
    def erf(self, /) -> Array: ...
    def floor(self, /) -> Array: ...
    def ceil(self, /) -> Array: ...
    def round(self, /) -> Array: ...
    def isnan(self, /) -> Array: ...
    def logical_not(self, /) -> Array: ...
    def astype(self, /, dtype: DType) -> Array: ...
    def add(self, x2: Arg, /) -> Array: ...
    def subtract(self, x2: Arg, /) -> Array: ...
    def multiply(self, x2: Arg, /) -> Array: ...
    def divide(self, x2: Arg, /) -> Array: ...
    def floor_divide(self, x2: Arg, /) -> Array: ...
    def remainder(self, x2: Arg, /) -> Array: ...
    def pow(self, x2: Arg, /) -> Array: ...
    def minimum(self, x2: Arg, /) -> Array: ...
    def maximum(self, x2: Arg, /) -> Array: ...
    def equal(self, x2: Arg, /) -> Array: ...
    def not_equal(self, x2: Arg, /) -> Array: ...
    def less(self, x2: Arg, /) -> Array: ...
    def less_equal(self, x2: Arg, /) -> Array: ...
    def greater(self, x2: Arg, /) -> Array: ...
    def greater_equal(self, x2: Arg, /) -> Array: ...
    def bitwise_and(self, x2: Arg, /) -> Array: ...
    def bitwise_or(self, x2: Arg, /) -> Array: ...
    def where(self, x1: Arg, x2: Arg, /) -> Array: ...
    def clip(self, /, min: Arg | None = None, max: Arg | None = None) -> Array: ...
    def sum(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array: ...
    def mean(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array: ...
    def var(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False, correction: float = 0) -> Array: ...
    def min(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array: ...
    def max(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array: ...
    def argmin(self, /, *, axis: int | None = None, keepdims: Bool = False) -> Array: ...
    def argmax(self, /, *, axis: int | None = None, keepdims: Bool = False) -> Array: ...
    def any(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array: ...
    def all(self, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array: ...
    def cumulative_sum(self, /, *, axis: int | None = None) -> Array: ...
    def reshape(self, /, shape: Shape) -> Array: ...
    def permute_dims(self, /, axes: int | tuple[int, ...]) -> Array: ...
    def expand_dims(self, /, *, axis: int = 0) -> Array: ...
    def squeeze(self, /, axis: int | tuple[int, ...]) -> Array: ...
    def broadcast_to(self, /, shape: Shape) -> Array: ...
    def slice(self, /, index: Index) -> Array: ...
    def take(self, indices: Arg, /, *, axis: int | None = None) -> Array: ...
    def matmul(self, x2: Arg, /, *, tf32: Bool = False) -> Array: ...
    def softmax(self, /, *, axis: int = -1) -> Array: ...
    def layer_norm(self, /, *, axis: int = -1, eps: float = 1e-5) -> Array: ...
    def topk(self, /, k: int, *, axis: int = -1, largest: Bool = True) -> tuple[Array, Array]: ...
    def sort(self, /, *, axis: int = -1, descending: Bool = False) -> Array: ...
    def argsort(self, /, *, axis: int = -1, descending: Bool = False) -> Array: ...

def asarray(data: Data, /, *, dtype: DType | None = None, shape: Shape | None = None) -> Array:
    """an array of data that the component has; one length of shape may be -1"""
@overload
def constant(data: Data, /, *, dtype: DType | None = None, shape: Shape | None = None) -> Array:
    """an array of data that stay on the device: sent at the first use only, and named by their contents, so that it survives snapshots and clones share it"""
@overload
def constant(*, digest: str, dtype: DType, shape: Shape) -> Array:
    """One that the embedder shares, or that was made elsewhere."""
def zeros(shape: Shape, /, *, dtype: DType = "float32") -> Array:
    """all 0"""
def ones(shape: Shape, /, *, dtype: DType = "float32") -> Array:
    """all 1"""
def full(shape: Shape, /, fill_value: Scalar, *, dtype: DType | None = None) -> Array:
    """all of one value, rounded to the dtype; of the type that asarray gives the value"""
def arange(start: Scalar, /, stop: Scalar | None = None, step: Scalar = 1, *, dtype: DType | None = None) -> Array:
    """start + i·step, of floats computed in float64, of integers modulo their range; up to start and from 0 if there is no stop; of the type that asarray gives the numbers"""
def linspace(start: float, /, stop: float, num: int, *, dtype: DType = "float32", endpoint: Bool = True) -> Array:
    """n values at even distances: start + i·((stop - start)/(n-1)), or /n without endpoint, computed in float64; the last is stop with endpoint"""
def eye(n_rows: int, /, n_cols: int | None = None, *, k: int = 0, dtype: DType = "float32") -> Array:
    """1 where column - row = k, 0 elsewhere; square if n_cols is not given"""
def random_uniform(shape: Shape, /, *, dtype: DType = "float32", seed: int = 0) -> Array:
    """from [0, 1), multiples of 2^-p for a mantissa of p bits: the highest p bits of Philox4x32-10 of the counter i/4 (of two words for float64: i/2), so equal on every backend; the same for the same seed"""
def random_normal(shape: Shape, /, *, dtype: DType = "float32", seed: int = 0) -> Array:
    """of mean 0 and variance 1: sqrt(-2·log(1-u))·cos(2π·v) and …·sin(2π·v) of pairs u, v of uniform float64 values; the same for the same seed"""
def abs(x: Arg, /) -> Array:
    """absolute value; the smallest integer stays as it is"""
def negative(x: Arg, /) -> Array:
    """-x, of integers modulo their range"""
def sign(x: Arg, /) -> Array:
    """-1, 0 or 1; 0 of -0; NaN of NaN"""
def sqrt(x: Arg, /) -> Array:
    """square root, NaN of negative numbers"""
def rsqrt(x: Arg, /) -> Array:
    """1/sqrt(x)"""
def exp(x: Arg, /) -> Array:
    """e to the power of x"""
def log(x: Arg, /) -> Array:
    """natural logarithm, NaN of negative numbers"""
def log1p(x: Arg, /) -> Array:
    """log(1 + x), accurate near 0"""
def expm1(x: Arg, /) -> Array:
    """exp(x) - 1, accurate near 0"""
def sin(x: Arg, /) -> Array:
    """sine of x radians"""
def cos(x: Arg, /) -> Array:
    """cosine of x radians"""
def tanh(x: Arg, /) -> Array:
    """hyperbolic tangent"""
def sigmoid(x: Arg, /) -> Array:
    """1/(1 + exp(-x))"""
def erf(x: Arg, /) -> Array:
    """error function"""
def floor(x: Arg, /) -> Array:
    """largest integer that is not above x"""
def ceil(x: Arg, /) -> Array:
    """smallest integer that is not below x"""
def round(x: Arg, /) -> Array:
    """nearest integer, of two the even one"""
def isnan(x: Arg, /) -> Array:
    """whether x is NaN"""
def logical_not(x: Arg, /) -> Array:
    """not x"""
def astype(x: Arg, /, dtype: DType) -> Array:
    """to another type: floats rounded to the nearest, to integers towards 0 and to the ends of the range, NaN to 0; integers modulo the range; to bool whether x is not 0"""
def add(x1: Arg, x2: Arg, /) -> Array:
    """x + y, of integers modulo their range"""
def subtract(x1: Arg, x2: Arg, /) -> Array:
    """x - y, of integers modulo their range"""
def multiply(x1: Arg, x2: Arg, /) -> Array:
    """x · y, of integers modulo their range"""
def divide(x1: Arg, x2: Arg, /) -> Array:
    """x / y"""
def floor_divide(x1: Arg, x2: Arg, /) -> Array:
    """x // y as in Python: the integer q for which x = q·y + remainder(x, y), found as NumPy does: round((x - remainder)/y), of floats in float64; 0 of integers where y is 0"""
def remainder(x1: Arg, x2: Arg, /) -> Array:
    """x % y as in Python, with the sign of y; 0 of integers where y is 0"""
def pow(x1: Arg, x2: Arg, /) -> Array:
    """x to the power of y, as in C; of integers modulo their range, and 1/x^-y towards 0 (0 if x is 0) where y is negative"""
def minimum(x1: Arg, x2: Arg, /) -> Array:
    """the smaller one, NaN if one is NaN, -0 before 0"""
def maximum(x1: Arg, x2: Arg, /) -> Array:
    """the larger one, NaN if one is NaN, -0 before 0"""
def equal(x1: Arg, x2: Arg, /) -> Array:
    """x = y, false if one is NaN"""
def not_equal(x1: Arg, x2: Arg, /) -> Array:
    """x ≠ y, true if one is NaN"""
def less(x1: Arg, x2: Arg, /) -> Array:
    """x < y, false if one is NaN"""
def less_equal(x1: Arg, x2: Arg, /) -> Array:
    """x ≤ y, false if one is NaN"""
def greater(x1: Arg, x2: Arg, /) -> Array:
    """x > y, false if one is NaN"""
def greater_equal(x1: Arg, x2: Arg, /) -> Array:
    """x ≥ y, false if one is NaN"""
def bitwise_and(x1: Arg, x2: Arg, /) -> Array:
    """and of the bits, of bools logical"""
def bitwise_or(x1: Arg, x2: Arg, /) -> Array:
    """or of the bits, of bools logical"""
def where(condition: Arg, x1: Arg, x2: Arg, /) -> Array:
    """the second input where the first is true, the third elsewhere"""
def clip(x: Arg, /, min: Arg | None = None, max: Arg | None = None) -> Array:
    """minimum(maximum(x, low), high): high where low is above it; without a bound that is None"""
def sum(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array:
    """sum over the axes, 0 of no elements; of integers modulo 2^64"""
def mean(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array:
    """sum divided by the number of elements, NaN of none"""
def var(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False, correction: float = 0) -> Array:
    """sum of (x - mean)² divided by n - correction; NaN if this is not positive"""
def min(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array:
    """smallest element, NaN if one is NaN"""
def max(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array:
    """largest element, NaN if one is NaN"""
def argmin(x: Arg, /, *, axis: int | None = None, keepdims: Bool = False) -> Array:
    """index of the first smallest element, of the first NaN if there is one; in the flattened array without an axis"""
def argmax(x: Arg, /, *, axis: int | None = None, keepdims: Bool = False) -> Array:
    """index of the first largest element, of the first NaN if there is one; in the flattened array without an axis"""
def any(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array:
    """whether an element is not 0 (NaN is not); false of no elements"""
def all(x: Arg, /, *, axis: int | tuple[int, ...] | None = None, keepdims: Bool = False) -> Array:
    """whether all elements are not 0 (NaN is not); true of no elements"""
def cumulative_sum(x: Arg, /, *, axis: int | None = None) -> Array:
    """sum of the elements up to each, itself among them, along the axis; the axis may be left out if there is one only"""
def reshape(x: Arg, /, shape: Shape) -> Array:
    """the elements in row-major order in another shape; one length may be -1"""
def permute_dims(x: Arg, /, axes: int | tuple[int, ...]) -> Array:
    """dimensions in another order: a transposition"""
def expand_dims(x: Arg, /, *, axis: int = 0) -> Array:
    """one dimension of length 1 more"""
def squeeze(x: Arg, /, axis: int | tuple[int, ...]) -> Array:
    """without dimensions of length 1"""
def broadcast_to(x: Arg, /, shape: Shape) -> Array:
    """elements repeated along dimensions of length 1 or that are missing"""
def concat(arrays: Sequence[Arg], /, *, axis: int = 0) -> Array:
    """up to 255 inputs one behind the other along the axis; flattened if the axis is None"""
def slice(x: Arg, /, index: Index) -> Array:
    """a part: a number or a range for each axis"""
def take(x: Arg, indices: Arg, /, *, axis: int | None = None) -> Array:
    """elements along the axis at the indices, where a negative one counts from the end; an index out of range is an error; the axis may be left out if there is one only"""
def matmul(x1: Arg, x2: Arg, /, *, tf32: Bool = False) -> Array:
    """product of matrices; float16 and bfloat16 are summed in float32, integers modulo their range"""
def softmax(x: Arg, /, *, axis: int = -1) -> Array:
    """exp(x - max) divided by its sum along the axis"""
def layer_norm(x: Arg, /, *, axis: int = -1, eps: float = 1e-5) -> Array:
    """(x - mean)/sqrt(var + eps) along the axis"""
def topk(x: Arg, /, k: int, *, axis: int = -1, largest: Bool = True) -> tuple[Array, Array]:
    """the k largest elements along the axis, the largest first, and their indices; of equal ones the first; NaN is larger than all"""
def sort(x: Arg, /, *, axis: int = -1, descending: Bool = False) -> Array:
    """the elements along the axis in order, and their indices; equal ones stay in order; NaN is larger than all; this returns the elements"""
def argsort(x: Arg, /, *, axis: int = -1, descending: Bool = False) -> Array:
    """the elements along the axis in order, and their indices; equal ones stay in order; NaN is larger than all; this returns the indices"""

@overload
def evaluate(array: Array, /) -> Array:
    """Computes arrays together, in one call of the host, and returns them. Nothing else runs until then."""
@overload
def evaluate(arrays: Sequence[Array], /) -> Sequence[Array]: ...
@overload
def evaluate(*arrays: Array) -> tuple[Array, ...]: ...
@overload
async def evaluate_async(array: Array, /) -> Array:
    """evaluate, for coroutines: tolist() and the like do not wait afterwards."""
@overload
async def evaluate_async(arrays: Sequence[Array], /) -> Sequence[Array]: ...
@overload
async def evaluate_async(*arrays: Array) -> tuple[Array, ...]: ...

def call(name: str, /, **args: Any) -> dict[str, Any]:
    """Calls a function of the host. Arrays, bytes and lists are its inputs, other values its parameters. Results are arrays, lists of strings, and parameters."""
async def call_async(name: str, /, **args: Any) -> dict[str, Any]: ...
def stream(name: str, /, **args: Any) -> Stream:
    """The parts that a function of the host makes, as call has them."""
class Stream:
    """For `for` and for `async for`. It ends when nobody has it any more."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> dict[str, Any]: ...
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...
def info() -> dict[str, Any]:
    """What the device is and can do: backend, device, ops, functions, max_bytes and limits."""
async def info_async() -> dict[str, Any]: ...

class Error(Exception):
    """op, shapes and dtypes are of the operation, if it was one; file and line say where it was made."""
    code: str
    message: str
    op: str
    shapes: list[tuple[int, ...]]
    dtypes: list[DType]
    file: str
    line: int
class UnsupportedOp(Error, AttributeError):
    nearest: str | None

bool: Final = "bool"
uint8: Final = "uint8"
int32: Final = "int32"
int64: Final = "int64"
float16: Final = "float16"
bfloat16: Final = "bfloat16"
float32: Final = "float32"
float64: Final = "float64"

