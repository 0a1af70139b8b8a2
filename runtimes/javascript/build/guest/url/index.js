// URL and URLSearchParams: whatwg-url, the reference implementation. What it needs of other packages is replaced by the
// modules of this folder (see bundle/main.go), which leave out 300 KB of tables for encodings other than UTF-8 and for
// the names of domains.
import '../encoding.js';
import { define } from '../native.js';

const wrappers = require('whatwg-url/webidl2js-wrapper.js');

const scope = { Array, Object, Promise, String, TypeError };
wrappers.URL.install(scope, ['Window']);
wrappers.URLSearchParams.install(scope, ['Window']);
define({ URL: scope.URL, URLSearchParams: scope.URLSearchParams });
