import { AckStatus } from '@trunkline/protocol';
import { expect, test } from 'vitest';
import type { Asking } from './asking.ts';
import { Commands } from './commands.ts';
import type { Whereabouts } from './whereabouts.ts';

const MB = 1024 * 1024;

test('a command that is too long for the bus is said to nobody, and who asks is told at once', () => {
  const edges = ['b'];
  const said: string[] = [];
  const long: unknown[] = [];
  const commands = new Commands({
    edges: () => edges,
    asking: { ask: () => said.push('question') } as unknown as Asking,
    whereabouts: { edgesOf: () => new Set(['b']) } as unknown as Whereabouts,
    say: (frame) => said.push(frame.kind),
    said: () => {},
    send: () => said.push('command to one'),
    publish: () => said.push('command'),
    refuses: (bytes) => bytes > 16 * MB,
    digest: { warn: (...told) => void long.push(told) },
  });
  const everybody = { kind: 'hub' } as const;
  const settled: number[] = [];
  const asker = { settle: ({ status }: { status: number }) => void settled.push(status) };
  const question = { hub: 'chat', needs: 'allDone', asker, ms: 3_000 } as const;

  commands.tell('chat', everybody, Buffer.alloc(16 * MB));
  commands.ask(everybody, { ...question, body: Buffer.alloc(16 * MB) });
  expect([said, settled]).toEqual([[], [AckStatus.InternalServerError]]);
  const line = [{ hub: 'chat' }, 'not said to other edges: too long', { bytes: 16 * MB }];
  expect(long).toEqual([line, line]);

  commands.tell('chat', everybody, Buffer.alloc(15 * MB));
  commands.ask(everybody, { ...question, body: Buffer.alloc(15 * MB) });
  expect(said).toEqual(['command', 'question']);

  edges.length = 0;
  commands.ask(everybody, { ...question, body: Buffer.alloc(16 * MB) });
  expect([said.length, settled.length]).toEqual([3, 1]);
});
