import type { ClientConnection } from '../clients/client-connection.ts';

/** What Microsoft's clients call themselves, in versions before client results. */
const OLD = /^Microsoft SignalR\/[3-6]\.\d+/;

/**
 * Why a client cannot be asked for an answer, where its connect request says what it is: browsers'
 * WebSockets do not. Before version 7 the JavaScript client hangs up when it is asked, and the others
 * never answer (client protocols reference, section 11).
 */
export function tooOldToAnswer({ id, context }: ClientConnection): string | undefined {
  const { 'x-signalr-user-agent': own, 'user-agent': agent } = context.headers;
  const [name] = OLD.exec(own ?? agent ?? '') ?? [];
  return name && `Connection '${id}' cannot answer: it is ${name}, and client results need 7.0.`;
}
