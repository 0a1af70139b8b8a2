// An exported getter that never returns.
// class: compile
// expect: limit CompileTime within 25ms
// compile:
Object.defineProperty(exports, 'render', { enumerable: true, get() { for (;;); } });
