import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeClient } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { abandon, streamSource } from './stream-source.ts';

function stream(client: FakeClient, target: string): void {
  client.json({ type: 4, invocationId: 's', target, arguments: [] });
}

const item = (value: unknown) => JSON.stringify({ type: 2, invocationId: 's', item: value });
const end = '{"type":3,"invocationId":"s"}';

describe('a stream that nobody wants any more', () => {
  /** Endless, and silent after its first item, so that a read of it is always pending. */
  class Silent extends Hub {
    static readonly methods = {
      node: { streams: true },
      web: { streams: true },
      late: { streams: true },
      iterable: { streams: true },
      undeclared: {},
    };
    static ended: string[] = [];
    node(): Readable {
      return new Readable({
        objectMode: true,
        read() {
          if (this.readableLength === 0 && !this.readableDidRead) this.push(1);
        },
        destroy(error, callback) {
          Silent.ended.push('node');
          callback(error);
        },
      });
    }
    web(): ReadableStream<number> {
      return new ReadableStream({
        start: (controller) => controller.enqueue(1),
        cancel: () => void Silent.ended.push('web'),
      });
    }
    undeclared(): ReadableStream<number> {
      return this.web();
    }
    async late(): Promise<ReadableStream<number>> {
      await new Promise<void>((resolve) => (Silent.release = resolve));
      return this.web();
    }
    iterable(): AsyncIterable<number> {
      let first = true;
      const next = () => {
        if (!first) return new Promise<never>(() => {});
        first = false;
        return Promise.resolve({ done: false, value: 1 });
      };
      const end = () => {
        Silent.ended.push('iterable');
        return Promise.resolve({ done: true as const, value: undefined });
      };
      return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
    }
    static release: (() => void) | undefined;
  }

  test.each(['node', 'web', 'iterable'])('%s is ended by a cancel, read or not', async (target) => {
    Silent.ended = [];
    const { trunk } = await serve(Silent);
    const client = trunk.open();
    stream(client, target);
    expect(await client.text(1)).toBe(item(1));
    client.json({ type: 5, invocationId: 's' });
    expect(await client.text(2)).toBe(end);
    await until(() => Silent.ended.length > 0, 'the end of the source');
    expect(Silent.ended).toEqual([target]);
  });

  test.each(['node', 'web', 'iterable'])('%s is ended when the client goes', async (target) => {
    Silent.ended = [];
    const { trunk } = await serve(Silent);
    const client = trunk.open();
    stream(client, target);
    await client.text(1);
    client.close();
    await until(() => Silent.ended.length > 0, 'the end of the source');
    expect(Silent.ended).toEqual([target]);
  });

  test.each<[string, (client: FakeClient) => void]>([
    ['cancelled', (client) => client.json({ type: 5, invocationId: 's' })],
    ['gone', (client) => client.close()],
  ])('one that comes late, when its client has %s, is ended', async (_what, leave) => {
    Silent.ended = [];
    Silent.release = undefined;
    const { trunk } = await serve(Silent);
    const client = trunk.open();
    stream(client, 'late');
    await until(() => Silent.release, 'the call');
    leave(client);
    const other = trunk.open({ id: 'c2' });
    await other.text(0);
    Silent.release!();
    await until(() => Silent.ended.length > 0, 'the end of the source');
    expect(client.texts.filter((text) => text.includes('"item"'))).toEqual([]);
  });

  test('one that nobody said would come is ended, and the app is told what to say', async () => {
    Silent.ended = [];
    const { trunk, log } = await serve(Silent);
    const client = trunk.open();
    client.call('undeclared');
    expect(await client.text(1)).toContain('with a non-streaming invocation');
    await until(() => Silent.ended.length > 0, 'the end of the source');
    expect(log.lines).toEqual([
      "hub method Silent.undeclared answered a stream, and is no generator function: say streams: true of it in Silent's static methods",
    ]);
  });
});

test('a Node stream that fails as it is ended, unread, ends nothing else', async () => {
  const uncaught: Error[] = [];
  const note = (error: Error) => void uncaught.push(error);
  process.on('uncaughtException', note);
  const failing = new Error('no end');
  const source = new Readable({ destroy: (_error, callback) => callback(failing) });
  await abandon(streamSource(source)!);
  await new Promise(setImmediate);
  process.off('uncaughtException', note);
  expect(source.errored).toBe(failing);
  expect(uncaught).toEqual([]);
});

describe('streams that cannot be read', () => {
  class Broken extends Hub {
    static readonly methods = {
      locked: { streams: true },
      lockedLater: { streams: true },
      cyclic: {},
      bytes: {},
    };
    locked(): ReadableStream<number> {
      const stream = new ReadableStream<number>();
      stream.getReader();
      return stream;
    }
    async lockedLater(): Promise<ReadableStream<number>> {
      return this.locked();
    }
    *cyclic(): Generator {
      const value: { self?: unknown } = {};
      value.self = value;
      yield value;
    }
    *bytes(): Generator<Uint8Array> {
      yield Buffer.from('hi');
    }
  }
  const answer = async (target: string) => {
    const { trunk } = await serve(Broken);
    const client = trunk.open();
    stream(client, target);
    return client.text(1);
  };

  test.each(['locked', 'lockedLater'])('%s: the call fails', async (target) => {
    expect(await answer(target)).toBe(
      `{"type":3,"invocationId":"s","error":"An unexpected error occurred invoking '${target}' on the server."}`,
    );
  });

  test('an item that cannot be written ends its stream', async () => {
    expect(await answer('cyclic')).toBe(
      '{"type":3,"invocationId":"s","error":"An error occurred on the server while streaming results."}',
    );
  });

  test('bytes can', async () => {
    expect(await answer('bytes')).toBe(item('aGk='));
  });
});

test('streams leave half of the room to what else is sent', async () => {
  class Floods extends Hub {
    static sent = 0;
    *flood(): Generator<string> {
      for (;;) {
        Floods.sent++;
        yield 'x'.repeat(10_000);
      }
    }
  }
  const { trunk, hub } = await serve(Floods, { server: { maximumOutboundBytes: 8_000_000 } });
  // With a windowful of each, more than sockets hold by themselves.
  const clients = Array.from({ length: 200 }, (_, n) => trunk.open({ id: `c${n}` }));
  await clients.at(-1)!.text(0);
  trunk.socket.pause();
  for (const client of clients) {
    client.json({ type: 4, invocationId: '1', target: 'flood', arguments: [] });
  }
  let before = -1;
  let refused = 0;
  await until(() => {
    const still = Floods.sent > 0 && Floods.sent === before;
    before = Floods.sent;
    hub.clients.all.send('m', 'still going').catch(() => refused++);
    return still;
  }, 'a stop');
  trunk.socket.resume();
  const held = Floods.sent;
  await until(() => Floods.sent > held + 100, 'more of it');
  expect(refused).toBe(0);
  for (const client of clients) client.close();
});
