import { ByteReader, MessageType } from '@trunkline/protocol';
import { beforeEach, expect, test } from 'vitest';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';

type Page = [members: [id: string, userId: string | null][], next: string | null];

let edge: TestEdge;
let server: FakeServer;

beforeEach(async () => {
  edge = new TestEdge();
  server = await edge.server();
});

interface Asked {
  readonly top?: number;
  readonly maxPageSize?: number;
}

async function ask(
  group: string,
  { top, maxPageSize }: Asked = {},
  continuationToken?: string,
): Promise<Page> {
  const type = MessageType.GroupMemberQuery;
  server.says({ type, group, ackId: 7, top, continuationToken, maxPageSize });
  const [ack] = await server.messages();
  if (ack?.type !== MessageType.Ack || ack.payload === undefined) throw new Error('no answer');
  expect(ack).toMatchObject({ ackId: 7, status: 1 });
  return read(ack.payload);
}

/** `[ [ [id, user or nil] ... ], token or nil ]` */
function read(payload: Uint8Array): Page {
  const reader = new ByteReader(payload);
  const textOrNull = (): string | null => (reader.nil() ? null : reader.text());
  expect(reader.arrayHeader()).toBe(2);
  const members = Array.from({ length: reader.arrayHeader() }, (): [string, string | null] => {
    expect(reader.arrayHeader()).toBe(2);
    return [reader.text(), textOrNull()];
  });
  return [members, textOrNull()];
}

async function join(group: string, userId: string | undefined): Promise<string> {
  const client = await edge.client(server, { userId });
  server.says({ type: MessageType.JoinGroup, connectionId: client.id, group });
  return client.id;
}

test('a group that nobody is in has no members', async () => {
  expect(await ask('g')).toEqual([[], null]);
});

test('members come with their users', async () => {
  const ann = await join('g', 'ann');
  const nobody = await join('g', undefined);
  await join('other', 'ben');
  const [members, next] = await ask('g');
  expect(new Map(members)).toEqual(
    new Map([
      [ann, 'ann'],
      [nobody, null],
    ]),
  );
  expect(next).toBeNull();
});

/** Asks on until there is no more; `between` happens after each page. */
async function list(asked: Asked, between?: () => Promise<unknown>): Promise<string[][]> {
  const pages: string[][] = [];
  let next: string | undefined;
  do {
    const [members, token] = await ask('g', asked, next);
    pages.push(members.map(([id]) => id));
    next = token ?? undefined;
    await between?.();
  } while (next !== undefined);
  return pages;
}

test('page by page, each member comes once', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push(await join('g', `user ${i}`));
  for (const asked of [{ top: 3 }, { maxPageSize: 3 }, { top: 3, maxPageSize: 5 }]) {
    const pages = await list(asked);
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(pages.flat().toSorted()).toEqual(ids.toSorted());
  }
});

test('members that stay come once each, whoever comes and goes between the pages', async () => {
  const stay: string[] = [];
  const go: FakeClient[] = [];
  for (let i = 0; i < 40; i++) {
    const client = await edge.client(server);
    server.says({ type: MessageType.JoinGroup, connectionId: client.id, group: 'g' });
    if (i % 2 === 0) stay.push(client.id);
    else go.push(client);
  }
  const pages = await list({ maxPageSize: 3 }, async () => {
    go.shift()?.socket.leave(1005);
    // Takes the slot that is free, in front of the pages to come or behind them.
    const newcomer = edge.strangeClient();
    newcomer.says(JSON_HANDSHAKE);
    server.says({ type: MessageType.JoinGroup, connectionId: newcomer.id, group: 'g' });
    const connectionId = stay[0]!;
    server.says({ type: MessageType.LeaveGroup, connectionId, group: 'g' });
    server.says({ type: MessageType.JoinGroup, connectionId, group: 'g' });
    await server.messages();
  });
  const listed = pages.flat();
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed).toEqual(expect.arrayContaining(stay));
});

test('a group of few costs no look at the slots of all others', async () => {
  const { clients } = edge.context;
  const early = [await join('g', 'ann'), await join('g', 'ben')];
  for (let slot = clients.slots; slot < 120_000; slot++) clients.reserve();
  const late = [await join('g', 'cem'), await join('g', 'dee')];
  const all = [...early, ...late];
  expect(await list({ top: 3 })).toEqual([all.slice(0, 3), all.slice(3)]);
});

test('a page of many has members alone, whoever has the slots between them', async () => {
  const members: string[] = [];
  for (let n = 0; n < 60; n++) {
    const id = await join(n % 2 === 0 ? 'g' : 'other', undefined);
    if (n % 2 === 0) members.push(id);
  }
  const [listed] = await ask('g', { maxPageSize: 5 });
  expect(listed.map(([id]) => id)).toEqual(members.slice(0, 5));
});

test('looks at 50,000 slots for a page of many, which may be short or empty then', async () => {
  const { clients } = edge.context;
  const early = [await join('g', 'ann'), await join('g', 'ben')];
  for (let slot = clients.slots; slot < 120_000; slot++) clients.reserve();
  const late: string[] = [];
  for (let n = 0; n < 700; n++) late.push(await join('g', undefined));
  expect((await list({ top: 3 })).slice(0, 3)).toEqual([early, [], late.slice(0, 3)]);
});

test('has one member at least, and a thousand at most, when nothing else is said', async () => {
  await join('g', 'ann');
  await join('g', 'ben');
  expect((await ask('g', { top: 0 }))[0]).toHaveLength(1);
  expect((await ask('g', { maxPageSize: -5 }))[0]).toHaveLength(1);
  for (let i = 2; i < 1001; i++) await join('g', undefined);
  expect((await list({})).map(({ length }) => length)).toEqual([1000, 1]);
  expect((await list({ top: 5000 })).map(({ length }) => length)).toEqual([1000, 1]);
});

test.each(['x', '-1', '1.5', '1e400'])('a token %s of nobody is an error', async (token) => {
  const type = MessageType.GroupMemberQuery;
  const asked = { top: undefined, maxPageSize: undefined };
  server.says({ type, group: 'g', ackId: 7, continuationToken: token, ...asked });
  expect(await server.heard()).toEqual([['ack', 7, 4]]);
});
