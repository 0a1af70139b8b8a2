// Renders testdata/react with Node and the untouched packages of npm, and writes what the runtime must answer.
//
//   npm ci --prefix DIR, with the package.json and package-lock.json of this folder in DIR, then
//   node build/reference.mjs DIR            writes the *.html files
//   node build/reference.mjs DIR --check    fails if they differ
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.NODE_ENV = 'production';
process.env.TZ = 'UTC';

const here = dirname(fileURLToPath(import.meta.url));
const corpus = join(here, '..', 'testdata', 'react');
const check = process.argv[3] === '--check';
if (!process.argv[2]) {
  console.error('usage: reference.mjs directory-with-node_modules [--check]');
  process.exit(2);
}
const require = createRequire(join(resolve(process.argv[2]), 'package.json'));
const React = require('react');
const { renderToStaticMarkup } = require('react-dom/server');

const files = readdirSync(corpus).filter((f) => f.endsWith('.tsx')).sort();
const lowered = JSON.parse(execFileSync('go', ['run', './lower', ...files.map((f) => join(corpus, f))], { cwd: here, maxBuffer: 1 << 28 }));

let different = 0;
for (const file of files) {
  const module = { exports: {} };
  (0, eval)(lowered[join(corpus, file)])(module.exports, require, module);
  const Component = module.exports.default;
  const base = join(corpus, file.slice(0, -'.tsx'.length));
  const props = existsSync(`${base}.props.json`) ? JSON.parse(readFileSync(`${base}.props.json`, 'utf8')) : undefined;
  const isAsync = Component.constructor.name === 'AsyncFunction';
  const html = renderToStaticMarkup(isAsync ? await Component(props ?? {}) : React.createElement(Component, props));
  if (!check) writeFileSync(`${base}.html`, html);
  else if (readFileSync(`${base}.html`, 'utf8') !== html) {
    console.error(`${file}: the HTML of React ${React.version} is another than the one committed`);
    different++;
  }
}
console.log(`${files.length} components, React ${React.version}, Node ${process.version}`);
process.exit(different > 0 ? 1 : 0);
