import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { JoinBus } from '../ports/bus.ts';
import { BusMember } from './bus-member.test-support.ts';

/** Something to join, in which nobody is yet. */
export interface BusUnderTest {
  /** How an edge joins it. */
  join(edgeId: string): JoinBus | Promise<JoinBus>;
  stop(): Promise<void>;
}

/** How long a message may take, on a machine with other work, in milliseconds. */
const SOON_MS = 5_000;

/** What every adapter has to do, whatever is behind it; to be called in a `describe`. */
export function holdsToBusContract(start: () => Promise<BusUnderTest>): void {
  let underTest: BusUnderTest;
  let members: BusMember[] = [];

  beforeAll(async () => {
    underTest = await start();
  });
  afterEach(async () => {
    await Promise.all(members.map(({ bus }) => bus.close()));
    members = [];
  });
  afterAll(() => underTest.stop());

  /** Edges that have joined, and hear each other. */
  async function join<const T extends readonly string[]>(
    ...edgeIds: T
  ): Promise<{ [K in keyof T]: BusMember }> {
    const joined: BusMember[] = [];
    for (const id of edgeIds) joined.push(new BusMember(id, await underTest.join(id)));
    members.push(...joined);
    for (const member of joined) {
      await expect.poll(() => member.heard, { timeout: SOON_MS }).toContain('up');
      await member.subscribe();
    }
    return joined as { [K in keyof T]: BusMember };
  }

  /** Waits until the member has heard the text, and with it all that was said before it. */
  const hears = (member: BusMember, message: string): Promise<void> =>
    expect.poll(() => member.messages, { timeout: SOON_MS }).toContain(message);

  test('who has subscribed hears who said it, others hear nothing, and nobody hears itself', async () => {
    const [a, b, c] = await join('a', 'b', 'c');
    for (const member of [a, b]) await member.subscribe('hub.chat', 'end');
    await c.subscribe('hub.other', 'end');
    a.publish('hub.chat', 'hello');
    a.publish('end', '.');
    await Promise.all([hears(b, 'end .'), hears(c, 'end .')]);
    expect(b.heard).toEqual([
      'up',
      { subject: 'hub.chat', from: 'a', text: 'hello' },
      { subject: 'end', from: 'a', text: '.' },
    ]);
    expect(c.messages).toEqual(['end .']);
    b.publish('end', 'b');
    await hears(a, 'end b');
    expect(a.messages).toEqual(['end b']);
  });

  test('what is sent to one edge comes to that one alone, without a subscription', async () => {
    const [a, b, c] = await join('a', 'b', 'c');
    a.send('b', 'for b');
    a.send('c', 'for c');
    await Promise.all([hears(b, 'edge.b for b'), hears(c, 'edge.c for c')]);
    b.send('a', 'back');
    await hears(a, 'edge.a back');
    expect([a, b, c].map(({ messages }) => messages.length)).toEqual([1, 1, 1]);
  });

  test('what one edge says keeps its order, over subjects and sends, and nothing comes twice', async () => {
    const [a, b] = await join('a', 'b');
    await b.subscribe('one', 'two');
    const said: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      for (let i = 0; i < 50; i++) {
        const text = `${turn}.${i}`;
        const to = ['one', 'two', 'edge.b'][(i * i + turn) % 3]!;
        if (to === 'edge.b') a.send('b', text);
        else a.publish(to, text);
        said.push(`${to} ${text}`);
      }
      await new Promise((resolve) => void setImmediate(resolve));
    }
    await hears(b, said.at(-1)!);
    expect(b.messages).toEqual(said);
    expect(b.gaps).toEqual([]);
  });

  test('names are any text', async () => {
    const [a, b] = await join('a', 'b.*.> é\u{1f600}');
    const names = [
      'hub.a..b',
      'hub.a.',
      'hub.*',
      'hub.>',
      'hub. \t',
      'hub.é',
      'hub.%2A',
      'group',
      '',
    ];
    await b.subscribe(...names);
    for (const name of names) a.publish(name, 'x');
    a.send(b.edgeId, 'y');
    await hears(b, `edge.${b.edgeId} y`);
    expect(b.messages).toEqual([...names.map((name) => `${name} x`), `edge.${b.edgeId} y`]);
    b.publish('hub.chat', 'unheard');
    b.send('a', 'z');
    await hears(a, 'edge.a z');
    expect(a.heard.at(-1)).toMatchObject({ from: b.edgeId });
  });

  test('bytes are only lent, and may be any number of any bytes', async () => {
    const [a, b] = await join('a', 'b');
    await b.subscribe('s');
    const bytes = Buffer.from('mine');
    a.bus.publish('s', bytes);
    a.bus.send('b', bytes);
    a.bus.publish('s', Buffer.from('not yours but '), bytes);
    a.bus.send('b', bytes, bytes);
    bytes.fill(0);
    a.publish('s', '', '\0\r\n\xff');
    await hears(b, 's \0\r\n\xff');
    expect(b.messages).toEqual([
      's mine',
      'edge.b mine',
      's not yours but mine',
      'edge.b minemine',
      's ',
      's \0\r\n\xff',
    ]);
  });

  test('large ones arrive whole, and in their place', async () => {
    const [a, b] = await join('a', 'b');
    await b.subscribe('s');
    const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'l');
    a.publish('s', 'before');
    a.bus.publish('s', large);
    a.bus.publish('s', large.subarray(0, 200), large.subarray(200));
    a.publish('s', 'after');
    await hears(b, 's after');
    const start = `s ${'l'.repeat(100)}`;
    expect(b.messages).toEqual(['s before', start, start, 's after']);
    expect(b.receivedBytes).toBe(2 * large.length + 'before'.length + 'after'.length);
  });

  test('nothing comes for a subject that is given up, and all for one taken up again', async () => {
    const [a, b] = await join('a', 'b');
    await b.subscribe('s', 'end');
    a.publish('s', 'under way');
    b.bus.unsubscribe('s');
    await b.subscribe();
    a.publish('s', 'unheard');
    a.publish('end', '1');
    await hears(b, 'end 1');
    await b.subscribe('s');
    a.publish('s', 'heard');
    await hears(b, 's heard');
    expect(b.messages).toEqual(['end 1', 's heard']);
    expect(b.gaps).toEqual([]);
  });

  test('many subscriptions are in force when it says so', async () => {
    const [a, b] = await join('a', 'b');
    const subjects = Array.from({ length: 2_000 }, (_, i) => `group.chat.${i}`);
    await b.subscribe(...subjects);
    for (const subject of subjects) a.publish(subject, 'x');
    await hears(b, `${subjects.at(-1)!} x`);
    expect(b.messages).toEqual(subjects.map((subject) => `${subject} x`));
  });

  test('one that has left hears nothing more, and is no edge any more', async () => {
    const [a, b, c] = await join('a', 'b', 'c');
    for (const member of [b, c]) await member.subscribe('s');
    a.publish('s', 'on its way');
    b.publish('s', 'goodbye');
    const heard = b.heard.length;
    await b.bus.close();
    a.publish('s', 'for c');
    await Promise.all([hears(c, 's for c'), hears(c, 's goodbye')]);
    expect(b.heard).toHaveLength(heard);
    b.publish('s', 'from nobody');
    b.send('a', 'from nobody');
    a.send('b', 'for nobody');
    await expect.poll(() => a.heard).toContainEqual({ gone: 'b' });
    a.publish('s', 'end');
    await hears(c, 's end');
    expect(a.messages).toEqual([]);
    expect(c.messages.filter((message) => message !== 's goodbye')).toEqual([
      's on its way',
      's for c',
      's end',
    ]);
  });
}
