// Evaluation. These are generators, which yield calls of the host, so that they work for both forms of it.

function encode(outputs) {
  const values = new Map(); // node → number of its first result
  const order = [], stack = [], at = [];
  let count = 0;
  for (const a of outputs) {
    stack.push(nodeOf(a));
    at.push(0);
    while (stack.length > 0) { // not recursive: graphs can be deep
      const n = stack[stack.length - 1], i = at[at.length - 1]++;
      if (i < n.inputs.length && !values.has(n)) {
        const next = nodeOf(n.inputs[i]);
        if (!values.has(next)) {
          stack.push(next);
          at.push(0);
        }
        continue;
      }
      if (!values.has(n)) {
        values.set(n, count);
        count += n.op.results;
        order.push(n);
      }
      stack.pop();
      at.pop();
    }
  }
  const valueOf = (a) => values.get(nodeOf(a)) + resultOf(a);
  const attrs = [], inputs = [], constants = [];
  const words = new Uint32Array(8 + 4 * order.length); // WebAssembly is little-endian
  for (let i = 0, w = 8; i < order.length; i++, w += 4) {
    const n = order[i], ins = n.inputs, rank = ins.length;
    words[w] = n.op.number | (n.dtype << 16) | (rank << 24);
    words[w + 1] = attrs.length;
    if (rank > 0) words[w + 2] = valueOf(ins[0]);
    if (rank > 1) words[w + 3] = valueOf(ins[1]);
    for (let j = 2; j < rank; j++) varint(attrs, valueOf(ins[j]));
    for (let j = 0; j < n.attrs.length; j++) attrs.push(n.attrs[j]);
    if (n.op === OPS.asarray) inputs.push(n.data);
    else if (n.op === OPS.constant) constants.push(n);
  }
  for (const a of outputs) varint(attrs, valueOf(a));
  words.set([0x31585047, 1, order.length, inputs.length, constants.length, outputs.length, attrs.length]); // GPX1, version
  const program = new Uint8Array(words.byteLength + attrs.length);
  program.set(new Uint8Array(words.buffer));
  program.set(attrs, words.byteLength);
  return { program, inputs, constants, order };
}

function* send(constant) {
  constant.digest = (yield ['gpu.constant', { dtype: DTYPES[constant.dtype], shape: constant.shape, data: constant.data }]).digest;
}

const placed = new WeakSet(); // errors that have the stack of the component's call

// explain makes an error of this module of what the host answered. It stays the same object, by which the host knows its own error.
function explain(e, order, stack) {
  if (!(e instanceof HostError) || placed.has(e)) return e;
  placed.add(e);
  if (e instanceof GpuError) return Object.defineProperty(e, 'stack', { value: stack, writable: true, configurable: true });
  Object.setPrototypeOf(e, (e.code === 'unsupported' ? UnsupportedOp : GpuError).prototype);
  const m = /^tensor: node (\d+): /.exec(e.message);
  const n = m && order[m[1]];
  describe(e, n ? n.op.name : '', n ? n.inputs.map(typeOf) : []);
  if (n) {
    e.message = e.message.slice(m[0].length);
    stack = n.stack + stack;
  }
  return Object.defineProperty(e, 'stack', { value: stack, writable: true, configurable: true });
}

function* evaluation(arrays, stack) {
  const outputs = arrays.filter((a, i) => {
    if (!isArray(a)) bad('evaluate takes arrays');
    const n = nodeOf(a);
    return n.op !== OPS.asarray && arrays.findIndex((b) => nodeOf(b) === n && resultOf(b) === resultOf(a)) === i;
  });
  if (outputs.length === 0) return;
  const { program, inputs, constants, order } = encode(outputs);
  let stale = false, gone = false, r;
  try {
    for (const c of constants) if (!c.digest) yield* send(c);
    for (;;) {
      try {
        r = yield ['gpu.eval', { program, inputs, constants: constants.map((c) => c.digest) }];
        break;
      } catch (e) {
        const mine = constants.filter((c) => c.data);
        if (e.code === 'stale_constant' && !stale && mine.length > 0) {
          stale = true;
          for (const c of mine) yield* send(c);
        } else if (e.code === 'unavailable' && !gone) {
          gone = true; // programs have no effects
        } else {
          throw e;
        }
      }
    }
  } catch (e) {
    throw explain(e, order, stack);
  }
  outputs.forEach((a, i) => {
    const n = nodeOf(a), k = resultOf(a);
    n.leaf ??= [];
    n.leaf[k] = { op: OPS.asarray, dtype: k ? INTEGER : n.dtype, shape: n.shape, inputs: [], attrs: [], stack: n.stack, data: r.outputs[i], digest: '', leaf: undefined };
    attribute(n.leaf[k].attrs, OPS.asarray.attrs[0], n.shape);
    nodeOf(a);
  });
}

// finish and finishLater run a generator to its end. stack is that of the component's call, for errors.
function finish(steps, stack) {
  try {
    let s = steps.next();
    while (!s.done) {
      let v;
      try {
        v = callSync(s.value[0], s.value[1]);
      } catch (e) {
        s = steps.throw(e);
        continue;
      }
      s = steps.next(v);
    }
    return s.value;
  } catch (e) {
    throw explain(e, [], stack);
  }
}

async function finishLater(steps, stack) {
  try {
    let s = steps.next();
    while (!s.done) {
      let v;
      try {
        v = await call(s.value[0], s.value[1]);
      } catch (e) {
        s = steps.throw(e);
        continue;
      }
      s = steps.next(v);
    }
    return s.value;
  } catch (e) {
    throw explain(e, [], stack);
  }
}

// callers is the stack below f, as text.
function callers(f) {
  const at = {};
  captureStackTrace(at, f);
  return typeof at.stack === 'string' ? at.stack : '';
}
