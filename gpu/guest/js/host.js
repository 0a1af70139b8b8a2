// Functions of the host.

const DATATYPES = { bool: 'BOOL', uint8: 'UINT8', int32: 'INT32', int64: 'INT64', float16: 'FP16', bfloat16: 'BF16', float32: 'FP32', float64: 'FP64' };
const NAMES = Object.fromEntries(Object.entries(DATATYPES).map(([d, k]) => [k, d]));
const OTHERS = { INT8: Int8Array, INT16: Int16Array, UINT16: Uint16Array, UINT32: Uint32Array, UINT64: BigUint64Array };

const isText = (v) => Array.isArray(v) && v.length > 0 && v.every((s) => typeof s === 'string');

function texts(name, list) {
  const parts = list.map((s) => new TextEncoder().encode(s));
  const data = new Uint8Array(parts.reduce((n, p) => n + 4 + p.length, 0));
  let at = 0;
  for (const p of parts) {
    new DataView(data.buffer).setUint32(at, p.length, true);
    data.set(p, at + 4);
    at += 4 + p.length;
  }
  return { name, datatype: 'BYTES', shape: [parts.length], data };
}

// request makes the argument of gpu.call: arrays and lists are its inputs, other values its parameters.
function* request(name, args, stack) {
  if (typeof name !== 'string') bad('the first argument is the name of a function of the host');
  if (typeof args !== 'object' || args === null || Array.isArray(args)) bad('the second argument is an object of arrays and other values by name');
  const parameters = {}, list = [];
  for (const [key, v] of Object.entries(args)) {
    if (isText(v)) list.push(texts(key, v));
    else if (isArray(v) || Array.isArray(v) || ArrayBuffer.isView(v) || v instanceof ArrayBuffer) list.push([key, array(v)]);
    else if (v !== undefined) parameters[key] = v;
  }
  yield* evaluation(list.filter(Array.isArray).map(([, a]) => a), stack);
  const inputs = list.map((t) => (Array.isArray(t) ? { name: t[0], datatype: DATATYPES[t[1].dtype], shape: t[1].shape, data: nodeOf(t[1]).data } : t));
  return { function: name, parameters, inputs };
}

// answer makes an object by name of what gpu.call returned.
function answer(r) {
  const out = { ...r.parameters };
  (r.outputs ?? []).forEach((t, i) => { out[t.name || `output${i}`] = output(t); });
  return out;
}

function output({ datatype, shape, data }) {
  if (datatype in NAMES) return leaf(data, dtypeOf(NAMES[datatype]), shape);
  if (datatype in OTHERS) return new OTHERS[datatype](data.slice().buffer);
  const all = [], strict = new TextDecoder('utf-8', { fatal: true });
  for (let at = 0; at < data.length;) {
    const end = at + 4 + new DataView(data.buffer, data.byteOffset + at).getUint32(0, true), bytes = data.slice(at + 4, end);
    try { all.push(strict.decode(bytes)); } catch { all.push(bytes); }
    at = end;
  }
  return all;
}

function* calling(name, args, stack) {
  return answer(yield ['gpu.call', yield* request(name, args, stack)]);
}

function* informing() {
  return yield ['gpu.info', {}];
}

async function* parts(name, args, stack) {
  let stream;
  try {
    ({ stream } = await call('gpu.stream', await finishLater(request(name, args, stack), stack)));
    for (;;) {
      const r = await call('gpu.next', { stream });
      if (r.done) {
        stream = undefined;
        return;
      }
      yield answer(r.part);
    }
  } catch (e) {
    throw explain(e, [], stack);
  } finally {
    if (stream !== undefined) await call('gpu.close', { stream }).catch(() => {});
  }
}
