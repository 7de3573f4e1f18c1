import { expect } from 'vitest';

import { failureOf } from '../client.ts';
import type { ConnectOptions } from '../context.ts';
import { NEEDS, type Scenario, WITHOUT_CONTROL } from '../scenario.ts';

/** Turned away with a text, and the next client is not. */
function refused(
  name: string,
  poses: NonNullable<ConnectOptions['poses']>,
  why: (protocol: string) => string,
  { needs = [], ...rest }: Pick<Scenario, 'needs' | 'withoutControl'> = {},
): Scenario {
  return {
    name,
    several: true,
    needs: [NEEDS.catchableRefusal, ...needs],
    ...rest,
    async run(context) {
      const client = context.client({ poses });
      expect(await failureOf(client.connection.start())).toBe(
        `Server returned handshake error: ${why(context.kind.protocol)}`,
      );
      expect(client.state).toBe('Disconnected');
      expect(await (await context.connect()).invoke('echo', 'in order')).toBe('in order');
    },
  };
}

/** Client protocols reference, section 3.1. */
export const handshakes: readonly Scenario[] = [
  refused(
    'refuses a hub protocol that nobody knows',
    { name: 'pigeon' },
    () => "The protocol 'pigeon' is not supported.",
  ),
  refused(
    'refuses a version of the hub protocol that nobody knows',
    { version: 3 },
    (protocol) => `The server does not support version 3 of the '${protocol}' protocol.`,
    { needs: [NEEDS.protocolVersion] },
  ),
  refused(
    'refuses MessagePack over a transport for text',
    { name: 'messagepack' },
    () =>
      "Cannot use the 'messagepack' protocol on the current transport. " +
      "The transport does not support 'Binary' transfer format.",
    { needs: [NEEDS.serverSentEvents], withoutControl: WITHOUT_CONTROL.messagepack },
  ),
];
