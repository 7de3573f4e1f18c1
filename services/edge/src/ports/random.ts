/**
 * Gives so many bytes that nobody can guess, valid until the next call. Injected, as time is, so that
 * a simulation that begins with the same seed goes the same way.
 */
export type Random = (bytes: number) => Uint8Array;
