// Makes modules known that the embedder offers; see link.go. It is called with functions by name, each of which takes
// exports, require and module, and keeps them under a symbol of the global object. What is known already stays. It returns
// link.
(factories) => {
  const key = Symbol.for('spore.modules');
  if (!Object.hasOwn(globalThis, key)) {
    const modules = { __proto__: null };
    const linked = new WeakSet();
    // link returns a function like require that knows the modules, too.
    const link = (base) => {
      if (linked.has(base)) return base;
      const require = (name) => {
        const m = modules[name];
        if (m === undefined) return base(name);
        if (m.module === undefined) {
          const module = (m.module = { exports: {} });
          let loaded = false;
          try {
            m.factory(module.exports, require, module);
            loaded = true;
          } finally {
            if (!loaded) m.module = undefined;
          }
        }
        return m.module.exports;
      };
      linked.add(require);
      return require;
    };
    Object.defineProperty(globalThis, key, { value: { __proto__: null, modules, link } });
  }
  const { modules, link } = globalThis[key];
  for (const name in factories) modules[name] ??= { factory: factories[name], module: undefined };
  return link;
}
