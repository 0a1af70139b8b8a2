// Host calls: the module "spore".
import { AbortSignal, watch } from './events.js';
import { native } from './native.js';

const BLOCKING = 1;
const { callAsync, callSync: callBlocking } = native;
const failure = { __proto__: null, id: 0, answer: undefined }; // filled in by C

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

// refused is failed for the answer in failure, which does not stay there.
function refused() {
  const { id, answer } = failure;
  failure.answer = undefined;
  return failed(id, answer);
}

const waiting = new Map(); // number of a call → what to do with its answer
const ignore = () => {};

// begin starts a call and hands its answer to done, now or later. It returns the number of a call that is pending, else 0.
export function begin(name, arg, done) {
  const r = native.call(0, name, arg);
  if (typeof r === 'number') {
    waiting.set(r, done);
    return r;
  }
  done(r[1] ? undefined : failed(r[0], r[2]), r[2]);
  return 0;
}

// settle is called by the host through C. It says whether it knows the call.
export function settle(id, ok, value) {
  const done = waiting.get(id);
  if (!done) return false;
  waiting.delete(id);
  done(ok ? undefined : failed(id, value), value);
  return true;
}

// cancel gives up a pending call. A host that does not know how to cancel answers the call some time, to nobody.
export function cancel(id) {
  if (!waiting.has(id)) return;
  const [, ok] = native.call(BLOCKING, 'spore.cancel', { __proto__: null, id });
  if (ok) {
    waiting.delete(id);
    native.forget();
  } else {
    waiting.set(id, ignore);
  }
}

// abandon forgets all calls that are pending, of which the host knows nothing any more.
export const abandon = () => waiting.clear();

function abortable(name, arg, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    let unwatch = ignore;
    const id = begin(name, arg, (error, value) => {
      unwatch();
      if (error) reject(error);
      else resolve(value);
    });
    if (id === 0) return;
    unwatch = watch(signal, (reason) => {
      cancel(id);
      reject(reason);
    });
  });
}

export function call(name, arg, options) {
  if (options !== undefined) {
    const signal = options?.signal;
    if (signal instanceof AbortSignal) return abortable(name, arg, signal);
    if (signal !== undefined && signal !== null) return Promise.reject(new TypeError('the signal of a call must be an AbortSignal'));
  }
  const r = callAsync(name, arg, failure);
  if (r === failure) return Promise.reject(refused());
  if (typeof r !== 'number') return r;
  return new Promise((resolve, reject) => {
    waiting.set(r, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

export function callSync(name, arg) {
  const r = callBlocking(name, arg, failure);
  if (r === failure) throw refused();
  return r;
}
