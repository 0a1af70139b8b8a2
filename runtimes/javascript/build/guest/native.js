// The functions of C that the prelude works with (shim/native.c). Components never see them.
export const native = globalThis.__spore;
delete globalThis.__spore;

// define adds properties to the global object the way built-ins are: writable, not enumerable.
export function define(properties) {
  for (const name of Object.keys(properties)) {
    Object.defineProperty(globalThis, name, {
      value: properties[name], writable: true, enumerable: false, configurable: true,
    });
  }
}
