// Event, CustomEvent, EventTarget, AbortController and AbortSignal, after the DOM Standard, without a tree of nodes.
import { define, native } from './native.js';

const private_ = Symbol('event');

class Event {
  #type;
  #options;
  #prevented = false;

  constructor(type, options) {
    if (arguments.length === 0) throw new TypeError('Event: a type is required');
    this.#type = `${type}`;
    this.#options = { bubbles: Boolean(options?.bubbles), cancelable: Boolean(options?.cancelable), composed: Boolean(options?.composed) };
    Object.defineProperty(this, private_, { value: { target: null, current: null, stop: false, at: performance.now() } });
  }

  get type() { return this.#type; }
  get bubbles() { return this.#options.bubbles; }
  get cancelable() { return this.#options.cancelable; }
  get composed() { return this.#options.composed; }
  get defaultPrevented() { return this.#prevented; }
  get target() { return this[private_].target; }
  get srcElement() { return this[private_].target; }
  get currentTarget() { return this[private_].current; }
  get eventPhase() { return this[private_].current ? 2 : 0; }
  get timeStamp() { return this[private_].at; }
  get isTrusted() { return false; }
  preventDefault() { if (this.#options.cancelable) this.#prevented = true; }
  stopPropagation() {}
  stopImmediatePropagation() { this[private_].stop = true; }
  composedPath() { return this[private_].current ? [this[private_].current] : []; }
}

class CustomEvent extends Event {
  #detail;
  constructor(type, options) {
    super(type, options);
    this.#detail = options?.detail ?? null;
  }
  get detail() { return this.#detail; }
}

class EventTarget {
  #listeners = [];

  addEventListener(type, callback, options) {
    if (callback === null || callback === undefined) return;
    const o = typeof options === 'object' && options !== null ? options : { capture: Boolean(options) };
    if (o.signal?.aborted) return;
    const l = { type: `${type}`, callback, capture: Boolean(o.capture), once: Boolean(o.once), removed: false };
    if (this.#listeners.some((x) => x.type === l.type && x.callback === callback && x.capture === l.capture)) return;
    this.#listeners.push(l);
    o.signal?.addEventListener('abort', () => this.removeEventListener(type, callback, options));
  }

  removeEventListener(type, callback, options) {
    const capture = Boolean(typeof options === 'object' && options !== null ? options.capture : options);
    const i = this.#listeners.findIndex((x) => x.type === `${type}` && x.callback === callback && x.capture === capture);
    if (i >= 0) this.#listeners.splice(i, 1)[0].removed = true;
  }

  dispatchEvent(event) {
    if (!(event instanceof Event)) throw new TypeError('EventTarget.dispatchEvent: the argument must be an Event');
    const state = event[private_];
    state.target = state.current = this;
    for (const l of [...this.#listeners]) {
      if (l.type !== event.type || l.removed) continue;
      if (l.once) this.removeEventListener(l.type, l.callback, l.capture);
      try {
        if (typeof l.callback === 'function') l.callback.call(this, event);
        else l.callback.handleEvent(event);
      } catch (e) {
        native.fail(e); // listeners do not disturb each other, nor the one that dispatches
      }
      if (state.stop) break;
    }
    state.current = null;
    return !event.defaultPrevented;
  }
}

const key = Symbol('AbortSignal');

class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;
  onabort = null;

  constructor(k) {
    if (k !== key) throw new TypeError('Illegal constructor');
    super();
  }

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
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
    if (typeof this.onabort === 'function') this.addEventListener('abort', this.onabort, { once: true });
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
