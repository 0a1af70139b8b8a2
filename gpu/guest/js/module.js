// unsupported says what there is instead of a name. It knows only such names as somebody may have meant.
function unsupported(name, known, what) {
  const snake = name.replace(/[A-Z]+/g, (c) => `_${c.toLowerCase()}`).replace(/__+/g, '_');
  let best = known.includes(snake) ? snake : NEAREST[snake] ?? NEAREST[name];
  if (!best) {
    let least = Infinity;
    for (const k of known) {
      const d = distance(snake, k);
      if (d < least) [best, least] = [k, d];
    }
    if (what === 'method' && least > (name.length > 5 ? 2 : 1)) return undefined;
  }
  const e = new UnsupportedOp('unsupported', `gpu has no ${what} ${JSON.stringify(name.slice(0, 40))}; the nearest is ${best}`, name);
  e.nearest = best;
  return e;
}

function distance(a, b) {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= Math.min(a.length, 40); i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

// What is asked of values that may be anything, beside what makes promises and modules.
const ASKED = ['name', 'message', 'stack', 'cause', 'code', 'key', 'ref', 'type', 'props', 'length', 'value'];

// guarded is a prototype that answers names which are not there with an error.
const guarded = (known, what) => new Proxy(Object.create(Object.prototype), {
  get: function get(target, name, receiver) {
    if (typeof name !== 'string' || name in target || name === 'then' || name === 'default' || name === 'toJSON' || (what === 'method' && ASKED.includes(name)) || !/^[a-z][A-Za-z0-9_]*$/.test(name)) return Reflect.get(target, name, receiver);
    const e = unsupported(name, known(), what);
    if (!e) return undefined;
    captureStackTrace(e, get);
    throw e;
  },
});

// outer makes a function of this module that components call: errors are at their line.
function outer(name, f) {
  const g = function (...args) {
    if (entry) return f.apply(this, args);
    entry = g;
    try {
      return f.apply(this, args);
    } catch (e) {
      if (e instanceof GpuError && !placed.has(e)) captureStackTrace(e, g);
      throw e;
    } finally {
      entry = null;
    }
  };
  return Object.defineProperty(g, 'name', { value: name });
}

const gpu = {
  evaluate(...arrays) {
    if (arrays.length === 1 && Array.isArray(arrays[0])) [arrays] = arrays;
    const stack = callers(gpu.evaluate);
    return finishLater(evaluation(arrays, stack), stack).then(() => arrays);
  },
  evaluateSync(...arrays) {
    if (arrays.length === 1 && Array.isArray(arrays[0])) [arrays] = arrays;
    const stack = callers(gpu.evaluateSync);
    finish(evaluation(arrays, stack), stack);
    return arrays;
  },
  call(name, args = {}) {
    const stack = callers(gpu.call);
    return finishLater(calling(name, args, stack), stack);
  },
  callSync(name, args = {}) {
    const stack = callers(gpu.callSync);
    return finish(calling(name, args, stack), stack);
  },
  stream(name, args = {}) { return parts(name, args, callers(gpu.stream)); },
  info() { return finishLater(informing(), callers(gpu.info)); },
  infoSync() { return finish(informing(), callers(gpu.infoSync)); },
  bits_to_float32: bitsToFloat32,
  GpuArray, GpuError, UnsupportedOp,
};
for (const name of DTYPES.slice(1)) gpu[name] = name;
for (const name of ['item', 'tolist', 'toJSON']) {
  const f = GpuArray.prototype[name];
  Object.defineProperty(GpuArray.prototype, name, { value: outer(name, f), writable: true, configurable: true });
}
for (const [name, f] of Object.entries(FUNCTIONS)) {
  gpu[name] = outer(name, f);
  if (CREATORS.includes(name)) continue;
  const method = outer(name, function (...args) { return f(this, ...args); });
  Object.defineProperty(GpuArray.prototype, name, { value: method, writable: true, configurable: true });
}
Object.setPrototypeOf(GpuArray.prototype, guarded(() => Object.keys(FUNCTIONS).filter((n) => !CREATORS.includes(n)), 'method'));
Object.setPrototypeOf(gpu, guarded(() => Object.keys(gpu), 'function'));

module.exports = gpu;
