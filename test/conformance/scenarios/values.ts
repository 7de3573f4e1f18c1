import { expect } from 'vitest';

import type { Scenario } from '../scenario.ts';

const VALUES: Readonly<Record<string, unknown>> = {
  'a string': 'hello',
  'an empty string': '',
  'unicode with emoji': 'Grüße, 世界 👩‍👩‍👧‍👦 \u{1f600} \u0000',
  'the record separator': 'before\u001eafter\u001e',
  'quotes and line ends': '"\\/\b\f\n\r\t\u2028',
  'an integer': 42,
  'a negative integer': -129,
  'the largest safe integer': Number.MAX_SAFE_INTEGER,
  'a fraction': 0.1,
  'a huge number': 1.7976931348623157e308,
  true: true,
  false: false,
  null: null,
  'an empty list': [],
  'a list': [1, 'two', null, [false, [3.5]]],
  'an empty object': {},
  'a nested object': { a: { b: [{ c: null }, {}], 'ключ 🔑': { 'x\u001ey': 1.5 } }, length: 0 },
};

function givesBack(name: string, value: unknown): Scenario {
  return {
    name: `gives back ${name}`,
    async run(context) {
      const client = await context.connect();
      expect(await client.invoke('echo', value)).toEqual(value);
      expect(await client.invoke('echoLater', value)).toEqual(value);
    },
  };
}

/** Results and arguments come back as they went. */
export const values: readonly Scenario[] = [
  ...Object.entries(VALUES).map(([name, value]) => givesBack(name, value)),
  {
    name: 'sends every value as it is',
    async run(context) {
      const client = await context.connect();
      const all = Object.values(VALUES);
      await client.invoke('relay', ['caller'], all);
      await client.numbers(1);
      expect(client.messages.all).toEqual([all]);
    },
  },
  {
    name: 'answers a method without a result with null',
    async run(context) {
      const client = await context.connect();
      expect(await client.invoke('nothing')).toBeNull();
    },
  },
  {
    name: 'carries bytes and times as the protocol can',
    async run(context) {
      const client = await context.connect();
      const time = new Date('2031-07-04T12:34:56.789Z');
      const bytes = Uint8Array.from({ length: 300 }, (_, n) => n % 256);
      if (context.kind.protocol === 'messagepack') {
        const sent = { bytes, time };
        const received = await client.invoke<typeof sent>('echo', sent);
        expect(received.time).toEqual(time);
        // Version 3 has them as a Buffer.
        expect([...received.bytes]).toEqual([...bytes]);
      } else {
        expect(await client.invoke('echo', time)).toBe('2031-07-04T12:34:56.789Z');
      }
    },
  },
  {
    name: 'carries strings of a million characters both ways',
    async run(context) {
      const client = await context.connect();
      const text = 'abcdefghij'.repeat(100_000);
      expect((await client.invoke('echo', text)) === text).toBe(true);
      await client.invoke('relay', ['caller'], [text]);
      const [received] = await client.numbers(1);
      expect(received === text).toBe(true);
    },
  },
];
