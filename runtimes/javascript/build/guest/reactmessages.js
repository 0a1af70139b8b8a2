// The texts of React's errors. The production build of React has only their numbers, and a link to a page that neither
// a component nor the model that wrote it can open.
const TEXTS = {
  __proto__: null,
  31: 'Objects are not valid as a React child (found: %s). If you meant to render a collection of children, use an array instead.',
  60: 'Can only set one of `children` or `props.dangerouslySetInnerHTML`.',
  61: '`props.dangerouslySetInnerHTML` must be in the form `{__html: ...}`.',
  62: "The `style` prop expects a mapping from style properties to values, not a string. For example, style={{marginRight: spacing + 'em'}} when using JSX.",
  65: 'Invalid tag: %s',
  91: '`dangerouslySetInnerHTML` does not make sense on <textarea>.',
  92: 'If you supply `defaultValue` on a <textarea>, do not pass children.',
  93: '<textarea> can only have at most one child.',
  130: 'Element type is invalid: expected a string (for built-in components) or a class/function (for composite components) but got: %s. ' +
    'You likely forgot to export your component, or to define or import what an element names.',
  257: 'Portals are not supported on the server: render the children in place.',
  299: 'Target container is not a DOM element: there is no document here.',
  301: 'Too many re-renders. React limits the number of renders to prevent an infinite loop.',
  312: 'Rendered more hooks than during the previous render',
  321: 'Invalid hook call. Hooks can only be called inside of the body of a function component.',
  343: '%s.getChildContext(): childContextTypes must be defined in order to use getChildContext().',
  393: 'Cache cannot be refreshed during server rendering.',
  394: 'startTransition cannot be called during server rendering.',
  399: '%s is a self-closing tag and must neither have `children` nor use `dangerouslySetInnerHTML`.',
  400: 'menuitems cannot have `children` nor `dangerouslySetInnerHTML`.',
  407: 'Missing getServerSnapshot, which is required for server-rendered content: pass it to useSyncExternalStore as third argument.',
  426: 'A component suspended while it was rendered, and no <Suspense> is around it. Asynchronous work belongs into the default export, ' +
    'which may be an async function.',
  438: 'An unsupported type was passed to use(): %s',
  440: "A function wrapped in useEffectEvent can't be called during rendering.",
  460: 'Suspense Exception: This is not a real error! It is how use() interrupts a render, and must not be caught.',
  479: 'Cannot update optimistic state while rendering.',
  545: 'The %s tag may only be rendered once.',
};

// What a hook says outside of a component.
const NO_DISPATCHER = /^cannot read property 'use[A-Z]\w*' of null$/;
const MINIFIED = /^Minified React error #(\d+); visit (\S+) /;

// fullMessage replaces the message of a React error with its text, if that is known.
export function fullMessage(message) {
  if (NO_DISPATCHER.test(message)) return `${message}: ${TEXTS[321]}`;
  const m = MINIFIED.exec(message);
  const text = m && TEXTS[m[1]];
  if (!text) return message;
  const args = [...m[2].matchAll(/args\[\]=([^&]*)/g)].map((a) => decodeURIComponent(a[1]));
  return text.replace(/%s/g, () => args.shift() ?? '');
}
