// Values that become arrays.

const VIEWS = new Map([
  [Uint8Array, 'uint8'], [Uint8ClampedArray, 'uint8'], [Int32Array, 'int32'], [BigInt64Array, 'int64'], [Float16Array, 'float16'], [Float32Array, 'float32'], [Float64Array, 'float64'],
]);

// count fills in the -1 that shape may have.
function fit(shape, n) {
  if (typeof shape === 'number') shape = [shape];
  if (!Array.isArray(shape)) throw `shape is ${String(shape).slice(0, 40)}: an array of lengths is expected`;
  const i = shape.indexOf(-1);
  if (i >= 0) {
    const rest = sizeOf(shape.with(i, 1));
    shape = shape.with(i, rest > 0 && n % rest === 0 ? n / rest : 0);
  }
  shape.forEach((k) => whole(k, 'shape', 0, MAX));
  if (sizeOf(shape) !== n) throw `${words(shape)} has ${sizeOf(shape)} elements, not ${n}`;
  return shape;
}

// scan adds the elements of nested arrays to out and returns their shape.
function scan(x, out, depth = 0) {
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) {
    for (const v of x) out.push(v);
    return [x.length];
  }
  if (!Array.isArray(x)) {
    if (isArray(x)) throw 'an array of arrays is joined by concat';
    if (typeof x !== 'number' && typeof x !== 'boolean' && typeof x !== 'bigint') throw `an element is ${x === null ? 'null' : `of type ${typeof x}`}: numbers, booleans and BigInts are expected`;
    out.push(x);
    return [];
  }
  if (depth > 31) throw 'there are more than 32 dimensions';
  let first;
  for (const v of x) {
    const s = scan(v, out, depth + 1);
    first ??= s;
    if (s.length !== first.length || s.some((k, i) => k !== first[i])) throw 'the rows have different lengths';
  }
  return [x.length, ...(first ?? [])];
}

// guess is the type of plain values: bool of booleans, int64 of BigInts, else float32.
const guess = (list) => (list.length > 0 && list.every((v) => typeof v === 'boolean') ? DTYPES.indexOf('bool') : list.some((v) => typeof v === 'bigint') ? INTEGER : NUMBER);

// rounded returns the bits of bfloat16, the upper halves of float32, rounded to the nearest.
const rounded = (f) => Uint16Array.from(new Uint32Array(f.buffer), (b) => ((b & MAX) > 0x7f800000 ? (b >>> 16) | 64 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16));

function store(list, d) {
  const name = DTYPES[d];
  if (name === 'bfloat16') return rounded(Float32Array.from(list, (v) => scalar(v, d)));
  if (KINDS[d] === FLOAT) return STORES[name].from(list, (v) => scalar(v, d));
  return STORES[name].from(list, name === 'int64' ? (v) => scalar(v, d) : (v) => Number(scalar(v, d)));
}

// array makes an array of any value. Plain values and nested arrays are of type d, or what guess says.
function array(x, d = 0) {
  if (isArray(x)) return x;
  return attempt('asarray', [], () => {
    if (x instanceof ArrayBuffer || x instanceof DataView) return raw(x, d || DTYPES.indexOf('uint8'));
    if (ArrayBuffer.isView(x)) {
      let name = VIEWS.get(x.constructor);
      if (!name && (x instanceof Int8Array || x instanceof Int16Array || x instanceof Uint16Array)) {
        x = new Int32Array(x);
        name = 'int32';
      }
      if (!name) throw `${x.constructor.name} is not supported: ${[...VIEWS.keys()].map((v) => v.name).join(', ')} are`;
      return leaf(x, DTYPES.indexOf(name), [x.length]);
    }
    const list = [], shape = scan(x, list);
    d ||= guess(list);
    if (shape.length === 0) return make('full', [], [[], x], d);
    return leaf(store(list, d), d, shape);
  });
}

function raw(x, d) {
  const bytes = x instanceof ArrayBuffer ? new Uint8Array(x) : new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  if (bytes.length % SIZES[d]) throw `${bytes.length} bytes are no whole number of ${DTYPES[d]}`;
  return leaf(bytes, d, [bytes.length / SIZES[d]]);
}

const astype = (a, d) => (dtypeOf(a.dtype) === d ? a : make('astype', [a], [], d));

// given makes the array that asarray and constant are asked for.
function given(x, { dtype, shape }, name = 'asarray') {
  return attempt(name, [], () => {
    const d = dtype === undefined ? 0 : dtypeOf(dtype);
    const own = DTYPES.indexOf(VIEWS.get(x?.constructor));
    if (own > 0 && (d === 0 || d === own)) return leaf(x, own, shape === undefined ? [x.length] : fit(shape, x.length));
    let a = x instanceof Uint16Array && SIZES[d] === 2 && KINDS[d] === FLOAT ? raw(new DataView(x.buffer, x.byteOffset, x.byteLength), d) : array(x, d);
    if (d) a = astype(a, d);
    if (shape === undefined) return a;
    const to = fit(shape, a.size), n = nodeOf(a);
    return n.op === OPS.asarray ? leaf(n.data, n.dtype, to) : reshape(a, to);
  });
}

const isPlain = (x) => typeof x === 'number' || typeof x === 'boolean' || typeof x === 'bigint';
const scalars = new Map(); // the last plain values, so that a program has each once

function plainValue(x, d, nodes) {
  const key = Object.is(x, -0) ? '' : `${d}${typeof x}${x}`;
  let n = scalars.get(key);
  if (!n) {
    attempt(entry?.name ?? 'full', nodes, () => scalar(x, d));
    n = node('full', [], [[], x], d);
    n.stack = '';
    if (scalars.size > 100) scalars.clear();
    if (key) scalars.set(key, n);
  }
  return new GpuArray(n, 0);
}

// operands makes arrays of what an operation takes. Plain values are of the type of the arrays beside them.
function operands(list) {
  let d = 0, others = false;
  list.forEach((x, i) => {
    if (!isArray(x)) {
      if (isPlain(x) || Array.isArray(x)) {
        others = true;
        return;
      }
      list[i] = x = array(x);
    }
    const own = dtypeOf(x.dtype);
    d = d ? promote(d, own) || d : own;
  });
  if (!others) return list;
  if (!d) {
    const all = [];
    attempt('asarray', [], () => list.forEach((x) => scan(x, all)));
    d = guess(all);
  }
  return list.map((x) => (isPlain(x) ? plainValue(x, d, list.filter(isArray).map(typeOf)) : array(x, d)));
}

// Arguments.

// options checks and completes the last argument of a function, for which an axis can stand alone.
function options(name, o, defaults) {
  if (o === undefined || o === null) return defaults;
  const all = { ...defaults };
  if (typeof o === 'number' || Array.isArray(o)) o = { axis: o };
  else if (typeof o === 'string') o = { dtype: o };
  else if (typeof o !== 'object' || isArray(o)) bad(`the last argument of ${name} is an object of options: ${Object.keys(defaults).join(', ')}`);
  for (const k of Object.keys(o)) {
    if (!(k in defaults)) bad(`${name} has no option ${JSON.stringify(k.slice(0, 40))}: ${Object.keys(defaults).join(', ') || 'none'} are known`);
    if (o[k] !== undefined) all[k] = o[k];
  }
  return all;
}

// axisOf counts a negative axis from the end.
function axisOf(name, a, axis, rank = a.ndim) {
  if (typeof axis !== 'number' || !Number.isInteger(axis) || axis < -rank || axis >= rank) refuse(name, [typeOf(a)], `axis ${String(axis).slice(0, 40)} of rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

function axesOf(name, a, axis) {
  if (axis === null || axis === undefined) return [...Array(a.ndim).keys()];
  if (typeof axis === 'number') return [axisOf(name, a, axis)];
  const axes = (Array.isArray(axis) ? axis : [axis]).map((x) => axisOf(name, a, x)).sort((x, y) => x - y);
  if (axes.some((x, i) => x === axes[i - 1])) refuse(name, [typeOf(a)], `axes are ${axes.join(', ')}: one is there twice`);
  return axes;
}

const flat = (a) => reshape(a, [a.size]);
const reshape = (a, shape) => make('reshape', [a], [shape]);

// lengths checks a shape that is made, not fitted.
function lengths(shape, name) {
  if (typeof shape === 'number') shape = [shape];
  if (!Array.isArray(shape)) bad(`shape is ${String(shape).slice(0, 40)}: an array of lengths is expected`);
  const check = () => shape.forEach((k) => whole(k, 'shape', 0, MAX));
  if (name) attempt(name, [], check);
  else check();
  return shape;
}


// ranges makes start, step and count of what slice takes: for each axis a number, [start, stop, step] or the same as a string
// with colons; "..." for the axes that are left and null for a new one.
function ranges(a, index) {
  const list = typeof index === 'string' ? index.split(',') : Array.isArray(index) ? index : [index];
  const items = list.map((e) => {
    if (typeof e !== 'string') return e;
    const t = e.trim();
    if (t === '...') return t;
    if (!/^-?\d+$|^(-?\d+)?(:(-?\d+)?){1,2}$/.test(t)) throw `the slice ${JSON.stringify(t.slice(0, 40))} is not understood: it is "start:stop:step", a number or "..."`;
    return t.includes(':') ? t.split(':').map((w) => (w === '' ? null : Number(w))) : Number(t);
  });
  const used = items.filter((e) => e !== '...' && e !== null).length, rank = a.ndim;
  if (used > rank) throw `${used} indices for rank ${rank}`;
  if (items.filter((e) => e === '...').length > 1) throw 'there are two ...';
  if (!items.includes('...')) items.push('...');
  const start = [], step = [], count = [], shape = [];
  for (const e of items) {
    if (e === null) {
      shape.push(1);
      continue;
    }
    for (let k = e === '...' ? rank - used : 1; k > 0; k--) {
      const axis = start.length, n = a.shape[axis];
      if (typeof e === 'number') {
        const i = whole(e < 0 ? e + n : e, `index of axis ${axis}`, 0, n - 1);
        start.push(i);
        step.push(1);
        count.push(1);
        continue;
      }
      const [from, to, by] = e === '...' || e === undefined ? [] : Array.isArray(e) && e.length < 4 ? e : bad(`the slice of axis ${axis} is not understood`);
      const s = whole(by ?? 1, 'step', -MAX, MAX);
      if (s === 0) throw 'slice step cannot be zero';
      const bound = (v, none) => (v === null || v === undefined ? none : Math.min(Math.max(whole(v, 'slice', -MAX, MAX) + (v < 0 ? n : 0), s < 0 ? -1 : 0), s < 0 ? n - 1 : n));
      const begin = bound(from, s < 0 ? n - 1 : 0), c = Math.max(0, Math.ceil((bound(to, s < 0 ? -1 : n) - begin) / s));
      start.push(c ? begin : 0);
      step.push(c > 1 ? s : 1);
      count.push(c);
      shape.push(c);
    }
  }
  return { start, step, count, shape };
}

function reduce(name, x, o, defaults = { axis: null, keepdims: false }) {
  const a = array(x), { axis, keepdims, correction } = options(name, o, defaults);
  const attrs = [axesOf(name, a, axis), keepdims];
  return make(name, [a], correction === undefined ? attrs : [...attrs, correction]);
}

function arg(name, x, o) {
  const a = array(x), { axis, keepdims } = options(name, o, { axis: null, keepdims: false });
  if (axis !== null) return make(name, [a], [axisOf(name, a, axis), keepdims]);
  const r = make(name, [flat(a)], [0, false]);
  return keepdims ? reshape(r, a.shape.map(() => 1)) : r;
}

function ordered(x, o, name) {
  const a = array(x), { axis, descending } = options(name, o, { axis: -1, descending: false });
  return node('sort', [a], [axisOf('sort', a, axis), descending], 0);
}

function filled(name, shape, o, extra = [], defaults = { dtype: undefined }) {
  const { dtype, ...rest } = options(name, o, defaults);
  return make(name, [], [lengths(shape, name), ...extra, ...Object.values(rest)], dtype === undefined ? (extra.length ? guess(extra) : NUMBER) : dtypeOf(dtype));
}
