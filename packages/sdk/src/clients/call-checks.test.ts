import { Compile } from 'typebox/compile';
import * as t from 'typebox';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

import { HubError } from '../errors.ts';
import type { FakeClient } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { HubMethodOptions, HubMethods, Schema } from '../hubs/hub-methods.ts';

/** TypeBox knows no Standard Schema by itself: this is what an app writes for it. */
function typebox<Type extends t.TSchema>(type: Type): Schema<t.Static<Type>> {
  const compiled = Compile(type);
  return {
    '~standard': {
      version: 1,
      vendor: 'typebox',
      validate: (value) =>
        compiled.Check(value)
          ? { value }
          : { issues: [...compiled.Errors(value)].map(({ message }) => ({ message })) },
    },
  };
}

interface Person {
  name: string;
  age: number;
}

const notBound = (target: string) => `Failed to invoke '${target}' due to an error on the server.`;
const failed = (error: string) => JSON.stringify({ type: 3, invocationId: '1', error });
const result = (value: unknown) => JSON.stringify({ type: 3, invocationId: '1', result: value });

async function answerTo(
  hubClass: Parameters<typeof serve>[0],
  target: string,
  args: unknown[],
  enableDetailedErrors = false,
) {
  const { trunk, log } = await serve(hubClass, { enableDetailedErrors });
  const client = trunk.open();
  client.call(target, args);
  return { answer: await client.text(1), log };
}

describe.each<[string, Schema<Person>, RegExp]>([
  [
    'zod',
    z.object({ name: z.string(), age: z.number().int() }),
    /Argument 1 \(age\): Invalid input/,
  ],
  ['valibot', v.object({ name: v.string(), age: v.number() }), /Argument 1 \(age\): Invalid type/],
  [
    'typebox',
    typebox(t.Object({ name: t.String(), age: t.Number() })),
    /Argument 1: must be number/,
  ],
])('with schemas of %s', (_library, schema, issues) => {
  class Checked extends Hub {
    static readonly methods = { greet: { parameters: [schema] } };
    greet(person: Person): string {
      return `${person.name}, ${person.age}`;
    }
  }

  test('what fits is let through', async () => {
    const { answer } = await answerTo(Checked, 'greet', [{ name: 'Ada', age: 36 }]);
    expect(answer).toBe(result('Ada, 36'));
  });

  test.each([[{ name: 'Ada', age: 'old' }], [null], ['text'], [[]]])(
    '%j is refused',
    async (value) => {
      expect((await answerTo(Checked, 'greet', [value])).answer).toBe(failed(notBound('greet')));
    },
  );

  test('the issues are for detailed errors', async () => {
    const { answer } = await answerTo(Checked, 'greet', [{ name: 'Ada', age: 'old' }], true);
    const { error } = JSON.parse(answer) as { error: string };
    const text = `${notBound('greet')} InvalidDataException: Error binding arguments. Make sure that the types of the provided values match the types of the hub method being invoked. `;
    expect(error.startsWith(text)).toBe(true);
    expect(error.slice(text.length)).toMatch(issues);
  });
});

class Shapes extends Hub {
  static readonly methods = {
    add: { parameters: [z.coerce.number(), z.number().default(10)] },
    optional: { parameters: [z.string(), z.string().optional()] },
    later: { parameters: [z.string().refine(async (text) => text !== 'no', 'not that')] },
    refuses: { parameters: [throwing(new HubError('say please'))] },
    breaks: { parameters: [throwing(new Error('secret'))] },
    total: { parameters: [z.number()], uploads: [z.number()] },
    each: { uploads: [z.coerce.number()] },
    none: { parameters: [] },
  } satisfies HubMethods<Shapes>;

  add(a: number, b: number): number {
    return a + b;
  }
  optional(_text: string, more?: string): string {
    return `${arguments.length} ${more}`;
  }
  later(text: string): string {
    return text;
  }
  refuses(_value: string): void {}
  breaks(_value: string): void {}
  async total(scale: number, numbers: AsyncIterable<number>): Promise<number> {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum * scale;
  }
  async *each(numbers: AsyncIterable<number>): AsyncGenerator<number> {
    yield* numbers;
  }
  none(): string {
    return 'none';
  }
}

function throwing(error: Error): Schema<string> {
  const validate = () => {
    throw error;
  };
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

const count = (target: string, provided: number, expected: number) =>
  `${notBound(target)} InvalidDataException: Invocation provides ${provided} argument(s) but target expects ${expected}.`;

describe('arguments', () => {
  test.each<[string, unknown[], string]>([
    ['add', ['1', 2], result(3)],
    ['ADD', ['1'], result(11)],
    ['add', [], failed(count('add', 0, 2))],
    ['add', [1, 2, 3], failed(count('add', 3, 2))],
    ['none', [1], failed(count('none', 1, 0))],
    ['optional', ['a'], result('2 undefined')],
    ['optional', ['a', 'b'], result('2 b')],
    ['optional', [], failed(count('optional', 0, 2))],
    ['later', ['yes'], result('yes')],
    ['later', ['no'], 'Argument 1: not that'],
    ['refuses', ['x'], failed(`${notBound('refuses')} HubException: say please`)],
    ['breaks', ['x'], failed(`${notBound('breaks')} Error: secret`)],
  ])('%s(%j)', async (target, args, expected) => {
    expect((await answerTo(Shapes, target, args, true)).answer).toContain(expected);
  });

  test('a call or an item that is refused is told in the log, whatever the client is told', async () => {
    for (const detailed of [false, true]) {
      const { log } = await answerTo(Shapes, 'ADD', [1, 'two'], detailed);
      expect(log.lines).toEqual([
        expect.stringMatching(
          /^hub 'chat': a call of 'add' was refused: Error binding arguments\. .* Argument 2: Invalid input/,
        ),
      ]);
    }
    const { trunk, log } = await serve(Shapes);
    const client = trunk.open();
    client.json({ type: 4, invocationId: '1', target: 'each', arguments: [], streamIds: ['s'] });
    client.json({ type: 2, invocationId: 's', item: 'much' });
    expect(await client.text(1)).not.toContain('Invalid input');
    expect(log.lines).toEqual([
      expect.stringMatching(/^hub 'chat': a call of 'each' was refused: Item: Invalid input/),
    ]);
  });

  test('a client that sends nothing else fills no log', async () => {
    const clock = new ManualClock();
    const { trunk, log } = await serve(Shapes, { clock });
    const client = trunk.open();
    for (let n = 1; n <= 500; n++) {
      client.call('add', [n, `two\n\u202e${'x'.repeat(1000)}`]);
      client.call('none', ['x'.repeat(1000)]);
    }
    await client.text(1000);
    expect(log.lines).toHaveLength(2);
    clock.advance(11_000);
    expect(log.lines).toHaveLength(4);
    expect(log.lines[2]).toMatch(/^hub 'chat': 499 more calls of 'add' were refused, the last: /);
    for (const line of log.lines) {
      expect(line.length).toBeLessThan(400);
      expect(line).not.toMatch(/[\n\u202e]/);
    }
    clock.advance(60_000);
    expect(log.lines).toHaveLength(4);
  });

  test('nor does one that calls methods that there are not, and waits for no answer', async () => {
    const clock = new ManualClock();
    const { trunk, log } = await serve(Shapes, { clock });
    const client = trunk.open();
    for (let n = 1; n <= 500; n++) client.call(`${n}\n\u202e${'x'.repeat(1000)}`, [], '');
    client.call('none', [], '1');
    expect(await client.text(1)).toBe(result('none'));
    expect(log.lines).toHaveLength(1);
    clock.advance(11_000);
    expect(log.lines).toHaveLength(2);
    expect(log.lines[1]).toMatch(
      /^hub 'chat': 499 more calls that nobody waits for were refused, the last: Failed to invoke '500 x/,
    );
    for (const line of log.lines) {
      expect(line.length).toBeLessThan(400);
      expect(line).not.toMatch(/[\n\u202e]/);
    }
  });

  test('a schema that throws is for the log, unless the client is to know', async () => {
    const broken = await answerTo(Shapes, 'breaks', ['x']);
    expect(broken.answer).toBe(failed(notBound('breaks')));
    expect(broken.log.lines).toEqual(["the checks of a call of 'breaks' threw"]);
    expect((await answerTo(Shapes, 'refuses', ['x'])).log.lines).toEqual([]);
  });

  test('calls stay in order', async () => {
    const { trunk } = await serve(Shapes);
    const client = trunk.open();
    client.call('later', ['a'], '1');
    client.call('none', [], '2');
    await client.text(2);
    expect(client.texts.slice(1)).toEqual([
      result('a'),
      '{"type":3,"invocationId":"2","result":"none"}',
    ]);
  });

  test('cost nothing where there is nothing to check', async () => {
    class Plain extends Hub {
      static readonly methods: Record<string, HubMethodOptions> = { greet: { aliases: ['hi'] } };
      static turn = 'before';
      greet(): string {
        return Plain.turn;
      }
    }
    const { trunk } = await serve(Plain);
    const client = trunk.open();
    await client.text(0);
    client.call('hi');
    expect(await client.text(1)).toBe(result('before'));
  });
});

describe('uploads', () => {
  const item = (client: FakeClient, value: unknown) =>
    client.json({ type: 2, invocationId: 'u', item: value });
  const end = (client: FakeClient) => client.json({ type: 3, invocationId: 'u' });

  async function call(target: string, args: unknown[], streamIds: string[], detailed = false) {
    const { trunk } = await serve(Shapes, { enableDetailedErrors: detailed });
    const client = trunk.open();
    const type = target === 'each' ? 4 : 1;
    client.json({ type, invocationId: '1', target, arguments: args, streamIds });
    return client;
  }

  test('are there behind checked arguments', async () => {
    const client = await call('total', [2], ['u']);
    for (const value of [1, 2, 3]) item(client, value);
    end(client);
    expect(await client.text(1)).toBe(result(12));
  });

  test('have what the schema makes of each item, in order', async () => {
    const client = await call('each', [], ['u']);
    for (const value of ['1', 2, '3']) item(client, value);
    end(client);
    expect(await client.text(4)).toBe('{"type":3,"invocationId":"1"}');
    expect(client.texts.slice(1, 4).map((text) => (JSON.parse(text) as { item: 1 }).item)).toEqual([
      1, 2, 3,
    ]);
  });

  test.each([
    [false, ''],
    [true, ' InvalidDataException: Item: Invalid input: expected number, received string'],
  ])('one bad item fails its stream only (detailed: %s)', async (detailed, more) => {
    const client = await call('total', [2], ['u'], detailed);
    item(client, 1);
    item(client, 'two');
    item(client, 3);
    end(client);
    expect(await client.text(1)).toBe(
      failed(
        `An unexpected error occurred invoking 'total' on the server. HubException: Failed to bind Stream message.${more}`,
      ),
    );
    client.call('none');
    expect(await client.text(2)).toBe(result('none'));
  });

  test.each<[string, unknown[], string[], number]>([
    ['total', [2], [], 1],
    ['total', [2], ['u', 'w'], 1],
    ['none', [], ['u'], 0],
    ['each', [], [], 1],
  ])('%s(%j) with the streams %j', async (target, args, streamIds, expected) => {
    const client = await call(target, args, streamIds);
    expect(await client.text(1)).toBe(
      failed(
        `An unexpected error occurred invoking '${target}' on the server. HubException: Client sent ${streamIds.length} stream(s), Hub method expects ${expected}.`,
      ),
    );
  });
});
