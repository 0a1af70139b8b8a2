// Nodes and arrays.

let entry = null; // the function of this module that the component called

// attempt returns f(), and turns a string that it throws into an error of an operation.
function attempt(name, nodes, f) {
  try {
    return f();
  } catch (e) {
    if (typeof e === 'string') refuse(name, nodes, e);
    throw e;
  }
}

// A node is what it computes and from what, and where the component asked for it. leaf has a node for each result that is there.
function node(name, inputs, attrs, dtype) {
  const op = OPS[name], ins = [], bytes = [];
  for (let i = 0; i < inputs.length; i++) ins.push(typeOf(inputs[i]));
  let d, shape;
  try {
    d = TYPES[op.types](op, ins, dtype);
    for (let i = 0; i < op.attrs.length; i++) attribute(bytes, op.attrs[i], attrs[i], d);
    shape = SHAPES[op.shape](ins, attrs);
  } catch (e) {
    if (typeof e === 'string') refuse(name, ins, e);
    throw e;
  }
  if (!Object.isFrozen(shape)) shape = Object.freeze(shape.slice());
  const n = { op, dtype: d, shape, inputs, attrs: bytes, stack: '', data: undefined, digest: '', leaf: undefined };
  const limit = Base.stackTraceLimit;
  Base.stackTraceLimit = 2;
  captureStackTrace(n, entry ?? node);
  Base.stackTraceLimit = limit;
  return n;
}

const make = (name, inputs, attrs = [], dtype = 0) => new GpuArray(node(name, inputs, attrs, dtype), 0);

function leaf(data, dtype, shape, name = 'asarray') {
  const a = make(name, [], [shape], dtype);
  const n = nodeOf(a);
  n.data = data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return a;
}

let nodeOf, resultOf;

// A GpuArray is a result of a node. It does not change.
class GpuArray {
  #node;
  #result;

  static {
    nodeOf = (a) => {
      const there = a.#node.leaf?.[a.#result];
      if (there) {
        a.#node = there;
        a.#result = 0;
      }
      return a.#node;
    };
    resultOf = (a) => a.#result;
  }

  constructor(n, result) {
    if (n?.op === undefined) bad('arrays are made by gpu.asarray and its like');
    this.#node = n;
    this.#result = result;
  }

  get shape() { return this.#node.shape; }
  get dtype() { return DTYPES[this.#result ? INTEGER : this.#node.dtype]; }
  get ndim() { return this.#node.shape.length; }
  get size() { return sizeOf(this.#node.shape); }
  get nbytes() { return this.size * SIZES[dtypeOf(this.dtype)]; }
  get T() { return this.ndim === 2 ? this.mT : bad(`T is of 2 dimensions, not ${this.ndim}: use permute_dims`); }
  get mT() {
    const r = this.ndim;
    return r > 1 ? gpu.permute_dims(this, [...Array(r - 2).keys(), r - 1, r - 2]) : bad(`mT is of 2 dimensions or more, not ${r}`);
  }

  async data() {
    const stack = callers(GpuArray.prototype.data);
    await finishLater(evaluation([this], stack), stack);
    return contents(this);
  }

  dataSync() { return now(this, GpuArray.prototype.dataSync); }

  item() {
    if (this.size !== 1) bad(`item() is of an array with one element, not of ${this}`);
    return plain(now(this, GpuArray.prototype.item), this.dtype)[0];
  }

  tolist() {
    const all = plain(now(this, GpuArray.prototype.tolist), this.dtype);
    let i = 0;
    const nest = (axis) => (axis === this.ndim ? all[i++] : Array.from({ length: this.shape[axis] }, () => nest(axis + 1)));
    return nest(0);
  }

  toString() { return `GpuArray ${this.dtype}${words(this.shape)}`; }
  // As JSON it is its elements, if these are not too many for that.
  toJSON() { return this.size > 1e6 ? bad(`${this} has too many elements for JSON: use await x.data()`) : this.tolist(); }
  async [Symbol.for('spore.display')]() {
    const shown = { 'text/plain': this.toString() };
    if (this.size <= 1000) {
      await gpu.evaluate(this);
      shown['application/json'] = this.tolist();
    }
    return shown;
  }

  [Symbol.toPrimitive](hint) { return hint === 'string' ? this.toString() : bad(`${this} is no number: use its methods, such as add and less, or x.item()`); }
  get [Symbol.toStringTag]() { return this.#node ? typed(typeOf(this)) : 'GpuArray'; }
}

const isArray = (x) => x instanceof GpuArray;
// Results of topk and sort beside the first are int64; nodeOf says the type of the first.
const typeOf = (a) => (resultOf(a) ? { dtype: INTEGER, shape: a.shape } : nodeOf(a));

function contents(a) {
  const { data } = nodeOf(a), store = STORES[a.dtype], size = store.BYTES_PER_ELEMENT;
  if (data.byteOffset % size) return new store(data.slice().buffer);
  return new store(data.buffer, data.byteOffset, data.byteLength / size);
}

function now(a, f) {
  const stack = callers(f);
  finish(evaluation([a], stack), stack);
  return contents(a);
}

// bits_to_float32 gives numbers for the bits of float16 or bfloat16.
function bitsToFloat32(bits, dtype = 'bfloat16') {
  if (!(bits instanceof Uint16Array) || (dtype !== 'float16' && dtype !== 'bfloat16')) bad('bits_to_float32 takes a Uint16Array and "float16" or "bfloat16"');
  if (dtype === 'float16') return new Float32Array(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
  return new Float32Array(new Uint32Array(bits).map((b) => b << 16).buffer);
}

const small = (v) => (Number.isSafeInteger(Number(v)) ? Number(v) : v);

function plain(data, dtype) {
  if (dtype === 'bfloat16') data = bitsToFloat32(data);
  const list = Array.from(data);
  return dtype === 'bool' ? list.map(Boolean) : dtype === 'int64' ? list.map(small) : list;
}
