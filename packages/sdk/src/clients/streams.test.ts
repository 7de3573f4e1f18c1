import { Readable } from 'node:stream';

import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeClient } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import type { HubMethods } from '../hubs/hub-methods.ts';
import { ManualClock } from '../manual-clock.test-support.ts';

const log: string[] = [];

class Streams extends Hub {
  static readonly methods = {
    countdown: {},
    upTo: {},
    readable: { streams: true },
    later: { streams: true },
    breaks: {},
    endless: {},
    stuck: {},
    sum: { uploads: 1 },
    join: { uploads: 2 },
    ignores: { uploads: 1 },
    doubled: { uploads: 1 },
    slow: { uploads: 1 },
    ping: {},
  } as const satisfies HubMethods<Streams>;

  async *countdown(from: number): AsyncGenerator<number> {
    let left = from;
    while (left > 0 && !this.signal.aborted) yield left--;
  }
  *upTo(end: number): Generator<number> {
    for (let n = 1; n <= end; n++) yield n;
  }
  readable(): Readable {
    return Readable.from(['a', 'b']);
  }
  async later(): Promise<ReadableStream<number>> {
    return new ReadableStream({
      start(controller) {
        controller.enqueue(1);
        controller.close();
      },
    });
  }
  async *breaks(): AsyncGenerator<number> {
    yield 1;
    throw new Error('secret');
  }
  async *endless(): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      log.push('endless ended');
    }
  }
  async *stuck(): AsyncGenerator<number> {
    this.signal.addEventListener('abort', () => log.push('stuck aborted'));
    await new Promise(() => {});
    yield 1;
  }
  async sum(numbers: AsyncIterable<number>): Promise<number> {
    let total = 0;
    for await (const number of numbers) total += number;
    return total;
  }
  async join(separator: string, first: AsyncIterable<string>, second: AsyncIterable<string>) {
    const texts: string[] = [];
    for await (const text of first) texts.push(text);
    for await (const text of second) texts.push(text);
    return texts.join(separator);
  }
  ignores(_numbers: AsyncIterable<number>): string {
    return 'done';
  }
  async *doubled(numbers: AsyncIterable<number>): AsyncGenerator<number> {
    for await (const number of numbers) yield number * 2;
  }
  async slow(numbers: AsyncIterable<number>): Promise<string> {
    await new Promise<void>((resolve) => (Streams.release = resolve));
    let count = 0;
    for await (const _ of numbers) count++;
    return `${count} items`;
  }
  ping(): string {
    return 'pong';
  }
  static release = () => {};
}

function stream(client: FakeClient, target: string, args: unknown[] = [], streamIds?: string[]) {
  client.json({ type: 4, invocationId: 's', target, arguments: args, streamIds });
}

const item = (value: unknown) => JSON.stringify({ type: 2, invocationId: 's', item: value });
const end = '{"type":3,"invocationId":"s"}';

function flow(client: FakeClient, operation: number): void {
  client.connection.send({
    type: MessageType.ConnectionFlowControl,
    connectionId: client.id,
    connectionType: FlowControlTarget.Client,
    operation,
  });
}

describe('a method that streams', () => {
  test.each([
    ['countdown', [3], [3, 2, 1]],
    ['upTo', [2], [1, 2]],
    ['readable', [], ['a', 'b']],
    ['later', [], [1]],
    ['countdown', [0], []],
  ])('%s(%j)', async (target, args, items) => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    stream(client, target, args);
    await until(() => client.texts.includes(end), 'the end');
    expect(client.texts).toEqual(['{}', ...items.map(item), end]);
  });

  test('an error ends it behind the items', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    stream(client, 'breaks');
    expect(await client.text(2)).toBe(
      '{"type":3,"invocationId":"s","error":"An error occurred on the server while streaming results."}',
    );
    expect(client.texts[1]).toBe(item(1));
  });

  test('runs beside calls, and ends without error when it is cancelled', async () => {
    log.length = 0;
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    stream(client, 'endless');
    client.call('ping');
    await until(() => client.texts.some((text) => text.includes('pong')), 'the answer');
    client.json({ type: 5, invocationId: 's' });
    await until(() => client.texts.includes(end), 'the end');
    expect(client.texts.at(-1)).toBe(end);
    await until(() => log.includes('endless ended'), 'the finally');
  });

  test('one that waits for ever is told by its signal, and ended all the same', async () => {
    log.length = 0;
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    stream(client, 'stuck');
    client.json({ type: 5, invocationId: 's' });
    await until(() => client.texts.includes(end), 'the end');
    expect(log).toEqual(['stuck aborted']);
    stream(client, 'stuck');
    client.close();
    await until(() => log.length === 2, 'the second abort');
  });

  test('rests while the service says that the client is slow, and calls do not', async () => {
    const { trunk } = await serve(Streams);
    const [client, other] = [trunk.open(), trunk.open({ id: 'c2' })];
    flow(client, FlowControlOperation.Pause);
    stream(client, 'upTo', [100]);
    client.call('ping');
    await until(() => client.texts.some((text) => text.includes('pong')), 'the answer');
    stream(other, 'upTo', [2]);
    await until(() => other.texts.includes(end), "the other client's end");
    // What was under way when it was told to rest.
    expect(client.texts.filter((text) => text.startsWith('{"type":2')).length).toBeLessThan(2);
    flow(client, FlowControlOperation.Resume);
    await until(() => client.texts.includes(end), 'the end');
    expect(client.texts.filter((text) => text.startsWith('{"type":2'))).toHaveLength(100);
  });

  test('waits for the service after 128 KiB, and calls do not', async () => {
    const { service, trunk } = await serve(Streams);
    service.answersChecks = false;
    const [client, other] = [trunk.open(), trunk.open({ id: 'c2' })];
    stream(client, 'upTo', [10_000]);
    const { ackId, connectionId } = await trunk.next(MessageType.CheckConnectionExistenceWithAck);
    expect(connectionId).toBe(client.id);
    stream(other, 'upTo', [2]);
    await until(() => other.texts.includes(end), "the other client's end");
    client.call('ping');
    await until(() => client.texts.some((text) => text.includes('pong')), 'the answer');
    const bytes = client.written.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(bytes).toBeGreaterThan(128 * 1024);
    expect(bytes).toBeLessThan(129 * 1024);
    service.answersChecks = true;
    trunk.confirm(ackId);
    await until(() => client.texts.includes(end), 'the end');
    expect(client.texts.filter((text) => text.startsWith('{"type":2'))).toHaveLength(10_000);
  });

  test('goes on without an answer after 10 s', async () => {
    const clock = new ManualClock();
    const { service, trunk } = await serve(Streams, { clock });
    service.answersChecks = false;
    const client = trunk.open();
    stream(client, 'upTo', [5000]);
    await trunk.next(MessageType.CheckConnectionExistenceWithAck);
    clock.advance(9_000);
    expect(client.texts).not.toContain(end);
    clock.advance(2_000);
    await until(() => client.texts.includes(end), 'the end');
  });

  test('that rests ends with its client', async () => {
    log.length = 0;
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    flow(client, FlowControlOperation.Pause);
    stream(client, 'endless');
    await until(() => client.texts.includes(item(0)), 'the first item');
    client.close();
    await until(() => log.includes('endless ended'), 'the finally');
    expect(client.texts).not.toContain(end);
  });

  test('in MessagePack', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open({ protocol: 'messagepack' });
    client.write(Buffer.from('0c950480a132a47570546f9101', 'hex'));
    expect((await client.bytes(1)).toString('hex')).toBe('06940280a13201');
    expect((await client.bytes(2)).toString('hex')).toBe('06940380a13202');
  });
});

describe('uploads', () => {
  const send = (client: FakeClient, id: string, ...items: unknown[]) => {
    for (const value of items) client.json({ type: 2, invocationId: id, item: value });
  };
  const finish = (client: FakeClient, id: string, error?: string) =>
    client.json({ type: 3, invocationId: id, error });
  const call = (client: FakeClient, target: string, args: unknown[], streamIds: string[]) =>
    client.json({ type: 1, invocationId: 's', target, arguments: args, streamIds });

  test('reach the method as async iterables', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    call(client, 'sum', [], ['u']);
    send(client, 'u', 1, 2, 3);
    finish(client, 'u');
    expect(await client.text(1)).toBe('{"type":3,"invocationId":"s","result":6}');
  });

  test('stand behind the ordinary arguments, in the order of their ids', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    call(client, 'join', ['-'], ['y', 'x']);
    send(client, 'x', 'c');
    send(client, 'y', 'a', 'b');
    finish(client, 'x');
    finish(client, 'y');
    expect(await client.text(1)).toBe('{"type":3,"invocationId":"s","result":"a-b-c"}');
  });

  test('an error of the client is thrown at the reader', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    call(client, 'sum', [], ['u']);
    finish(client, 'u', 'torn');
    expect(await client.text(1)).toBe(
      '{"type":3,"invocationId":"s","error":"An unexpected error occurred invoking \'sum\' on the server. HubException: torn"}',
    );
  });

  test('both ways at once', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    stream(client, 'doubled', [], ['u']);
    send(client, 'u', 1, 2);
    expect(await client.text(2)).toBe(item(4));
    finish(client, 'u');
    expect(await client.text(3)).toBe(end);
  });

  test('what comes after the method has returned is dropped', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    call(client, 'ignores', [], ['u']);
    send(client, 'u', ...Array.from({ length: 50 }, (_, i) => i));
    finish(client, 'u');
    client.call('ping');
    expect(await client.text(2)).toContain('pong');
    expect(client.texts[1]).toContain('done');
  });

  test('an upload that the method did not wait for is no upload any more', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    call(client, 'ignores', [], ['q']);
    await client.text(1);
    // Another server's question of that id: what the client says of it is an answer now.
    const question = { invocationId: 'q', connectionId: 'c1', callerServerId: 'srvX' };
    trunk.send({ type: MessageType.ClientInvocation, ...question, payloads: new Map() });
    client.json({ type: 3, invocationId: 'q', result: 1 });
    const { payload } = await trunk.next(MessageType.ClientCompletion);
    expect(Buffer.from(payload).toString()).toContain('"result":1');
  });

  test('ten unread items hold back what comes after them', async () => {
    const { trunk } = await serve(Streams);
    const client = trunk.open();
    call(client, 'slow', [], ['u']);
    send(client, 'u', ...Array.from({ length: 10 }, (_, i) => i));
    client.call('ping', [], 'before');
    await client.text(1);
    send(client, 'u', 10);
    client.call('ping', [], 'after');
    const other = trunk.open({ id: 'c2' });
    other.call('ping');
    await other.text(1);
    expect(client.texts).toHaveLength(2);
    Streams.release();
    expect(await client.text(2)).toContain('"after"');
    finish(client, 'u');
    expect(await client.text(3)).toContain('11 items');
  });

  test('a reader whose client goes away gets an error', async () => {
    let caught: unknown;
    let reading = false;
    class Reads extends Hub {
      static readonly methods = { read: { uploads: 1 } };
      async read(items: AsyncIterable<unknown>): Promise<void> {
        reading = true;
        try {
          for await (const _ of items);
        } catch (error) {
          caught = error;
        }
      }
    }
    const { trunk } = await serve(Reads);
    const client = trunk.open();
    call(client, 'read', [], ['u']);
    await until(() => reading, 'the call');
    client.close();
    await until(() => caught, 'the error');
    expect(String(caught)).toBe(
      'OperationCanceledException: The underlying connection was closed.',
    );
  });
});
