import { expect } from 'vitest';

import type { Client } from '../client.ts';
import { type Context, PATIENT } from '../context.ts';
import { NEEDS, type Scenario, WITHOUT_CONTROL } from '../scenario.ts';
import type { Network } from '../../chaos/network.ts';

/** Together a third of what an edge keeps for a client. */
const FEW = 20;
/** Of these, an edge, a proxy and the kernel between them hold much less. */
const MANY = 2_000;
const PIECE = 'x'.repeat(16 * 1024);

interface Reader {
  readonly client: Client;
  readonly id: string;
  readonly tag: string;
  readonly network: Network;
  readonly witness: Client;
}

/** A client that reads nothing from now on, and another that does. */
async function stalled(context: Context): Promise<Reader> {
  const { network, via } = await context.network();
  const tag = context.unique('tag');
  const witness = await context.connect(PATIENT);
  const client = await context.connect({
    via,
    query: { tag },
    reconnects: true,
    ...PATIENT,
  });
  const id = await client.id();
  for (const link of network.links) link.stallDown();
  return { client, id, tag, network, witness };
}

export const slowReaders: readonly Scenario[] = [
  {
    name: 'keeps what a client does not read at once, and keeps it in order',
    several: true,
    withoutControl: WITHOUT_CONTROL.slowReaders,
    async run(context) {
      const { client, id, network, witness } = await stalled(context);
      for (let n = 0; n < FEW; n++) await witness.invoke('relay', ['client', id], [n, PIECE]);
      expect(client.messages.all).toEqual([]);
      for (const link of network.links) link.resume();
      expect(await client.numbers(FEW)).toEqual(Array.from({ length: FEW }, (_, n) => n));
      expect(client.events.all).toEqual([]);
    },
  },
  {
    name: 'closes a client that falls far behind, and lets it come back',
    several: true,
    needs: [NEEDS.reconnect],
    withoutControl: WITHOUT_CONTROL.slowReaders,
    async run(context) {
      const { client, id, tag, network, witness } = await stalled(context);
      const journal = (): Promise<string[]> => witness.invoke('journal', tag);
      for (let n = 0; n < MANY && (await journal()).length < 3; n += FEW) {
        for (let m = n; m < n + FEW; m++) await witness.invoke('relay', ['client', id], [m, PIECE]);
      }
      // By now it may be back.
      await context.eventually(async () => {
        expect((await journal()).slice(0, 3)).toEqual([
          'connecting',
          'connected',
          expect.stringMatching(/^disc/),
        ]);
      });
      for (const link of network.links) link.resume();
      await client.event('reconnected');
      expect(await client.id()).not.toBe(id);
      expect(witness.events.all).toEqual([]);
    },
  },
];
