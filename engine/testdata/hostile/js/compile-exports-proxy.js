// module.exports replaced by a proxy that throws.
// class: compile
// expect: error TypeError
// compile:
module.exports = new Proxy({}, { ownKeys() { throw new TypeError('no'); }, get() { throw new TypeError('no'); } });
