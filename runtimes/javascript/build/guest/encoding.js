// TextEncoder and TextDecoder: @exodus/bytes, without the encodings of several bytes that are not Unicode.
import { TextDecoder, TextEncoder } from '@exodus/bytes/encoding-lite.js';
import { define } from './native.js';

define({ TextDecoder, TextEncoder });
