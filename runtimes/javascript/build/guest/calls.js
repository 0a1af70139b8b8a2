// Host calls: the module "spore".
import { native } from './native.js';

const BLOCKING = 1;

const numbers = new WeakMap(); // HostError → number of the call

// A HostError is what the host answered instead of a value.
export class HostError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
Object.defineProperty(HostError.prototype, 'name', { value: 'HostError', writable: true, configurable: true });

export const numberOf = (e) => (typeof e === 'object' && e !== null ? numbers.get(e) : undefined);

function failed(id, answer) {
  const e = new HostError(String(answer?.code ?? 'error'), String(answer?.message ?? 'the host call failed'));
  numbers.set(e, id);
  return e;
}

const waiting = new Map(); // number of a call → what to do with its answer

// begin starts a call and hands its answer to done, now or later.
export function begin(name, arg, done) {
  const r = native.call(0, name, arg);
  if (typeof r === 'number') waiting.set(r, done);
  else done(r[1] ? undefined : failed(r[0], r[2]), r[2]);
}

// settle is called by the host through C. It says whether it knows the call.
export function settle(id, ok, value) {
  const done = waiting.get(id);
  if (!done) return false;
  waiting.delete(id);
  done(ok ? undefined : failed(id, value), value);
  return true;
}

export function call(name, arg) {
  return new Promise((resolve, reject) => {
    begin(`${name}`, arg, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

export function callSync(name, arg) {
  const [id, ok, value] = native.call(BLOCKING, `${name}`, arg);
  if (!ok) throw failed(id, value);
  return value;
}
