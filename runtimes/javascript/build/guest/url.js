// URL and URLSearchParams: whatwg-url, the reference implementation, with tr46.js for the names of domains.
import { define } from './native.js';

const wrappers = require('whatwg-url/webidl2js-wrapper.js');

const scope = { Array, Object, Promise, String, TypeError };
wrappers.URL.install(scope, ['Window']);
wrappers.URLSearchParams.install(scope, ['Window']);
define({ URL: scope.URL, URLSearchParams: scope.URLSearchParams });
