// Imports that look for files, addresses and the host.
// class: compile
// expect: source
// compile:
import a from '/etc/passwd';
import b from 'node:fs';
import c from '../../../go.mod';
import d from 'data:text/javascript,1';
export const render = (p) => `fine ${p.n}`;
