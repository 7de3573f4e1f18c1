import { expect } from 'vitest';

import { type Client, DEADLINE_MS, failureOf, STREAM_ENDED } from '../client.ts';
import { NEEDS, type Scenario } from '../scenario.ts';

/** What clients say of calls and streams that the connection ended before. */
const CUT_OFF = [
  'Invocation canceled due to the underlying connection being closed.',
  STREAM_ENDED,
];

/** What has happened to the connections with a tag, read through another client. */
const journal = (witness: Client, tag: string): Promise<string[]> =>
  witness.invoke<string[]>('journal', tag);

export const lifecycle: readonly Scenario[] = [
  {
    name: 'runs onConnected before the first message, which may be here already',
    several: true,
    async run(context) {
      const [gate, tag] = [context.unique('gate'), context.unique('tag')];
      const witness = await context.connect();
      const client = await context.connect({ query: { gate, tag } });
      const answer = client.invoke('journal', tag);
      await context.eventually(async () => {
        expect(await journal(witness, tag)).toEqual(['connecting']);
      });
      await witness.invoke('open', gate);
      expect(await answer).toEqual(['connecting', 'connected']);
    },
  },
  {
    name: 'lets onConnected send to its caller',
    async run(context) {
      const welcomes: string[] = [];
      const client = await context.connect({
        handlers: { welcome: (id: string) => welcomes.push(id) },
      });
      const id = await client.id();
      expect(welcomes).toEqual([id]);
    },
  },
  {
    name: 'closes for good what onConnected refuses, without onDisconnected',
    several: true,
    async run(context) {
      const tag = context.unique('tag');
      const witness = await context.connect();
      const apps = [context.farApp];
      const query = { tag, refusal: 'not you' };
      const client = context.client({ apps, reconnects: true, query });
      // A client that hears of it soon enough has never been started, and says so in its own way.
      const refused = client.connection.start().then(async () => {
        throw new Error((await client.event('closed')).error);
      });
      expect(await failureOf(refused)).toBe(
        'Server returned an error on close: Connection closed with an error. HubException: not you',
      );
      // Version 1 takes itself for connected when it is closed while it starts.
      if (context.kind.version > 1) expect(client.state).toBe('Disconnected');
      expect(client.events.all.map(({ type }) => type)).not.toContain('reconnecting');
      // Its onDisconnected would have come before that of a connection there that ends later.
      await (await context.connect({ apps, query: { tag } })).connection.stop();
      const later = ['connecting', 'connected', 'disconnected'];
      await context.eventually(async () => {
        expect(await journal(witness, tag)).toEqual(['connecting', ...later]);
      });
    },
  },
  {
    name: 'runs onDisconnected once when the client stops',
    several: true,
    async run(context) {
      const tag = context.unique('tag');
      const witness = await context.connect();
      const client = await context.connect({ query: { tag } });
      await client.id();
      await client.connection.stop();
      const ended = ['connecting', 'connected', 'disconnected'];
      await context.eventually(async () => expect(await journal(witness, tag)).toEqual(ended));
      // A second one would have come before that of a connection that ends later.
      await client.connection.start();
      await client.connection.stop();
      await context.eventually(async () => {
        expect(await journal(witness, tag)).toEqual([...ended, ...ended]);
      });
    },
  },
  {
    name: 'closes what the hub aborts, and the client does not come back',
    several: true,
    async run(context) {
      const tag = context.unique('tag');
      const witness = await context.connect();
      const client = await context.connect({ reconnects: true, query: { tag } });
      await client.connection.send('abort');
      expect(await client.event('closed')).toEqual({ type: 'closed', error: undefined });
      expect(client.events.all).toHaveLength(1);
      await context.eventually(async () => {
        expect(await journal(witness, tag)).toEqual(['connecting', 'connected', 'disconnected']);
      });
    },
  },
  {
    name: 'ends what is open when the hub ends the connection, on both sides',
    several: true,
    needs: [NEEDS.uploads],
    async run(context) {
      const tag = context.unique('tag');
      const witness = await context.connect();
      const client = await context.connect();
      const { items, ended } = client.follow('untilCancelled', tag);
      await items.first((item) => item === 'first', 'the first item', DEADLINE_MS);
      const call = failureOf(client.invoke('sum', context.subject()));
      await client.connection.send('abort');
      for (const failure of [await failureOf(ended), await call]) {
        expect(CUT_OFF).toContain(failure);
      }
      await context.eventually(async () => {
        expect(await journal(witness, tag)).toEqual(['cancelled']);
      });
    },
  },
];
