// Event and EventTarget: event-target-shim. On top of it, after the DOM Standard, what the package does not have:
// CustomEvent, AbortController and AbortSignal.
import { Event, EventTarget, getEventAttributeValue, setErrorHandler, setEventAttributeValue, setWarningHandler } from 'event-target-shim';
import { define, native } from './native.js';

setErrorHandler(native.fail); // listeners do not disturb each other, nor the one that dispatches
setWarningHandler(() => {});

class CustomEvent extends Event {
  #detail;
  constructor(type, options) {
    super(type, options);
    this.#detail = options?.detail ?? null;
  }
  get detail() { return this.#detail; }
}

const key = Symbol('AbortSignal');

// A signal of timeout and any takes the trouble to be told only while somebody wants to know: a timer or a listener of its
// own would keep pending, or alive, what nobody waits for. Otherwise it looks when it is asked.
export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;
  #watchers = new Set(); // told before the listeners
  #heard = false; // has, or had, a listener
  #source; // for timeout and any: { look, start }, of which start returns how to stop
  #stop;

  constructor(k, source) {
    if (k !== key) throw new TypeError('Illegal constructor');
    super();
    this.#source = source;
  }

  get aborted() {
    if (!this.#aborted && !this.#stop) this.#source?.look(this);
    return this.#aborted;
  }
  get reason() { return this.aborted ? this.#reason : undefined; }
  get onabort() { return getEventAttributeValue(this, 'abort'); }
  set onabort(callback) {
    setEventAttributeValue(this, 'abort', callback);
    this.#hear();
  }
  throwIfAborted() { if (this.aborted) throw this.#reason; }

  addEventListener(type, callback, options) {
    super.addEventListener(type, callback, options);
    if (String(type) === 'abort') this.#hear();
  }

  static abort(reason) {
    const s = new AbortSignal(key);
    abort(s, reason);
    return s;
  }

  static timeout(ms) {
    const due = native.now() + Math.max(+ms || 0, 0);
    const end = (s) => abort(s, new DOMException('The operation timed out.', 'TimeoutError'));
    return new AbortSignal(key, {
      look: (s) => { if (native.now() >= due) end(s); },
      start(s) {
        const id = setTimeout(end, due - native.now(), s);
        return () => clearTimeout(id);
      },
    });
  }

  static any(signals) {
    const all = [...signals];
    const s = new AbortSignal(key, {
      look: (s) => {
        const first = all.find((other) => other.aborted);
        if (first) abort(s, first.reason);
      },
      start(s) {
        const stops = all.map((other) => watch(other, (reason) => abort(s, reason)));
        return () => stops.forEach((stop) => stop());
      },
    });
    void s.aborted;
    return s;
  }

  #hear() {
    this.#heard = true;
    this.#attend();
  }

  #attend() {
    const wanted = !this.#aborted && (this.#heard || this.#watchers.size > 0);
    if (wanted && !this.#stop) {
      this.#stop = this.#source?.start(this);
    } else if (!wanted && this.#stop) {
      this.#stop();
      this.#stop = undefined;
    }
  }

  [key](reason) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    this.#attend();
    for (const watcher of this.#watchers) watcher(this.#reason);
    this.#watchers.clear();
    this.dispatchEvent(new Event('abort'));
  }

  // watch is for the prelude: it calls watcher with the reason, and returns how to end that.
  static [key](signal, watcher) {
    signal.#watchers.add(watcher);
    signal.#attend();
    return () => {
      signal.#watchers.delete(watcher);
      signal.#attend();
    };
  }
}

const abort = (signal, reason) => signal[key](reason);
export const watch = AbortSignal[key];

class AbortController {
  #signal = new AbortSignal(key);
  get signal() { return this.#signal; }
  abort(reason) { abort(this.#signal, reason); }
}

for (const c of [Event, CustomEvent, EventTarget, AbortSignal, AbortController]) {
  Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
}
define({ Event, CustomEvent, EventTarget, AbortSignal, AbortController });
