import { ByteReader, MessageType } from '@trunkline/protocol';
import { beforeEach, expect, test } from 'vitest';
import type { FakeServer } from '../fixtures.test-support.ts';
import { TestEdge } from '../fixtures.test-support.ts';

type Page = [members: [id: string, userId: string | null][], next: string | null];

let edge: TestEdge;
let server: FakeServer;

beforeEach(async () => {
  edge = new TestEdge();
  server = await edge.server();
});

async function ask(
  group: string,
  maxPageSize: number | undefined,
  continuationToken?: string,
  top?: number,
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
  expect(await ask('g', 10)).toEqual([[], null]);
});

test('members come with their users', async () => {
  const ann = await join('g', 'ann');
  const nobody = await join('g', undefined);
  await join('other', 'ben');
  const [members, next] = await ask('g', 10);
  expect(new Map(members)).toEqual(
    new Map([
      [ann, 'ann'],
      [nobody, null],
    ]),
  );
  expect(next).toBeNull();
});

test('page by page, each member comes once', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push(await join('g', `user ${i}`));
  const seen: string[] = [];
  let next: string | undefined;
  const pages: number[] = [];
  do {
    const [members, token] = await ask('g', 3, next);
    pages.push(members.length);
    seen.push(...members.map(([id]) => id));
    next = token ?? undefined;
  } while (next !== undefined);
  expect(pages).toEqual([3, 3, 1]);
  expect(seen.toSorted()).toEqual(ids.toSorted());
});

test('a page has one member at least, and a thousand at most', async () => {
  await join('g', 'ann');
  await join('g', 'ben');
  expect((await ask('g', 0))[0]).toHaveLength(1);
  expect((await ask('g', -5))[0]).toHaveLength(1);
});

test('what is not said is left to the edge, and the least that is said holds', async () => {
  for (let i = 0; i < 5; i++) await join('g', `user ${i}`);
  expect((await ask('g', undefined))[0]).toHaveLength(5);
  expect((await ask('g', undefined, undefined, 2))[0]).toHaveLength(2);
  expect((await ask('g', 3, undefined, 4))[0]).toHaveLength(3);
});
