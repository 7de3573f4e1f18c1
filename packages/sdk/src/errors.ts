/** Thrown by a hub method to tell the caller why: its message reaches the client, others' do not. */
export class HubError extends Error {
  override name = 'HubError';
}

/** What a `TrunklineError` is about. */
export type TrunklineErrorCode =
  | 'bad-options' // options or a hub class that cannot work
  | 'unauthorized' // the service refused the access key, or the token made with it
  | 'not-connected' // no server connection to send on
  | 'outbound-full' // the service does not take what was sent before
  | 'ack-timeout' // the service did not confirm in time, or could not
  | 'client-gone' // the client that a result was awaited from is not there, says the service
  | 'client-too-old' // the client that a result was asked of cannot answer
  | 'refused' // the service does not accept a REST call, or that a client is asked like this
  | 'throttled' // the service was told too much while a REST call lasted, or awaits too many results
  | 'unavailable' // the service did not answer a REST call in time, or nobody could ask a client
  | 'wrong-place'; // a call that cannot work where it was made

/** What goes wrong between an app server and the service. The message says what to do. */
export class TrunklineError extends Error {
  override readonly name = 'TrunklineError';
  readonly code: TrunklineErrorCode;

  constructor(code: TrunklineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For options or a hub class that cannot work. */
export function badOptions(why: string): TrunklineError {
  return new TrunklineError('bad-options', why);
}

// The next two are named as in .NET, because their names are part of the error texts that clients
// read where errors are detailed (client protocols reference, section 6.4).

/** A client sent what is not a hub message, or what a method cannot take. */
export class InvalidDataException extends Error {
  override readonly name = 'InvalidDataException';
}

/** A client was silent for too long, or went away while something of it was awaited. */
export class OperationCanceledException extends Error {
  override readonly name = 'OperationCanceledException';
}

/** Whether an error is of those that end what a signal, or a client that goes, has cancelled. */
export function isCancellation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || error instanceof OperationCanceledException;
}

/**
 * An error text for a client: `base`, and ` <Type>: <message>` behind it for a HubError, or for any
 * error where `detailed` (client protocols reference, section 6.4). A HubError's type is written
 * HubException, the name that clients know.
 */
export function clientErrorText(base: string, error: unknown, detailed: boolean): string {
  if (error instanceof HubError) return `${base} HubException: ${errorMessage(error)}`;
  if (!detailed) return base;
  const type = error instanceof Error ? error.constructor.name : 'Error';
  return `${base} ${type}: ${errorMessage(error)}`;
}

/** Of whatever was thrown: not all of it can be made text. */
export function errorMessage(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return Object.prototype.toString.call(error);
  }
}
