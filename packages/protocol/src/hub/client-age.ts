/** What Microsoft's clients call themselves, in versions before client results. */
const OLD = /^Microsoft SignalR\/[3-6]\.\d+/;

/**
 * Name and version of a client that cannot answer what a hub asks, where the headers of its connect
 * request, by names in lower case, say what it is: browsers' WebSockets do not. Before version 7 the
 * JavaScript client hangs up when it is asked, and the others never answer (client protocols reference,
 * section 11).
 */
export function oldVersion(header: (name: string) => string | undefined): string | undefined {
  return OLD.exec(header('x-signalr-user-agent') ?? header('user-agent') ?? '')?.[0];
}

const NEED = ', and client results need 7.0.';

/** The error of who asks such a client. */
export function tooOldToAnswer(connectionId: string, version: string): string {
  return `Connection '${connectionId}' cannot answer: it is ${version}${NEED}`;
}

/** Whether an error is that one. */
export function isTooOldToAnswer(error: string): boolean {
  return error.endsWith(NEED);
}
