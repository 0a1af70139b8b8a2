// The module "gpu" of components in JavaScript: arrays that are computed on the host's device. ../README.md describes it for those who use it.
// It is the files of this directory in one, in the order that guest.go has.
//
// What is called here makes nodes of a graph, with types and shapes that are known at once. Data are asked for at the end: then the graph becomes one
// program (../../FORMAT.md) and one call of the host.
const { call, callSync, HostError } = require('spore');
const Base = Error, { captureStackTrace } = Base; // a component may have another Error later

const BOOL = 1, INT = 2, FLOAT = 4;
const NUMBER = DTYPES.indexOf('float32'), INTEGER = DTYPES.indexOf('int64');
const STORES = { bool: Uint8Array, uint8: Uint8Array, int32: Int32Array, int64: BigInt64Array, float16: Float16Array, bfloat16: Uint16Array, float32: Float32Array, float64: Float64Array };
const MAX = 0x7fffffff;

class GpuError extends HostError {
  constructor(code, message, op = '', ins = []) {
    super(code, message);
    describe(this, op, ins);
  }
}
class UnsupportedOp extends GpuError {}
for (const c of [GpuError, UnsupportedOp]) Object.defineProperty(c.prototype, 'name', { value: c.name, writable: true, configurable: true });

function describe(e, op, nodes) {
  e.op = op;
  e.shapes = nodes.map((n) => [...n.shape]);
  e.dtypes = nodes.map((n) => DTYPES[n.dtype]);
}

const bad = (text) => { throw new GpuError('invalid_argument', text); };
const words = (shape) => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
const typed = (n) => DTYPES[n.dtype] + words(n.shape);

function refuse(name, nodes, text) {
  const list = nodes.length > 5 ? [...nodes.slice(0, 4).map(typed), `… ${nodes.length} inputs`] : nodes.map(typed);
  throw new GpuError('invalid_argument', `${name}(${list.join(', ')}): ${text}`, name, nodes);
}

// Types.

function dtypeOf(name) {
  const d = DTYPES.indexOf(name);
  if (typeof name !== 'string' || d < 1) bad(`unknown dtype ${String(name).slice(0, 40)}: ${DTYPES.slice(1).join(', ')} are known`);
  return d;
}

function promote(a, b) {
  if (a === b) return a;
  if (KINDS[a] !== KINDS[b]) return 0;
  if (SIZES[a] === SIZES[b]) return NUMBER; // float16 and bfloat16
  return Math.max(a, b);
}

const kindWords = (k) => (k === BOOL ? 'bool' : k === INT ? 'integers' : k === FLOAT ? 'floats' : k === (INT | FLOAT) ? 'numbers' : 'bool or integers');

function common(nodes, kinds) {
  let d = nodes[0].dtype;
  for (let i = 0; i < nodes.length; i++) {
    const other = nodes[i].dtype;
    if (!(KINDS[other] & kinds)) throw `${DTYPES[other]} is not supported: ${kindWords(kinds)} are (use astype)`;
    if (other === d) continue;
    const p = promote(d, other);
    if (!p) throw `${DTYPES[d]} and ${DTYPES[other]} do not mix: use astype`;
    d = p;
  }
  return d;
}

// By name of the rule; a string that is thrown is what is wrong.
const TYPES = {
  declared(o, ins, d) {
    if (!(KINDS[d] & o.kinds)) throw `${DTYPES[d]} is not supported: ${kindWords(o.kinds)} are`;
    return d;
  },
  converted: (o, ins, d) => d,
  promoted(o, ins) {
    for (let i = 0; i < o.first; i++) {
      if (KINDS[ins[i].dtype] !== BOOL) throw `input ${i} is ${DTYPES[ins[i].dtype]}: bool is expected`;
    }
    return common(o.first ? ins.slice(o.first) : ins, o.kinds);
  },
  same: (o, ins) => common(ins, o.kinds),
  fixed(o, ins) {
    common(ins, o.kinds);
    return o.first;
  },
  summed: (o, ins) => (KINDS[ins[0].dtype] === FLOAT ? ins[0].dtype : INTEGER),
  indexed(o, ins) {
    const d = DTYPES[ins[1].dtype];
    if (d !== 'int32' && d !== 'int64') throw `indices are ${d}: int32 or int64 is expected`;
    return ins[0].dtype;
  },
};

// Shapes.

const sizeOf = (shape) => shape.reduce((n, k) => n * k, 1);

function broadcast(shapes) {
  const rank = Math.max(...shapes.map((s) => s.length));
  const out = Array(rank).fill(1);
  for (const s of shapes) {
    for (let i = 0, o = rank - s.length; i < s.length; i++, o++) {
      if (s[i] === 1 || s[i] === out[o]) continue;
      if (out[o] !== 1) throw `shapes ${shapes.map(words).join(' and ')} cannot be broadcast`;
      out[o] = s[i];
    }
  }
  return out;
}

function without(s, axes, keep, empty) {
  const out = [];
  s.forEach((n, i) => {
    if (!axes.includes(i)) out.push(n);
    else if (n === 0 && !empty) throw `axis ${i} has no elements`;
    else if (keep) out.push(1);
  });
  return out;
}

function multiplied(a, b) {
  if (a.length === 0 || b.length === 0) throw 'an input has rank 0';
  const ka = a[a.length - 1], kb = b[Math.max(0, b.length - 2)];
  if (ka !== kb) throw `inner lengths ${ka} and ${kb} differ`;
  return [...broadcast([a.slice(0, -2), b.slice(0, -2)]), ...(a.length > 1 ? [a[a.length - 2]] : []), ...(b.length > 1 ? [b[b.length - 1]] : [])];
}

// stretched is broadcast for operations, of which most have inputs of one shape, or a single value.
function stretched(ins) {
  let shape = ins[0].shape;
  for (let i = 1; i < ins.length; i++) {
    const s = ins[i].shape;
    if (s === shape || s.length === 0) continue;
    if (shape.length > 0) return broadcast(ins.map((n) => n.shape));
    shape = s;
  }
  return shape;
}

// By name of the rule, of the inputs' nodes and the attributes. Axes are in range and in order by then.
const SHAPES = {
  given: (s, [shape]) => shape,
  counted: (s, [n]) => [n],
  matrix: (s, [rows, cols]) => [rows, cols],
  unchanged: (s) => s[0].shape,
  axis: (s) => s[0].shape,
  stretched,
  reduced: (s, [axes, keep]) => without(s[0].shape, axes, keep, true),
  'reduced-nonempty': (s, [axes, keep]) => without(s[0].shape, axes, keep, false),
  'reduced-one': (s, [axis, keep]) => without(s[0].shape, [axis], keep, false),
  reshaped(s, [shape]) {
    if (sizeOf(shape) !== sizeOf(s[0].shape)) throw `${words(shape)} has ${sizeOf(shape)} elements, not ${sizeOf(s[0].shape)}`;
    return shape;
  },
  permuted: (s, [axes]) => axes.map((a) => s[0].shape[a]),
  expanded: (s, [axis]) => s[0].shape.toSpliced(axis, 0, 1),
  squeezed(s, [axes]) {
    for (const a of axes) if (s[0].shape[a] !== 1) throw `axis ${a} has length ${s[0].shape[a]}, not 1`;
    return without(s[0].shape, axes, false, true);
  },
  broadcast(s, [shape]) {
    let b;
    try { b = broadcast([shape, s[0].shape]); } catch { /* as below */ }
    if (!b || words(b) !== words(shape)) throw `it cannot be broadcast to ${words(shape)}`;
    return shape;
  },
  joined(s, [axis]) {
    const out = [...s[0].shape];
    for (let i = 1; i < s.length; i++) {
      if (s[i].shape.length !== out.length) throw `input ${i} has rank ${s[i].shape.length}, not ${out.length}`;
      for (let j = 0; j < out.length; j++) {
        if (j === axis) out[j] += s[i].shape[j];
        else if (s[i].shape[j] !== out[j]) throw `input ${i} has length ${s[i].shape[j]} along axis ${j}, not ${out[j]}`;
      }
    }
    return out;
  },
  sliced: (s, [, , count]) => count,
  taken(s, [axis]) {
    if (s[0].shape[axis] === 0 && sizeOf(s[1].shape) > 0) throw `axis ${axis} has no elements`;
    return s[0].shape.toSpliced(axis, 1, ...s[1].shape);
  },
  multiplied: (s) => multiplied(s[0].shape, s[1].shape),
  selected(s, [axis, k]) {
    if (k > s[0].shape[axis]) throw `k is ${k}, axis ${axis} has length ${s[0].shape[axis]}`;
    return s[0].shape.with(axis, k);
  },
};

// Attributes, as bytes of the program.

const view = new DataView(new ArrayBuffer(8));
const eight = (b) => { for (let i = 0; i < 8; i++) b.push(view.getUint8(i)); };

function varint(b, v) {
  for (; v > 127; v = Math.floor(v / 128)) b.push((v % 128) | 128);
  b.push(v);
}

const signed = (b, v) => varint(b, v < 0 ? -2 * v - 1 : 2 * v);

function whole(v, name, min, max) {
  if (typeof v === 'bigint') v = Number(v);
  if (!Number.isInteger(v) || v < min || v > max) throw `${name} is ${String(v).slice(0, 40)}: a whole number from ${min} to ${max} is expected`;
  return v;
}

// The spec of an attribute is its kind, name, smallest and largest value.
function attribute(b, [kind, name, min, max], v, d) {
  switch (kind) {
    case 'int': return signed(b, whole(v, name, min, max));
    case 'bool': return b.push(v ? 1 : 0);
    case 'ints': case 'shape':
      varint(b, v.length);
      for (const x of v) (kind === 'ints' ? signed : varint)(b, whole(x, name, min, max));
      return;
    case 'float':
      if (!(v >= 0 && v < Infinity)) throw `${name} is ${v}: it is finite and not negative`;
      view.setFloat64(0, v, true);
      break;
    case 'scalar': {
      const x = scalar(v, d);
      if (KINDS[d] === FLOAT) view.setFloat64(0, x, true);
      else view.setBigInt64(0, x, true);
      break;
    }
    case 'seed':
      if (typeof v !== 'bigint' && !Number.isSafeInteger(v)) throw `${name} is ${v}: a whole number is expected`;
      view.setBigUint64(0, BigInt(v), true);
  }
  eight(b);
}

const RANGES = { bool: [0n, 1n], uint8: [0n, 255n], int32: [-0x80000000n, 0x7fffffffn], int64: [-(1n << 63n), (1n << 63n) - 1n] };

// scalar makes a number of v if d is a float, else a BigInt. Kinds do not mix: only a whole number can be either.
function scalar(v, d) {
  const name = DTYPES[d], kind = KINDS[d], t = typeof v;
  if (kind === BOOL) {
    if (t === 'boolean') return v ? 1n : 0n;
  } else if (kind === FLOAT) {
    if (t === 'number' || t === 'bigint') return Number(v);
  } else if (t === 'bigint' || Number.isInteger(v)) {
    const x = BigInt(v);
    if (x < RANGES[name][0] || x > RANGES[name][1]) throw `${v} is no ${name}`;
    return x;
  }
  throw `${String(v).slice(0, 40)} and ${name} do not mix: use astype`;
}
