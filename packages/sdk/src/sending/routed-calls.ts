/** Calls of other servers that one client may leave unanswered before the oldest is forgotten. */
export const MAX_PER_CLIENT = 100;

/**
 * Calls that other servers make to clients of this one, whose answers go back through the service
 * (service protocol reference, section 11).
 */
export class RoutedCalls {
  readonly #byClient = new Map<string, Set<string>>();

  add(invocationId: string, connectionId: string): void {
    const calls = this.#byClient.get(connectionId) ?? new Set();
    this.#byClient.set(connectionId, calls.add(invocationId));
    const [oldest] = calls;
    if (calls.size > MAX_PER_CLIENT) calls.delete(oldest!);
  }

  /** Whether such a call was open; it no longer is. */
  take(invocationId: string, connectionId: string): boolean {
    const calls = this.#byClient.get(connectionId);
    const known = calls?.delete(invocationId) === true;
    if (calls?.size === 0) this.#byClient.delete(connectionId);
    return known;
  }

  forget(connectionId: string): void {
    this.#byClient.delete(connectionId);
  }
}
