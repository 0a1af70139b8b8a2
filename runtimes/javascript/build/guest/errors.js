// How an exception becomes the JSON error of the guest ABI.
import { numberOf } from './calls.js';
import { fullMessage } from './reactmessages.js';

const MAX_FRAMES = 64;
const MAX_TEXT = 16 << 10;
const MAX_TRACE = 8 << 10; // in UTF-16 code units, so at most 16 KiB of UTF-8 for all but rare text
const MAX_STACK = 64 << 10; // the interpreter's own has at most 32 frames
const MAX_NAME = 200;
const MAX_LINE = 0x7fffffff; // text can claim any position
const MAX_JSON = 21000; // in UTF-16 code units, each at most three bytes of UTF-8: an error has 64 KiB

// What a component may replace, and the report of its errors must not use then.
const { stringify } = JSON;
const { setPrototypeOf } = Object;

// A Failure is thrown by the prelude where the ABI has a kind of its own for what went wrong.
export class Failure extends Error {
  constructor(kind, message, diagnostics) {
    super(message);
    this.kind = kind;
    this.diagnostics = diagnostics;
  }
}

const clip = (s, n) => (s.length > n ? s.slice(0, n) + '…' : s).toWellFormed();

// text reads a property that may be anything, or throw.
function text(value, name) {
  try {
    const v = value[name];
    return v === undefined || v === null ? '' : String(v);
  } catch {
    return '';
  }
}

// What the interpreter prints for a frame: "    at f (file:1:2)", "    at f (native)" or "    at file:1:2".
const FRAME = /^ *at (?:(.*) \((.*)\)|(.*))$/;
const PLACE = /^(.*):(\d+):(\d+)$/;

const number = (place, i) => (place ? Math.min(+place[i], MAX_LINE) : 0);

// visible returns the lines of a stack that are the component's concern: not those of React and the prelude, nor those of
// built-in functions that these called.
function visible(stack) {
  const lines = [];
  for (const line of stack.slice(0, MAX_STACK).split('\n')) {
    if (!FRAME.test(line)) continue;
    if (!line.includes('(spore:runtime:')) {
      lines.push(line);
      continue;
    }
    while (lines.length > 0 && lines[lines.length - 1].endsWith(' (native)')) lines.pop();
  }
  return lines;
}

export function frames(stack) {
  const list = [];
  for (const line of visible(stack)) {
    const m = FRAME.exec(line);
    const place = PLACE.exec(m[2] ?? m[3]);
    const file = place ? place[1] : '';
    const func = m[1] === undefined || m[1] === '<anonymous>' || m[1] === '<eval>' ? '' : m[1]; // <eval>: a cell's top level
    if (!place && func === '') continue;
    list.push({ func: clip(func, MAX_NAME), file: clip(file, MAX_NAME), line: number(place, 2), column: number(place, 3) });
    if (list.length === MAX_FRAMES) break;
  }
  return list;
}

// describe gives name and message of anything that can be thrown.
export function describe(e) {
  let message;
  try {
    if (typeof e === 'object' && e !== null && (Error.isError(e) || typeof e.message === 'string')) {
      return { name: text(e, 'name') || 'Error', message: fullMessage(text(e, 'message')) };
    }
    message = typeof e === 'string' ? e : typeof e === 'object' && e !== null ? JSON.stringify(e) : String(e);
  } catch {
    message = Object.prototype.toString.call(e);
  }
  return { name: '', message: String(message) };
}

// trace is what a console shows for an uncaught exception.
export function trace(e) {
  const { name, message } = describe(e);
  let out = name ? (message ? `${name}: ${message}` : name) : `Uncaught ${message}`;
  const seen = [];
  for (let at = e; typeof at === 'object' && at !== null && !seen.includes(at) && seen.length < 8;) {
    if (seen.length > 0) {
      const d = describe(at);
      out += `\nCaused by: ${d.name}: ${d.message}`;
    }
    const stack = visible(text(at, 'stack'));
    if (stack.length > 0) out += '\n' + stack.join('\n');
    seen.push(at);
    try { at = at.cause; } catch { break; }
  }
  return clip(out, MAX_TRACE);
}

// serialise makes the JSON of an error, and cuts what makes it too long. Nothing in it has a prototype, where a component
// could have put a toJSON.
function serialise(error) {
  const cuts = [
    () => { error.trace = clip(error.trace, 2000); },
    () => { error.stack.length = Math.min(error.stack.length, 8); },
    () => { error.message = clip(error.message, 1000); },
    () => { error.trace = ''; error.stack.length = 0; error.message = clip(error.message, 200); error.diagnostics = undefined; },
  ];
  for (let i = 0; ; i++) {
    for (const list of [error.stack, error.diagnostics ?? []]) {
      for (const entry of list) setPrototypeOf(entry, null);
    }
    const bare = setPrototypeOf({ ...error, stack: setPrototypeOf([...error.stack], null) }, null);
    if (error.diagnostics) bare.diagnostics = setPrototypeOf([...error.diagnostics], null);
    const json = stringify(bare);
    if (json.length <= MAX_JSON || i === cuts.length) return json;
    cuts[i]();
  }
}

// syntaxDiagnostics says where code, which did not parse, is wrong.
export function syntaxDiagnostics(e, code) {
  const at = frames(text(e, 'stack'))[0] ?? { file: '', line: 0, column: 0 };
  const lineText = at.line > 0 && typeof code === 'string' ? code.split('\n')[at.line - 1] ?? '' : '';
  return [{ file: at.file, line: at.line, column: at.column, text: describe(e).message, lineText: clip(lineText, 1000) }];
}

// report makes the error of the ABI. kind is what C knows; code is source that did not parse.
export function report(e, kind, code) {
  const { name, message } = describe(e);
  const error = {
    kind, name: clip(name, MAX_NAME), message: clip(message, MAX_TEXT), stack: [], trace: '',
    diagnostics: undefined, host: undefined, // own properties, so that none of Object.prototype counts
  };
  if (e instanceof Failure) {
    error.kind = e.kind;
    error.name = '';
    error.trace = error.message;
    if (e.diagnostics) error.diagnostics = e.diagnostics;
    return serialise(error);
  }
  if (kind === 'memory' && !/^out of memory$|too (large|long)|invalid array( buffer)? length/i.test(message)) {
    error.kind = 'error'; // an allocation failed, but that was dealt with, and this is something else
  }
  error.stack = typeof e === 'object' && e !== null ? frames(text(e, 'stack')) : [];
  error.trace = trace(e);
  if (kind === 'syntax') {
    error.diagnostics = syntaxDiagnostics(e, code);
    error.stack = [];
  }
  const call = numberOf(e);
  if (call) error.host = call;
  return serialise(error);
}
