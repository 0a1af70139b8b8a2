// An exported getter that never returns.
// class: compile
// expect: limit CompileTime
// compile:
Object.defineProperty(exports, 'render', { enumerable: true, get() { for (;;); } });
