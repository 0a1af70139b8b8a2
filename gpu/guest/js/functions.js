// The functions of operations, of which those with an array first are methods, too.
const FUNCTIONS = {
  asarray: (x, o) => given(x, options('asarray', o, { dtype: undefined, shape: undefined })),
  constant(x, o) {
    if (typeof x === 'object' && x !== null && !isArray(x) && typeof x.digest === 'string') {
      const a = make('constant', [], [lengths(x.shape, 'constant')], dtypeOf(x.dtype));
      nodeOf(a).digest = x.digest;
      return a;
    }
    const want = options('constant', o, { dtype: undefined, shape: undefined });
    const floats = [Float16Array, Float32Array, Float64Array];
    if (floats.includes(STORES[want.dtype]) && floats.includes(x?.constructor)) x = new STORES[want.dtype](x);
    const a = given(x, { dtype: want.dtype }, 'constant'), n = nodeOf(a);
    if (n.op === OPS.asarray) return leaf(n.data, n.dtype, want.shape === undefined ? n.shape : attempt('constant', [], () => fit(want.shape, a.size)), 'constant');
    return bad('constant takes data: evaluate the array before, and give the dtype that the data have');
  },
  zeros: (shape, o) => filled('zeros', shape, o),
  ones: (shape, o) => filled('ones', shape, o),
  full: (shape, value, o) => filled('full', shape, o, [value]),
  random_uniform: (shape, o) => filled('random_uniform', shape, o, [], { dtype: undefined, seed: 0 }),
  random_normal: (shape, o) => filled('random_normal', shape, o, [], { dtype: undefined, seed: 0 }),
  arange(start, stop, step, o) {
    const list = [start, stop, step];
    while (list.length > 0 && (list.at(-1) === undefined || typeof list.at(-1) === 'object' || typeof list.at(-1) === 'string')) {
      const last = list.pop();
      o ??= last;
    }
    [start, stop, step] = list.length === 1 ? [0, list[0]] : list;
    const { dtype } = options('arange', o, { dtype: undefined });
    const d = dtype === undefined ? guess(list) : dtypeOf(dtype), by = step ?? 1;
    if (Number(by) === 0) bad('the step of arange is 0');
    const n = Math.max(0, Math.ceil((Number(stop) - Number(start)) / Number(by)));
    return make('arange', [], [n, start, by], d);
  },
  linspace(start, stop, num, o) {
    const { dtype, endpoint } = options('linspace', o, { dtype: 'float32', endpoint: true });
    return make('linspace', [], [num, start, stop, endpoint], dtypeOf(dtype));
  },
  eye(rows, cols, o) {
    if (typeof cols === 'object' || typeof cols === 'string') [cols, o] = [undefined, o ?? cols];
    const { dtype, k } = options('eye', o, { dtype: 'float32', k: 0 });
    return make('eye', [], [rows, cols ?? rows, k], dtypeOf(dtype));
  },

  astype: (x, dtype) => astype(array(x), dtypeOf(dtype)),
  where(condition, x, y) {
    return make('where', [array(condition), ...operands([x, y])]);
  },
  clip(x, min, max) {
    if (typeof min === 'object' && min !== null && !isArray(min) && !Array.isArray(min) && !ArrayBuffer.isView(min)) ({ min, max } = options('clip', min, { min: null, max: null }));
    const low = min === undefined || min === null, high = max === undefined || max === null;
    if (low && high) return array(x);
    return low ? make('minimum', operands([x, max])) : high ? make('maximum', operands([x, min])) : make('clip', operands([x, min, max]));
  },

  sum: (x, o) => reduce('sum', x, o),
  mean: (x, o) => reduce('mean', x, o),
  var: (x, o) => reduce('var', x, o, { axis: null, keepdims: false, correction: 0 }),
  min: (x, o) => reduce('min', x, o),
  max: (x, o) => reduce('max', x, o),
  any: (x, o) => reduce('any', x, o),
  all: (x, o) => reduce('all', x, o),
  argmin: (x, o) => arg('argmin', x, o),
  argmax: (x, o) => arg('argmax', x, o),
  cumulative_sum(x, o) {
    const a = array(x), { axis } = options('cumulative_sum', o, { axis: null });
    if (axis === null && a.ndim !== 1) refuse('cumulative_sum', [typeOf(a)], 'an axis has to be given');
    return make('cumulative_sum', [a], [axisOf('cumulative_sum', a, axis ?? 0)]);
  },

  reshape(x, shape) {
    const a = array(x);
    return reshape(a, attempt('reshape', [typeOf(a)], () => fit(shape, a.size)));
  },
  permute_dims(x, axes) {
    const a = array(x);
    if (!Array.isArray(axes) || axes.length !== a.ndim) refuse('permute_dims', [typeOf(a)], `axes are ${Array.isArray(axes) ? `[${axes.join(', ')}]` : String(axes).slice(0, 40)}: ${a.ndim} are expected`);
    const order = axes.map((v) => axisOf('permute_dims', a, v));
    axesOf('permute_dims', a, axes);
    return make('permute_dims', [a], [order]);
  },
  expand_dims(x, o) {
    const a = array(x), { axis } = options('expand_dims', o, { axis: 0 });
    return make('expand_dims', [a], [axisOf('expand_dims', a, axis, a.ndim + 1)]);
  },
  squeeze(x, o) {
    const a = array(x), { axis } = options('squeeze', o, { axis: undefined });
    if (axis === undefined) refuse('squeeze', [typeOf(a)], 'an axis has to be given');
    return make('squeeze', [a], [axesOf('squeeze', a, axis)]);
  },
  broadcast_to(x, shape) {
    const a = array(x);
    return make('broadcast_to', [a], [attempt('broadcast_to', [typeOf(a)], () => lengths(shape))]);
  },
  concat(arrays, o) {
    if (!Array.isArray(arrays) || arrays.length === 0) bad('concat takes an array of arrays');
    let list = operands([...arrays]), { axis } = options('concat', o, { axis: 0 });
    if (axis === null) [list, axis] = [list.map(flat), 0];
    return make('concat', list, [axisOf('concat', list[0], axis)]);
  },
  slice(x, index) {
    const a = array(x), { start, step, count, shape } = attempt('slice', [typeOf(a)], () => ranges(a, index));
    const s = make('slice', [a], [start, step, count]);
    return words(shape) === words(count) ? s : reshape(s, shape);
  },
  take(x, indices, o) {
    const a = array(x), at = array(indices, INTEGER), { axis } = options('take', o, { axis: null });
    if (axis === null && a.ndim !== 1) refuse('take', [typeOf(a)], 'an axis has to be given');
    return make('take', [a, at], [axisOf('take', a, axis ?? 0)]);
  },

  matmul(x, y, o) {
    const { tf32 } = options('matmul', o, { tf32: false });
    return make('matmul', operands([x, y]), [tf32]);
  },
  softmax(x, o) {
    const a = array(x), { axis } = options('softmax', o, { axis: -1 });
    return make('softmax', [a], [axisOf('softmax', a, axis)]);
  },
  layer_norm(x, o) {
    const a = array(x), { axis, eps } = options('layer_norm', o, { axis: -1, eps: 1e-5 });
    return make('layer_norm', [a], [axisOf('layer_norm', a, axis), eps]);
  },
  topk(x, k, o) {
    const a = array(x), { axis, largest } = options('topk', o, { axis: -1, largest: true });
    const n = node('topk', [a], [axisOf('topk', a, axis), k, largest], 0);
    return [new GpuArray(n, 0), new GpuArray(n, 1)];
  },
  sort: (x, o) => new GpuArray(ordered(x, o, 'sort'), 0),
  argsort: (x, o) => new GpuArray(ordered(x, o, 'argsort'), 1),
};
for (const [name, op] of Object.entries(OPS)) {
  if (op.shape === 'unchanged' && op.types !== 'converted') FUNCTIONS[name] = (x) => make(name, [array(x)]);
  if (op.shape === 'stretched' && op.arity === 2) FUNCTIONS[name] = (x, y) => make(name, operands([x, y]));
}
for (const [alias, name] of Object.entries(ALIASES)) FUNCTIONS[alias] = FUNCTIONS[name];
