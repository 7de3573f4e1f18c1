import { runUnheeded } from './unheeded.ts';

/**
 * Tells listeners, those that `rawListeners` of an emitter gives, of an event. One that throws or rejects
 * is reported, and breaks nothing: `emit` leaves out the listeners behind one that throws.
 */
export function tellListeners(
  emitter: object,
  listeners: readonly ((...given: never[]) => unknown)[],
  given: readonly unknown[],
  failed: (error: unknown) => void,
): void {
  for (const listener of listeners) {
    runUnheeded(() => Reflect.apply(listener, emitter, given), failed);
  }
}
