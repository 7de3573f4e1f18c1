import type { ClientConnection } from '../clients/client-connection.ts';

/** What Microsoft's clients call themselves, in versions before client results. */
const OLD = /^Microsoft SignalR\/[3-6]\.\d+/;

/** Why a client cannot be asked for an answer; undefined where its connect request does not say so. */
export function tooOldToAnswer({ id, context }: ClientConnection): string | undefined {
  const name = oldVersion(context.headers);
  return name && `Connection '${id}' cannot answer: it is ${name}, and client results need 7.0.`;
}

/**
 * Name and version of a client that cannot answer, where the headers of its connect request, names in
 * lower case, say what it is: browsers' WebSockets do not. Before version 7 the JavaScript client
 * hangs up when it is asked, and the others never answer (client protocols reference, section 11).
 */
export function oldVersion(headers: Readonly<Record<string, string>>): string | undefined {
  const { 'x-signalr-user-agent': own, 'user-agent': agent } = headers;
  return OLD.exec(own ?? agent ?? '')?.[0];
}
