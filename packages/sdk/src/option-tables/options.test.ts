import { describe, expect, test } from 'vitest';

import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { createManager } from '../rest/manager.ts';
import { createServer } from '../server.ts';
import * as tables from './tables.ts';

const connectionString = 'Endpoint=http://127.0.0.1;Port=1;AccessKey=secret;Version=1.0;';
const logger = { info: () => {}, warn: () => {}, error: () => {} };

class Chat extends Hub {
  send(): void {}
}

/** What is tried for every option. */
const VALUES = {
  null: null,
  true: true,
  false: false,
  'a text': 'text',
  'text of a number': '15s',
  empty: '',
  zero: 0,
  one: 1,
  'some hundred': 150,
  '1.5': 1.5,
  '-1': -1,
  '2^31': 2 ** 31,
  '2^60': 2 ** 60,
  NaN: NaN,
  Infinity: Infinity,
  '5n': 5n,
  symbol: Symbol('symbol'),
  'a function': () => undefined,
  'empty list': [],
  texts: ['text'],
  'list of null': [null],
  'list of objects': [{}],
  'list of functions': [() => undefined],
  'list of wrong filters': [{ invoke: 'text' }],
  json: ['json'],
  WebSockets: ['WebSockets'],
  primary: 'primary',
  '{}': {},
  '{ info: text }': { info: 'text', negotiate: 'text' },
  logger,
  Date: new Date(0),
  'invalid Date': new Date(NaN),
  AbortSignal: new AbortController().signal,
} as const;
type Label = keyof typeof VALUES;

const TEXT: Label[] = ['a text', 'text of a number', 'empty', 'primary'];
const OBJECTS: Label[] = ['{}', '{ info: text }', 'logger', 'Date', 'invalid Date', 'AbortSignal'];
const WHOLE: Label[] = ['one', 'some hundred', '2^31'];
const MS: Label[] = ['one', 'some hundred', '1.5'];
const FUNCTION: Label[] = ['a function'];
const EMPTY_LIST: Label[] = ['empty list'];
const FILTERS: Label[] = ['empty list', 'list of objects'];
const OBJECT_LISTS: Label[] = [...FILTERS, 'list of wrong filters'];
const SCHEMAS: Label[] = [...OBJECT_LISTS, 'list of functions'];
const POLL: Label[] = ['one', 'some hundred'];

/** By table and option: which of the values are taken. All others are to be refused. */
const TAKEN = {
  HUB_OPTIONS: {
    maximumReceiveMessageSize: ['null', ...WHOLE],
    maximumParallelInvocationsPerClient: WHOLE,
    maximumRunningCallsPerClient: WHOLE,
    streamBufferCapacity: WHOLE,
    maximumPendingBytes: WHOLE,
    enableDetailedErrors: ['true', 'false'],
    keepAliveInterval: MS,
    clientTimeoutInterval: MS,
    handshakeTimeout: MS,
    migration: [],
    supportedProtocols: ['json'],
    useBigInt: ['true', 'false'],
  },
  MAP_OPTIONS: { hub: TEXT, create: FUNCTION, authorize: FUNCTION, filters: FILTERS },
  SERVER_OPTIONS: {
    connectionString: TEXT,
    applicationName: TEXT,
    reuse: TEXT,
    endpoints: OBJECT_LISTS,
    router: OBJECTS.filter((label) => label !== '{ info: text }'),
    connectionCount: POLL,
    spreadOverEdges: ['true', 'false'],
    maximumOutboundBytes: WHOLE,
    maximumTotalPendingBytes: WHOLE,
    hubOptions: OBJECTS,
    filters: FILTERS,
    logger: ['logger'],
  },
  ENDPOINT_OPTIONS: { name: TEXT, connectionString: TEXT, type: ['primary'] },
  NEGOTIATE_OPTIONS: {
    tokenLifetimeSeconds: WHOLE,
    transports: ['WebSockets'],
    maxPollIntervalSeconds: POLL,
    userId: FUNCTION,
    claims: FUNCTION,
    expiresAt: FUNCTION,
    authenticationRefresh: ['true', 'false'],
  },
  STOP_OPTIONS: { timeout: ['zero', ...MS] },
  INVOKE_OPTIONS: { timeout: ['Infinity', ...MS], signal: ['AbortSignal'] },
  MANAGER_OPTIONS: { connectionString: TEXT, applicationName: TEXT, timeout: MS },
  CLIENT_OPTIONS: {
    tokenLifetimeSeconds: WHOLE,
    transports: ['WebSockets'],
    maxPollIntervalSeconds: POLL,
    userId: TEXT,
    claims: OBJECTS,
    expiresAt: ['Date'],
  },
  CLOSE_OPTIONS: { reason: TEXT },
  CLOSE_ALL_OPTIONS: {
    reason: TEXT,
    except: [...TEXT, ...EMPTY_LIST, 'texts', 'json', 'WebSockets'],
  },
  LIST_OPTIONS: { top: ['zero', ...WHOLE] },
  PAGE_OPTIONS: { size: POLL, continuationToken: TEXT },
  CONNECTION_SCOPE: { group: TEXT, userId: TEXT },
  LIST_CONNECTIONS_OPTIONS: { group: TEXT, userId: TEXT, top: ['zero', ...WHOLE] },
  PRESENCE_OPTIONS: { interval: MS, maximumMembers: WHOLE },
  USER_GROUP_OPTIONS: { ttl: ['zero', ...POLL] },
  METHOD_OPTIONS: {
    name: TEXT,
    aliases: [...EMPTY_LIST, 'texts', 'json', 'WebSockets'],
    parameters: [...SCHEMAS, 'zero', ...WHOLE],
    uploads: [...SCHEMAS, 'zero', ...WHOLE],
    streams: ['true', 'false'],
    authorize: FUNCTION,
  },
} as const satisfies Record<keyof typeof tables, Readonly<Record<string, readonly Label[]>>>;
type Table = keyof typeof TAKEN;

const TABLES: Readonly<Record<Table, object>> = tables;

const server = () => createServer({ connectionString, logger });
const managed = () => createManager({ connectionString }).hub('chat');

/** Where each table's options are given; what they answer is of no interest, only what they refuse. */
const DOORS: Record<Table, readonly ((options: never) => unknown)[]> = {
  SERVER_OPTIONS: [createServer],
  HUB_OPTIONS: [
    (hubOptions) => createServer({ connectionString, hubOptions }),
    (options) => server().hub('/chat', Chat, options),
  ],
  MAP_OPTIONS: [(options) => server().hub('/chat', Chat, options)],
  ENDPOINT_OPTIONS: [(endpoint) => createServer({ endpoints: [endpoint] })],
  NEGOTIATE_OPTIONS: [
    (options) => server().fastify(options),
    (options) => server().express(options),
    (options) => server().node(options),
    (options) => server().web(options),
  ],
  STOP_OPTIONS: [(options) => server().stop(options)],
  INVOKE_OPTIONS: [
    (options) => server().hub<unknown>('/chat', Chat).clients.client('id').invoke(options),
    (options) => managed().clients.client('id').invoke(options),
  ],
  MANAGER_OPTIONS: [createManager],
  CLIENT_OPTIONS: [(options) => managed().negotiate(options)],
  CLOSE_OPTIONS: [(options) => managed().closeConnection('id', options)],
  CLOSE_ALL_OPTIONS: [
    (options) => managed().closeAll(options),
    (options) => managed().closeGroup('group', options),
    (options) => managed().closeUser('user', options),
  ],
  LIST_OPTIONS: [(options) => managed().groups.connections('group', options).next()],
  PAGE_OPTIONS: [(options) => managed().groups.page('group', options)],
  CONNECTION_SCOPE: [(options) => managed().connections.count(options)],
  LIST_CONNECTIONS_OPTIONS: [(options) => managed().connections.list(options).next()],
  PRESENCE_OPTIONS: [(options) => managed().presence('group', options)],
  USER_GROUP_OPTIONS: [(options) => managed().userGroups.add('user', 'group', options)],
  METHOD_OPTIONS: [
    (send) =>
      server().hub(
        '/chat',
        class extends Chat {
          static readonly methods = { send };
        },
      ),
  ],
};

/** What a door says to options before it does anything; undefined where it lets them in. */
async function refusal(door: (options: never) => unknown, options: unknown) {
  try {
    const answer = door(options as never);
    // Calls of a manager go on to a service that is not there: those that are refused are so at once.
    const soon = new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const failed = Promise.resolve(answer).then(
      () => undefined,
      (error: unknown) => error,
    );
    return (await Promise.race([failed, soon])) as Error | undefined;
  } catch (error) {
    return error as Error;
  }
}

const isBad = (error: Error | undefined, text: string) =>
  (error as { code?: string } | undefined)?.code === 'bad-options' && error!.message.includes(text);

describe.each(Object.keys(TAKEN) as Table[])('%s', (table) => {
  const taken = TAKEN[table] as Readonly<Record<string, readonly Label[]>>;
  const own = Object.keys(TABLES[table]);
  const shared = table === 'MAP_OPTIONS' ? Object.keys(tables.HUB_OPTIONS) : [];

  test('every option of the table is tried', () => {
    expect([...Object.keys(taken), ...shared].toSorted()).toEqual(own.toSorted());
  });

  test.each(Object.entries(taken))('%s', async (name, labels) => {
    for (const door of DOORS[table]) {
      for (const [label, value] of Object.entries(VALUES)) {
        const error = await refusal(door, { [name]: value });
        const refused = isBad(error, `: ${name} takes `) && error!.message.includes(', not ');
        expect([label, refused]).toEqual([label, !labels.includes(label as Label)]);
      }
    }
  });

  test('an option that there is not, with the one that is meant', async () => {
    for (const door of DOORS[table]) {
      for (const name of own) {
        const slip = `${name.slice(0, 2)}${name.slice(3)}`;
        const text = `there is no option '${slip}'; did you mean '`;
        expect([slip, isBad(await refusal(door, { [slip]: 1 }), text)]).toEqual([slip, true]);
      }
      const far = await refusal(door, { somethingElseAltogether: undefined });
      expect(isBad(far, `there is no option 'somethingElseAltogether'; it takes ${own[0]}`)).toBe(
        true,
      );
      const proto = await refusal(door, { constructor: 1 });
      expect(isBad(proto, `there is no option 'constructor'`)).toBe(true);
    }
  });

  test('options that are no object', async () => {
    for (const door of DOORS[table]) {
      for (const options of [null, 'text', 5, [], () => {}]) {
        expect((await refusal(door, options))?.message).toMatch(/object/);
      }
    }
  });

  test('undefined is not given', async () => {
    for (const door of DOORS[table]) {
      const options = Object.fromEntries(own.map((name) => [name, undefined]));
      const error = await refusal(door, options);
      expect(error?.message ?? '').not.toMatch(/ takes |no option/);
    }
  });
});

test('says what was given and what is meant, in one line', () => {
  const say = (options: object) => () => createServer({ connectionString, ...options });
  expect(say({ keepAliveInterval: '15s' })).toThrow(
    "createServer: there is no option 'keepAliveInterval'; it takes connectionString, applicationName,",
  );
  expect(say({ hubOptions: { keepAliveInterval: '15s' } })).toThrow(
    'createServer: hubOptions: keepAliveInterval takes a number of milliseconds from 1 to 2147483647, not the text "15s"',
  );
  expect(() => server().hub('/chat', Chat, { enableDetailedErrors: 'false' as never })).toThrow(
    'server.hub(\'/chat\'): enableDetailedErrors takes true or false, not the text "false"',
  );
  expect(() => server().node({ userid: () => 'ada' } as never)).toThrow(
    "server.node: there is no option 'userid'; did you mean 'userId'?",
  );
});

test('no error shows an access key', () => {
  for (const options of [
    connectionString,
    { endpoints: connectionString },
    { endpoints: [connectionString] },
  ]) {
    const act = () => createServer(options as never);
    expect(act).toThrow(/, not /);
    expect(act).not.toThrow(/secret/);
  }
});

test('a refused stop() stops nothing', async () => {
  const { server: running, trunk } = await serve(Chat);
  await expect(running.stop({ timeout: '5s' as never })).rejects.toThrow(
    /server\.stop: timeout takes/,
  );
  expect(running.health.status).toBe('up');
  expect(trunk.closeCode).toBeUndefined();
});

test('maximumReceiveMessageSize: null is no limit', async () => {
  class Counts extends Hub {
    count(text: string): number {
      return text.length;
    }
  }
  const { trunk } = await serve(Counts, { maximumReceiveMessageSize: null });
  const client = trunk.open();
  client.call('count', ['x'.repeat(6 * 1024 * 1024)]);
  expect(await client.text(1)).toContain(`"result":${6 * 1024 * 1024}`);
});
