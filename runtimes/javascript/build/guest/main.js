// The prelude: everything that components share, evaluated once by spore_boot.
import { native } from './native.js';
import { settle } from './calls.js';
import { logError } from './console.js';
import { load, invoke, present } from './component.js';
import { report } from './errors.js';
import './clone.js';
import './crypto.js';
import './encoding.js';
import './events.js';
import './intl/index.js';
import { restart } from './timers.js';
import './url.js';
import { warm } from './warm.js';

Error.stackTraceLimit = 32;

native.hooks({
  start: restart, load, invoke, present, settle, report, warm,
  unhandled: (reason) => logError('Unhandled promise rejection:', reason),
  uncaught: (e) => logError('Uncaught', e),
});
