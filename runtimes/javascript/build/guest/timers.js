// setTimeout and its relatives, made of the host call spore.sleep.
//
// One sleep at a time is enough: the one until the earliest timer. A timer that becomes the earliest gets a sleep of its
// own, and when a sleep ends, everything that is due runs in order and the next sleep begins. A timer that goes away takes
// its sleep with it, so that a guest which is put aside waits for nothing that nobody needs.
import { abandon, begin, cancel } from './calls.js';
import { define, native } from './native.js';

const MAX_DELAY = 0x7fffffff;
const { now } = native;

let lastId = 0;
let waking = false; // callbacks run, and the next sleep begins after them
const timers = new Map(); // id → timer
const sleepers = new Set(); // the timers that have a sleep

const before = (a, b) => a.due - b.due || a.id - b.id;

function earliest() {
  let first;
  for (const t of timers.values()) if (!first || before(t, first) < 0) first = t;
  return first;
}

function arm() {
  const t = waking ? undefined : earliest();
  if (!t) return;
  for (const other of sleepers) if (other.due <= t.due) return;
  const end = t.due;
  sleepers.add(t);
  try {
    t.sleep = begin('spore.sleep', { __proto__: null, ms: Math.max(end - now(), 0) }, (error) => {
      awake(t);
      if (error) native.fail(error);
      else wake(end);
    });
  } catch (e) {
    awake(t);
    throw e;
  }
}

function awake(t) {
  t.sleep = 0;
  sleepers.delete(t);
}

// remove takes a timer away. Another may need a sleep then; see arm.
function remove(t) {
  timers.delete(t.id);
  const id = t.sleep;
  awake(t);
  if (id !== 0) cancel(id);
  return id !== 0;
}

// wake runs what is due, with a sleep that has ended: its time has come, whatever the clock shows. Timers that a callback
// adds wait for the next sleep.
function wake(end) {
  const limit = Math.max(end, now());
  const last = lastId;
  waking = true;
  for (;;) {
    let first;
    for (const t of timers.values()) {
      if (t.id <= last && t.due <= limit && !t.ran && (!first || before(t, first) < 0)) first = t;
    }
    if (!first) break;
    if (first.repeat) first.ran = true;
    else remove(first);
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
    if (t.sleep !== 0) { // until the time at which it ran
      cancel(t.sleep);
      awake(t);
    }
  }
  waking = false;
  arm();
}

function add(callback, delay, args, repeat) {
  if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
  const n = +delay;
  const ms = n >= 1 && n <= MAX_DELAY ? Math.trunc(n) : repeat ? 1 : 0;
  const id = ++lastId;
  timers.set(id, { id, callback, args, delay: ms, due: now() + ms, repeat, ran: false, sleep: 0 });
  try {
    arm();
  } catch (e) {
    timers.delete(id);
    throw e;
  }
  return id;
}

function clear(id) {
  const t = timers.get(typeof id === 'number' ? id : +id);
  if (t && remove(t)) arm();
}

// restart is called at the first start of an image: the sleeps of the one that loaded the component are gone.
export function restart() {
  abandon();
  for (const t of timers.values()) awake(t);
  arm();
}

define({
  setTimeout: function setTimeout(callback, delay, ...args) { return add(callback, delay, args, false); },
  setInterval: function setInterval(callback, delay, ...args) { return add(callback, delay, args, true); },
  setImmediate: function setImmediate(callback, ...args) { return add(callback, 0, args, false); },
  clearTimeout: function clearTimeout(id) { clear(id); },
  clearInterval: function clearInterval(id) { clear(id); },
  clearImmediate: function clearImmediate(id) { clear(id); },
});
