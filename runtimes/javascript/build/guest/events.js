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

class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;

  constructor(k) {
    if (k !== key) throw new TypeError('Illegal constructor');
    super();
  }

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  get onabort() { return getEventAttributeValue(this, 'abort'); }
  set onabort(callback) { setEventAttributeValue(this, 'abort', callback); }
  throwIfAborted() { if (this.#aborted) throw this.#reason; }

  static abort(reason) {
    const s = new AbortSignal(key);
    abort(s, reason);
    return s;
  }

  static timeout(ms) {
    const s = new AbortSignal(key);
    setTimeout(() => abort(s, new DOMException('The operation timed out.', 'TimeoutError')), ms);
    return s;
  }

  static any(signals) {
    const s = new AbortSignal(key);
    for (const other of signals) {
      if (other.aborted) {
        abort(s, other.reason);
        break;
      }
      other.addEventListener('abort', () => abort(s, other.reason), { once: true });
    }
    return s;
  }

  [key](reason) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    this.dispatchEvent(new Event('abort'));
  }
}

const abort = (signal, reason) => signal[key](reason);

class AbortController {
  #signal = new AbortSignal(key);
  get signal() { return this.#signal; }
  abort(reason) { abort(this.#signal, reason); }
}

for (const c of [Event, CustomEvent, EventTarget, AbortSignal, AbortController]) {
  Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
}
define({ Event, CustomEvent, EventTarget, AbortSignal, AbortController });
