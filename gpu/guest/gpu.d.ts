/** Types of elements. */
export type DType = 'bool' | 'uint8' | 'int32' | 'int64' | 'float16' | 'bfloat16' | 'float32' | 'float64';
export type Scalar = number | bigint | boolean;
type Nested = Scalar | Nested[] | ArrayLike<number>;
type Typed = Uint8Array | Uint8ClampedArray | Int8Array | Int16Array | Uint16Array | Int32Array | BigInt64Array | Float16Array | Float32Array | Float64Array;
/**
 * Numbers are float32, BigInts int64 and booleans bool unless a dtype is given. Typed arrays have their own type, and are converted to the
 * dtype; they must not be changed before the array was evaluated. An ArrayBuffer or DataView has the bytes of the dtype, as has a Uint16Array for float16 and bfloat16.
 */
export type Data = GpuArray | Typed | ArrayBuffer | DataView | Nested;
/** An array, or what becomes one. Plain numbers take the type of the arrays beside them. */
export type Arg = Data;
/** For each axis a number, which removes it, or [start, stop, step] with null for what is left out; "..." stands for all further axes, null for a new one. Strings as in Python work, too: "1:3", "::-1". */
export type Index = string | (number | null | string | (number | null)[])[];

/** An array that is computed when its data are asked for. It never changes. */
export class GpuArray {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly ndim: number;
  readonly size: number;
  readonly nbytes: number;
  /** Transposed. */
  readonly T: GpuArray;
  /** With the last two dimensions transposed. */
  readonly mT: GpuArray;
  /** The elements in row-major order: BigInt64Array of int64, Uint8Array of bool, Float16Array of float16, Uint16Array of bfloat16. It is not to be written to. */
  data(): Promise<Uint8Array | Int32Array | BigInt64Array | Float16Array | Uint16Array | Float32Array | Float64Array>;
  /** data, during which the component stands still. */
  dataSync(): Uint8Array | Int32Array | BigInt64Array | Float16Array | Uint16Array | Float32Array | Float64Array;
  /** The only element. An int64 is a number if it fits into one. The component stands still if it was not evaluated before. */
  item(): any;
  /** All elements in nested arrays, as item has them. */
  tolist(): any;
}
type Method<F> = F extends (x: any, ...rest: infer R) => infer T ? (...rest: R) => T : never;
const gpu: typeof import('gpu');
export default gpu;
/** Functions that take an array first are methods, too: x.add(y). */
export interface GpuArray extends Methods {}
interface Methods extends Operations, Aliases {}
type Operations = {
  [K in 'abs' | 'negative' | 'sign' | 'sqrt' | 'rsqrt' | 'exp' | 'log' | 'log1p' | 'expm1' | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'erf' | 'floor' | 'ceil' | 'round' | 'isnan' | 'logical_not' | 'astype' | 'add' | 'subtract' | 'multiply' | 'divide' | 'floor_divide' | 'remainder' | 'pow' | 'minimum' | 'maximum' | 'equal' | 'not_equal' | 'less' | 'less_equal' | 'greater' | 'greater_equal' | 'bitwise_and' | 'bitwise_or' | 'where' | 'clip' | 'sum' | 'mean' | 'var' | 'min' | 'max' | 'argmin' | 'argmax' | 'any' | 'all' | 'cumulative_sum' | 'reshape' | 'permute_dims' | 'expand_dims' | 'squeeze' | 'broadcast_to' | 'slice' | 'take' | 'matmul' | 'softmax' | 'layer_norm' | 'topk' | 'sort' | 'argsort']: Method<(typeof gpu)[K]>;
};
interface Aliases {
  and: Method<(typeof gpu)['bitwise_and']>;
  cumsum: Method<(typeof gpu)['cumulative_sum']>;
  div: Method<(typeof gpu)['divide']>;
  eq: Method<(typeof gpu)['equal']>;
  ge: Method<(typeof gpu)['greater_equal']>;
  gt: Method<(typeof gpu)['greater']>;
  le: Method<(typeof gpu)['less_equal']>;
  lt: Method<(typeof gpu)['less']>;
  mod: Method<(typeof gpu)['remainder']>;
  mul: Method<(typeof gpu)['multiply']>;
  ne: Method<(typeof gpu)['not_equal']>;
  neg: Method<(typeof gpu)['negative']>;
  not: Method<(typeof gpu)['logical_not']>;
  or: Method<(typeof gpu)['bitwise_or']>;
  sub: Method<(typeof gpu)['subtract']>;
}

/** an array of data that the component has; one length of shape may be -1 */
export function asarray(data: Data, options?: DType | { dtype?: DType | null; shape?: number | number[] | null }): GpuArray;
/** an array of data that stay on the device: sent at the first use only, and named by their contents, so that it survives snapshots and clones share it */
export function constant(data: Data, options?: DType | { dtype?: DType | null; shape?: number | number[] | null }): GpuArray;
/** all 0; dtype is "float32" if not given */
export function zeros(shape: number | number[], options?: DType | { dtype?: DType }): GpuArray;
/** all 1; dtype is "float32" if not given */
export function ones(shape: number | number[], options?: DType | { dtype?: DType }): GpuArray;
/** all of one value, rounded to the dtype; of the type that asarray gives the value */
export function full(shape: number | number[], fill_value: Scalar, options?: DType | { dtype?: DType | null }): GpuArray;
/** start + i·step, of floats computed in float64, of integers modulo their range; up to start and from 0 if there is no stop; of the type that asarray gives the numbers */
export function arange(start: Scalar, stop?: Scalar | null, step?: Scalar | null, options?: DType | { dtype?: DType | null }): GpuArray;
/** n values at even distances: start + i·((stop - start)/(n-1)), or /n without endpoint, computed in float64; the last is stop with endpoint; dtype is "float32" if not given; endpoint is true if not given */
export function linspace(start: number, stop: number, num: number, options?: DType | { dtype?: DType; endpoint?: boolean }): GpuArray;
/** 1 where column - row = k, 0 elsewhere; square if n_cols is not given; k is 0 if not given; dtype is "float32" if not given */
export function eye(n_rows: number, n_cols?: number | null, options?: DType | { k?: number; dtype?: DType }): GpuArray;
/** from [0, 1), multiples of 2^-p for a mantissa of p bits: the highest p bits of Philox4x32-10 of the counter i/4 (of two words for float64: i/2), so equal on every backend; the same for the same seed; dtype is "float32" if not given; seed is 0 if not given */
export function random_uniform(shape: number | number[], options?: DType | { dtype?: DType; seed?: number | bigint }): GpuArray;
/** of mean 0 and variance 1: sqrt(-2·log(1-u))·cos(2π·v) and …·sin(2π·v) of pairs u, v of uniform float64 values; the same for the same seed; dtype is "float32" if not given; seed is 0 if not given */
export function random_normal(shape: number | number[], options?: DType | { dtype?: DType; seed?: number | bigint }): GpuArray;
/** absolute value; the smallest integer stays as it is */
export function abs(x: Arg): GpuArray;
/** -x, of integers modulo their range */
export function negative(x: Arg): GpuArray;
/** -1, 0 or 1; 0 of -0; NaN of NaN */
export function sign(x: Arg): GpuArray;
/** square root, NaN of negative numbers */
export function sqrt(x: Arg): GpuArray;
/** 1/sqrt(x) */
export function rsqrt(x: Arg): GpuArray;
/** e to the power of x */
export function exp(x: Arg): GpuArray;
/** natural logarithm, NaN of negative numbers */
export function log(x: Arg): GpuArray;
/** log(1 + x), accurate near 0 */
export function log1p(x: Arg): GpuArray;
/** exp(x) - 1, accurate near 0 */
export function expm1(x: Arg): GpuArray;
/** sine of x radians */
export function sin(x: Arg): GpuArray;
/** cosine of x radians */
export function cos(x: Arg): GpuArray;
/** hyperbolic tangent */
export function tanh(x: Arg): GpuArray;
/** 1/(1 + exp(-x)) */
export function sigmoid(x: Arg): GpuArray;
/** error function */
export function erf(x: Arg): GpuArray;
/** largest integer that is not above x */
export function floor(x: Arg): GpuArray;
/** smallest integer that is not below x */
export function ceil(x: Arg): GpuArray;
/** nearest integer, of two the even one */
export function round(x: Arg): GpuArray;
/** whether x is NaN */
export function isnan(x: Arg): GpuArray;
/** not x */
export function logical_not(x: Arg): GpuArray;
/** to another type: floats rounded to the nearest, to integers towards 0 and to the ends of the range, NaN to 0; integers modulo the range; to bool whether x is not 0 */
export function astype(x: Arg, dtype: DType): GpuArray;
/** x + y, of integers modulo their range */
export function add(x1: Arg, x2: Arg): GpuArray;
/** x - y, of integers modulo their range */
export function subtract(x1: Arg, x2: Arg): GpuArray;
/** x · y, of integers modulo their range */
export function multiply(x1: Arg, x2: Arg): GpuArray;
/** x / y */
export function divide(x1: Arg, x2: Arg): GpuArray;
/** x // y as in Python: the integer q for which x = q·y + remainder(x, y), found as NumPy does: round((x - remainder)/y), of floats in float64; 0 of integers where y is 0 */
export function floor_divide(x1: Arg, x2: Arg): GpuArray;
/** x % y as in Python, with the sign of y; 0 of integers where y is 0 */
export function remainder(x1: Arg, x2: Arg): GpuArray;
/** x to the power of y, as in C; of integers modulo their range, and 1/x^-y towards 0 (0 if x is 0) where y is negative */
export function pow(x1: Arg, x2: Arg): GpuArray;
/** the smaller one, NaN if one is NaN, -0 before 0 */
export function minimum(x1: Arg, x2: Arg): GpuArray;
/** the larger one, NaN if one is NaN, -0 before 0 */
export function maximum(x1: Arg, x2: Arg): GpuArray;
/** x = y, false if one is NaN */
export function equal(x1: Arg, x2: Arg): GpuArray;
/** x ≠ y, true if one is NaN */
export function not_equal(x1: Arg, x2: Arg): GpuArray;
/** x < y, false if one is NaN */
export function less(x1: Arg, x2: Arg): GpuArray;
/** x ≤ y, false if one is NaN */
export function less_equal(x1: Arg, x2: Arg): GpuArray;
/** x > y, false if one is NaN */
export function greater(x1: Arg, x2: Arg): GpuArray;
/** x ≥ y, false if one is NaN */
export function greater_equal(x1: Arg, x2: Arg): GpuArray;
/** and of the bits, of bools logical */
export function bitwise_and(x1: Arg, x2: Arg): GpuArray;
/** or of the bits, of bools logical */
export function bitwise_or(x1: Arg, x2: Arg): GpuArray;
/** the second input where the first is true, the third elsewhere */
export function where(condition: Arg, x1: Arg, x2: Arg): GpuArray;
/** minimum(maximum(x, low), high): high where low is above it; without a bound that is null */
export function clip(x: Arg, min?: Arg | null, max?: Arg | null): GpuArray;
/** sum over the axes, 0 of no elements; of integers modulo 2^64; keepdims is false if not given */
export function sum(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean }): GpuArray;
/** sum divided by the number of elements, NaN of none; keepdims is false if not given */
export function mean(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean }): GpuArray;
/** sum of (x - mean)² divided by n - correction; NaN if this is not positive; keepdims is false if not given; correction is 0 if not given */
function var_(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean; correction?: number }): GpuArray;
export { var_ as var };
/** smallest element, NaN if one is NaN; keepdims is false if not given */
export function min(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean }): GpuArray;
/** largest element, NaN if one is NaN; keepdims is false if not given */
export function max(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean }): GpuArray;
/** index of the first smallest element, of the first NaN if there is one; in the flattened array without an axis; keepdims is false if not given */
export function argmin(x: Arg, options?: number | { axis?: number | null; keepdims?: boolean }): GpuArray;
/** index of the first largest element, of the first NaN if there is one; in the flattened array without an axis; keepdims is false if not given */
export function argmax(x: Arg, options?: number | { axis?: number | null; keepdims?: boolean }): GpuArray;
/** whether an element is not 0 (NaN is not); false of no elements; keepdims is false if not given */
export function any(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean }): GpuArray;
/** whether all elements are not 0 (NaN is not); true of no elements; keepdims is false if not given */
export function all(x: Arg, options?: number | number[] | { axis?: number | number[] | null; keepdims?: boolean }): GpuArray;
/** sum of the elements up to each, itself among them, along the axis; the axis may be left out if there is one only */
export function cumulative_sum(x: Arg, options?: number | { axis?: number | null }): GpuArray;
/** the elements in row-major order in another shape; one length may be -1 */
export function reshape(x: Arg, shape: number | number[]): GpuArray;
/** dimensions in another order: a transposition */
export function permute_dims(x: Arg, axes: number | number[]): GpuArray;
/** one dimension of length 1 more; axis is 0 if not given */
export function expand_dims(x: Arg, options?: number | { axis?: number }): GpuArray;
/** without dimensions of length 1 */
export function squeeze(x: Arg, axis: number | number[]): GpuArray;
/** elements repeated along dimensions of length 1 or that are missing */
export function broadcast_to(x: Arg, shape: number | number[]): GpuArray;
/** up to 255 inputs one behind the other along the axis; flattened if the axis is null; axis is 0 if not given */
export function concat(arrays: Arg[], options?: number | { axis?: number }): GpuArray;
/** a part: a number or a range for each axis */
export function slice(x: Arg, index: Index): GpuArray;
/** elements along the axis at the indices, where a negative one counts from the end; an index out of range is an error; the axis may be left out if there is one only */
export function take(x: Arg, indices: Arg, options?: number | { axis?: number | null }): GpuArray;
/** product of matrices; float16 and bfloat16 are summed in float32, integers modulo their range; tf32 is false if not given */
export function matmul(x1: Arg, x2: Arg, options?: { tf32?: boolean }): GpuArray;
/** exp(x - max) divided by its sum along the axis; axis is -1 if not given */
export function softmax(x: Arg, options?: number | { axis?: number }): GpuArray;
/** (x - mean)/sqrt(var + eps) along the axis; axis is -1 if not given; eps is 1e-5 if not given */
export function layer_norm(x: Arg, options?: number | { axis?: number; eps?: number }): GpuArray;
/** the k largest elements along the axis, the largest first, and their indices; of equal ones the first; NaN is larger than all; axis is -1 if not given; largest is true if not given */
export function topk(x: Arg, k: number, options?: number | { axis?: number; largest?: boolean }): [GpuArray, GpuArray];
/** the elements along the axis in order, and their indices; equal ones stay in order; NaN is larger than all; this returns the elements; axis is -1 if not given; descending is false if not given */
export function sort(x: Arg, options?: number | { axis?: number; descending?: boolean }): GpuArray;
/** the elements along the axis in order, and their indices; equal ones stay in order; NaN is larger than all; this returns the indices; axis is -1 if not given; descending is false if not given */
export function argsort(x: Arg, options?: number | { axis?: number; descending?: boolean }): GpuArray;

/** Computes arrays together, in one call of the host, and returns them. */
export function evaluate<T extends GpuArray[]>(...arrays: T): Promise<T>;
export function evaluate<T extends GpuArray[]>(arrays: T): Promise<T>;
export function evaluateSync<T extends GpuArray[]>(...arrays: T): T;
export function evaluateSync<T extends GpuArray[]>(arrays: T): T;
/** A constant that the embedder shares, or that was made elsewhere. */
export function constant(known: { digest: string; dtype: DType; shape: number[] }): GpuArray;

type Argument = GpuArray | Typed | ArrayBuffer | string | string[] | number | boolean | null | Nested[] | { [name: string]: any };
/** Arrays and lists are inputs of the function, other values its parameters. Results are arrays, lists of strings, and parameters. */
export function call(name: string, args?: { [name: string]: Argument }): Promise<{ [name: string]: any }>;
export function callSync(name: string, args?: { [name: string]: Argument }): { [name: string]: any };
/** The parts that a function of the host makes, one after the other. Leaving the loop ends it. */
export function stream(name: string, args?: { [name: string]: Argument }): AsyncGenerator<{ [name: string]: any }, void, void>;
/** What the device is and can do. */
export function info(): Promise<{ backend: string; device: string; ops: string[]; functions: { name: string; doc: string }[]; max_bytes: number; limits: { [name: string]: number } }>;
export function infoSync(): Awaited<ReturnType<typeof info>>;
/** Numbers for the bits of float16 or bfloat16. */
export function bits_to_float32(bits: Uint16Array, dtype?: 'float16' | 'bfloat16'): Float32Array;

/** What went wrong, with the operation and the types of its inputs if it was one. The stack begins where the component made the operation. */
export class GpuError extends Error {
  readonly code: string;
  readonly op: string;
  readonly shapes: number[][];
  readonly dtypes: DType[];
}
/** Something that is not there, with the name of what is nearest. */
export class UnsupportedOp extends GpuError {
  readonly nearest?: string;
}
export const bool: 'bool';
export const uint8: 'uint8';
export const int32: 'int32';
export const int64: 'int64';
export const float16: 'float16';
export const bfloat16: 'bfloat16';
export const float32: 'float32';
export const float64: 'float64';

