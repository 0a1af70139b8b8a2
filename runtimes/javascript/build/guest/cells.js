// Cells: further source that runs in the live interpreter, as in a notebook. It was lowered by LowerCell.
import { componentExports, isElement, renderElement, require_ } from './component.js';
import { Failure, syntaxDiagnostics } from './errors.js';
import { inspect } from './inspect.js';
import { define, native } from './native.js';

const React = require('react');

const MAX_TYPES = 32; // representations of one value
const MAX_DEPTH = 100;
const MAX_VALUES = 1_000_000;
const MIME_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(; ?[a-z0-9-]+=[\w.+-]{1,100}){0,4}$/i;
const DISPLAY = Symbol.for('spore.display');

const { isArray } = Array;
const { create, keys } = Object;
const { toString } = Object.prototype;

// What a cell sees beside the global object. JSX is made of __jsx and __Fragment.
function prepare() {
  const requireFromCell = (name) => (name === 'component' ? componentExports() : require_(name));
  define({ require: requireFromCell, __jsx: React.createElement, __Fragment: React.Fragment });
}

let prepared = false;

// exec runs a cell and returns its value as text and by MIME types, null if there is none.
export async function exec(cell) {
  const { code, name } = cell ?? {};
  if (typeof code !== 'string' || typeof name !== 'string') throw new TypeError('spore.exec takes {"code": string, "name": string}');
  if (!prepared) prepare();
  prepared = true;
  const [parsed, result] = native.evaluate(code, name);
  if (!parsed) throw new Failure('syntax', String(result.message), syntaxDiagnostics(result, code));
  const value = (await result)?.value;
  return value === undefined ? null : { text: inspect(value), data: await show(value) };
}

async function show(value) {
  if (isElement(value)) return { __proto__: null, 'text/html': renderElement(value) };
  const own = bundler(value);
  if (own !== undefined) return bundle(await own.call(value));
  if (isBytes(value)) return { __proto__: null, 'application/octet-stream': value };
  const data = { __proto__: null };
  const json = plain(value);
  if (json !== undefined) data['application/json'] = json;
  return data;
}

// bundler returns the method by which an object says how it is shown.
function bundler(value) {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  for (const name of [DISPLAY, 'toMimeBundle']) {
    const method = value[name];
    if (typeof method === 'function') return method;
  }
  return undefined;
}

function bundle(value) {
  if (typeof value !== 'object' || value === null) throw new TypeError('a MIME bundle must be an object from MIME types to values');
  const data = { __proto__: null };
  const types = keys(value);
  if (types.length > MAX_TYPES) throw new TypeError(`a MIME bundle of ${types.length} types; ${MAX_TYPES} are allowed`);
  for (const type of types) {
    if (!MIME_TYPE.test(type)) throw new TypeError(`${JSON.stringify(type.slice(0, 100))} in a MIME bundle is not a MIME type`);
    const v = value[type];
    data[type] = isElement(v) ? renderElement(v) : plain(v);
    if (data[type] === undefined) throw new TypeError(`the value of ${type} in a MIME bundle must be a string, JSON or bytes`);
  }
  return data;
}

const isBytes = (v) => v instanceof Uint8Array || v instanceof Uint8ClampedArray || v instanceof ArrayBuffer;

// plain returns a copy of a value that JSON can carry, with bytes in it as they are. It returns undefined for other values:
// those that JSON leaves out, refuses or makes something else of.
function plain(value) {
  let left = MAX_VALUES;
  const none = Symbol();
  const copy = (v, depth) => {
    if (depth > MAX_DEPTH || left-- === 0) throw none;
    switch (typeof v) {
      case 'string': case 'boolean': return v;
      case 'number':
        if (!Number.isFinite(v)) throw none;
        return v;
      case 'object': break;
      default: throw none;
    }
    if (v === null || isBytes(v)) return v;
    if (typeof v.toJSON === 'function') return copy(v.toJSON(), depth + 1);
    if (isArray(v)) {
      const list = [];
      for (let i = 0; i < v.length; i++) list.push(copy(v[i], depth + 1));
      return list;
    }
    if (toString.call(v) !== '[object Object]') throw none;
    const object = create(null);
    for (const key of keys(v)) {
      if (key === '$bytes') throw none;
      const member = v[key];
      if (member !== undefined) object[key] = copy(member, depth + 1);
    }
    return object;
  };
  try {
    return copy(value, 0);
  } catch (e) {
    if (e === none) return undefined;
    throw e;
  }
}
