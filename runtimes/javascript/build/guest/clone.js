// structuredClone: core-js. Its module alone, without those that repair older engines.
import { define } from './native.js';

require('core-js-pure/modules/web.structured-clone.js');
const { structuredClone } = require('core-js-pure/internals/path.js');

delete structuredClone.sham; // core-js's mark on what it cannot do in full, here the transfer of other things than buffers
delete globalThis['__core-js_shared__'];
define({ structuredClone });
