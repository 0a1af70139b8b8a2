// console, in the manner of Node's.
import { define, native } from './native.js';
import { format, inspect } from './inspect.js';
import { trace } from './errors.js';

const DEBUG = -4, INFO = 0, WARN = 4, ERROR = 8;
const MAX_CELLS = 2000;

let indent = '';
const counts = new Map();
const times = new Map();

function write(level, text) {
  native.log(level, indent === '' ? text : indent + text.replaceAll('\n', '\n' + indent));
}

const print = (level) => (...args) => write(level, format(args));

// logError is for exceptions that nobody caught.
export const logError = (what, e) => native.log(ERROR, `${what} ${trace(e)}`);

function table(data, columns) {
  if (typeof data !== 'object' || data === null) return write(INFO, format([data]));
  const rows = data instanceof Map ? [...data] : data instanceof Set ? [...data].map((v, i) => [i, v]) : Object.entries(data);
  const head = columns ? columns.map(String) : [];
  let values = false;
  for (const [, row] of rows) {
    if (typeof row !== 'object' || row === null) values = true;
    else if (!columns) for (const key of Object.keys(row)) if (!head.includes(key)) head.push(key);
  }
  if (rows.length * (head.length + 1) > MAX_CELLS) return write(INFO, format([data]));
  const lines = [['(index)', ...head, ...(values ? ['Values'] : [])]];
  for (const [index, row] of rows) {
    const isObject = typeof row === 'object' && row !== null;
    lines.push([String(index), ...head.map((key) => (isObject && Object.hasOwn(row, key) ? inspect(row[key], { depth: 0 }) : '')),
      ...(values ? [isObject ? '' : inspect(row)] : [])]);
  }
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)) + 2);
  const rule = (l, m, r) => l + widths.map((w) => '─'.repeat(w)).join(m) + r;
  const body = lines.map((line) => '│' + line.map((cell, i) => (' ' + cell).padEnd(widths[i])).join('│') + '│');
  write(INFO, [rule('┌', '┬', '┐'), body[0], rule('├', '┼', '┤'), ...body.slice(1), rule('└', '┴', '┘')].join('\n'));
}

const elapsed = (label) => {
  const start = times.get(label);
  return start === undefined ? undefined : `${label}: ${(performance.now() - start).toFixed(3)}ms`;
};

const group = (...args) => {
  if (args.length > 0) write(INFO, format(args));
  indent += '  ';
};

define({
  console: {
    debug: print(DEBUG),
    log: print(INFO),
    info: print(INFO),
    warn: print(WARN),
    error: print(ERROR),
    trace: (...args) => write(ERROR, format(['Trace:', ...args]) + new Error().stack.replace(/^.*\n?/, '\n').trimEnd()),
    dir: (value, options) => write(INFO, inspect(value, options)),
    dirxml: print(INFO),
    table,
    assert: (ok, ...args) => { if (!ok) write(ERROR, format(['Assertion failed' + (args.length > 0 ? ':' : ''), ...args])); },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      write(INFO, `${label}: ${counts.get(label)}`);
    },
    countReset: (label = 'default') => void counts.delete(label),
    time: (label = 'default') => void times.set(label, performance.now()),
    timeLog: (label = 'default', ...args) => {
      const t = elapsed(label);
      if (t) write(INFO, format([t, ...args]));
    },
    timeEnd: (label = 'default') => {
      const t = elapsed(label);
      if (t) write(INFO, t);
      times.delete(label);
    },
    group,
    groupCollapsed: group,
    groupEnd: () => { indent = indent.slice(2); },
    clear: () => {},
  },
});
