// The component: what it may import, how it is loaded, and how its functions are called.
import { HostError, call, callSync } from './calls.js';
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
  spore: { call, callSync, HostError },
};

export function require_(name) {
  const m = modules[name];
  if (!m) throw new Error(`there is no module ${JSON.stringify(name)}; there are ${Object.keys(modules).join(', ')}`);
  return m;
}

const AsyncFunction = (async () => {}).constructor;
const ELEMENT = Symbol.for('react.transitional.element');

const isElement = (v) => typeof v === 'object' && v !== null && v.$$typeof === ELEMENT;
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
  // An asynchronous component can stand at the top: its element is awaited.
  if (type instanceof AsyncFunction) return type(props ?? {});
  return React.createElement(type, props);
}

// invoke calls a function of the component. `render` stands for the default export if there is none of that name.
export function invoke(name, arg) {
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

// present renders an element; anything else stays what it is.
export const present = (value) => (isElement(value) ? server.renderToStaticMarkup(value) : value);
