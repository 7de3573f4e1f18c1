import { createRequire, isBuiltin } from 'node:module';

/**
 * Lends CommonJS packages a global `require` of Node's own modules, until what it returns is called.
 * ESM has none, and bundlers write one that looks for a global one and throws where there is none:
 * an app bundled by esbuild as ESM would not start, because jsonwebtoken and ws require `buffer`,
 * `events` and others as they load. Call it in a module of its own that is imported before the
 * package, for imports are evaluated in their order and before what is below them.
 */
export function lendRequire(): () => void {
  const scope = globalThis as { require?: unknown };
  if ('require' in scope) return () => {};
  const nodeRequire = createRequire(process.execPath);
  scope.require = (name: string): unknown => {
    if (isBuiltin(name)) return nodeRequire(name);
    throw new Error(`'${name}' is not one of Node's own modules, and not in the bundle`);
  };
  return () => {
    delete scope.require;
  };
}
