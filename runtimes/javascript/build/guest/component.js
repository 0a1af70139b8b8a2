// The component: what it may import, how it is loaded, and how its functions are called.
import { HostError, call, callSync } from './calls.js';
import { exec } from './cells.js';
import { Failure } from './errors.js';

const React = require('react');
const server = require('react-dom-server-legacy');

const modules = {
  __proto__: null,
  react: React,
  'react/jsx-runtime': require('react/jsx-runtime'),
  'react-dom': require('react-dom'),
  'react-dom/server': {
    renderToString: server.renderToString,
    renderToStaticMarkup: server.renderToStaticMarkup,
    version: server.version,
  },
  spore: { call, callSync, emit, HostError },
};

export function require_(name) {
  const m = modules[name];
  if (!m) throw new Error(`there is no module ${JSON.stringify(name)}; there are ${Object.keys(modules).join(', ')}`);
  return m;
}

const AsyncFunction = (async () => {}).constructor;
const AsyncGeneratorFunction = (async function* () {}).constructor;
const AsyncGenerator = AsyncGeneratorFunction.prototype.prototype;
const Generator = (function* () {}).constructor.prototype.prototype;
const { isPrototypeOf } = Object.prototype;
const ELEMENT = Symbol.for('react.transitional.element');

export const isElement = (v) => typeof v === 'object' && v !== null && v.$$typeof === ELEMENT;
// What React takes as the type of an element: a function, a class, or what memo, forwardRef, lazy and so on return.
const isType = (v) => typeof v === 'function' || (typeof v === 'object' && v !== null && typeof v.$$typeof === 'symbol');

let exported = {};

const own = (name) => (Object.hasOwn(exported, name) ? exported[name] : undefined);
const names = () => Object.keys(exported).filter((name) => typeof exported[name] === 'function');

// load evaluates a component, once. wrapper is what Lower made of it: a function of exports, require and module.
export function load(wrapper) {
  const module = { exports: {} };
  wrapper(module.exports, require_, module);
  const e = module.exports;
  // module.exports = Component, as CommonJS has it
  exported = typeof e === 'function' || isElement(e) ? { default: e } : Object(e);
  const main = own('default');
  if (!isType(main) && names().length === 0) {
    const text = 'component exports nothing: export default a React component or export function render(props)';
    throw new Failure('syntax', text, [{ file: '', line: 0, column: 0, text, lineText: '' }]);
  }
}

function element(type, props) {
  if (props !== undefined && props !== null && (typeof props !== 'object' || Array.isArray(props))) {
    throw new TypeError('the argument of render holds the properties of a React component and must be an object');
  }
  if (isElement(type)) return type;
  // An asynchronous component can stand at the top: its element is awaited, or one element after the other.
  if (type instanceof AsyncFunction || type instanceof AsyncGeneratorFunction) return type(props ?? {});
  return React.createElement(type, props);
}

// invoke calls a function of the component. `render` stands for the default export if there is none of that name.
export function invoke(name, arg) {
  if (name === 'spore.exec') return exec(arg);
  const f = own(name);
  if (name === 'render' && typeof f !== 'function' && isType(own('default'))) return element(own('default'), arg);
  if (typeof f !== 'function') {
    const there = names();
    throw new Failure('missing', `the component exports no function ${JSON.stringify(name)}; it exports ` +
      (there.length > 0 ? there.join(', ') : 'no function'));
  }
  const r = f(arg);
  return typeof r === 'object' && r !== null && !(r instanceof Promise) && typeof r.then === 'function'
    ? Promise.resolve(r) : r;
}

export const renderElement = (value) => (isElement(value) ? server.renderToStaticMarkup(value) : value);

// emit hands one part of the result to whoever reads it, and waits until the next is wanted.
async function emit(value) {
  await call('spore.emit', renderElement(value));
}

const isGenerator = (v) => typeof v === 'object' && v !== null && (isPrototypeOf.call(AsyncGenerator, v) || isPrototypeOf.call(Generator, v));

// stream emits what a generator yields. What goes wrong with that is thrown where it yielded.
async function stream(generator) {
  let step = await generator.next();
  while (!step.done) {
    try {
      await emit(await step.value);
    } catch (e) {
      step = await generator.throw(e);
      continue;
    }
    step = await generator.next();
  }
  return step.value;
}

// present makes the result of what a function returned: it renders an element, and a generator is run to its end, for which
// there is a promise then. Anything else stays what it is.
export const present = (value) => (isGenerator(value) ? stream(value) : renderElement(value));

// componentExports is what the module "component" is in a cell.
export const componentExports = () => exported;
