// setTimeout and its relatives, made of the host call spore.sleep.
//
// One sleep at a time is enough: the one until the earliest timer. A timer that becomes the earliest gets a sleep of its
// own, and when a sleep ends, everything that is due runs in order and the next sleep begins.
import { begin } from './calls.js';
import { define, native } from './native.js';

const MAX_DELAY = 0x7fffffff;
const { now } = Date; // a component may put a clock of its own in its place

let lastId = 0;
const timers = new Map(); // id → timer
const sleeps = new Set(); // the times at which the sleeps that are pending end

const before = (a, b) => a.due - b.due || a.id - b.id;

function earliest(limit) {
  let first;
  for (const t of timers.values()) {
    if (t.due <= limit && (!first || before(t, first) < 0)) first = t;
  }
  return first;
}

function arm() {
  const t = earliest(Infinity);
  if (!t) return;
  for (const end of sleeps) if (end <= t.due) return;
  const end = t.due;
  sleeps.add(end);
  // The clock of a guest that was resumed elsewhere may have been set back: never wait longer than the timer's own delay.
  const ms = Math.min(Math.max(end - now(), 0), t.delay);
  try {
    begin('spore.sleep', { ms }, (error) => {
      sleeps.delete(end);
      if (error) native.fail(error);
      else wake(end);
    });
  } catch (e) {
    sleeps.delete(end);
    throw e;
  }
}

// wake runs what is due. Timers that a callback adds wait for the next sleep.
function wake(end) {
  const limit = Math.max(end, now());
  const last = lastId;
  for (;;) {
    let first;
    for (const t of timers.values()) {
      if (t.id <= last && t.due <= limit && !t.ran && (!first || before(t, first) < 0)) first = t;
    }
    if (!first) break;
    if (first.repeat) first.ran = true;
    else timers.delete(first.id);
    try {
      const { callback, args } = first;
      callback(...args);
    } catch (e) {
      native.fail(e);
    }
  }
  for (const t of timers.values()) {
    if (!t.ran) continue;
    t.ran = false;
    t.due = Math.max(t.due, limit) + t.delay;
  }
  arm();
}

function add(callback, delay, args, repeat) {
  if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
  const n = +delay;
  const ms = n >= 1 && n <= MAX_DELAY ? Math.trunc(n) : repeat ? 1 : 0;
  const id = ++lastId;
  timers.set(id, { id, callback, args, delay: ms, due: now() + ms, repeat, ran: false });
  try {
    arm();
  } catch (e) {
    timers.delete(id);
    throw e;
  }
  return id;
}

const clear = (id) => void timers.delete(typeof id === 'number' ? id : +id);

define({
  setTimeout: function setTimeout(callback, delay, ...args) { return add(callback, delay, args, false); },
  setInterval: function setInterval(callback, delay, ...args) { return add(callback, delay, args, true); },
  setImmediate: function setImmediate(callback, ...args) { return add(callback, 0, args, false); },
  clearTimeout: function clearTimeout(id) { clear(id); },
  clearInterval: function clearInterval(id) { clear(id); },
  clearImmediate: function clearImmediate(id) { clear(id); },
});
