import { AckStatus, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { Answer, Asker } from '../model/asker.ts';
import { answerOf, NOT_FOUND, TIMED_OUT } from '../model/asker.ts';
import { ManualTime } from '../ports/manual-time.test-support.ts';
import { JSON_HANDSHAKE, TestEdge, turn } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { RuleLearning } from './rule-learning.ts';
import { encodeRulesPage } from './rules-page.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import {
  join,
  joinMute,
  joinPair,
  json,
  roundTrip,
  settle,
} from './cluster-member.test-support.ts';

describe('an edge that takes up a hub later', () => {
  const rule = (userId: string, group: string, ttl?: number) =>
    ({
      type: MessageType.UserJoinGroup,
      userId,
      group,
      ...(ttl === undefined ? {} : { ttl }),
    }) as const;
  /** Learns from two edges, which answer at once. */
  function learningFrom(answer: (edge: string) => Answer) {
    const { hubs } = new TestEdge().core;
    const hub = hubs.open('chat', 'server')!;
    const asked: string[] = [];
    const learning = new RuleLearning(hubs, { edges: ['a', 'b'] }, SYSTEM_TIME, {
      ask: (_hub, _after, edge, asker) => {
        asked.push(edge);
        asker.settle(answer(edge));
      },
      whenHeard: (_hub, then) => then(),
    });
    return { learning, asked, hub };
  }
  const toGroup = (group: string) =>
    ({ type: MessageType.MultiGroupBroadcastData, groups: [group], payloads: json }) as const;

  test('knows what groups its users were put into before: its clients wait until it does', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    const server = await a.edge.server();
    server.says(rule('ann', 'kept'), rule('ann', 'timed', 8), rule('ann', 'over', 1));
    // More than one page of them.
    for (let n = 0; n < 2_500; n++) server.says(rule(`user ${n}`, 'crowd'));
    a.edge.pass(2);
    const other = await b.edge.server({ serverId: 'server-2' });
    const ann = b.edge.strangeClient({ userId: 'ann' });
    ann.says(JSON_HANDSHAKE);
    expect(other.session.clients).toEqual([]);
    await roundTrip();
    await roundTrip();
    expect(other.session.clients).toHaveLength(1);
    other.data(ann, '{}␞');
    const last = await b.edge.client(other, { userId: 'user 2499' });
    server.says(toGroup('kept'), toGroup('timed'), toGroup('over'), toGroup('crowd'));
    await roundTrip();
    expect(ann.heard).toEqual(['{}␞', '{"n":1}␞{"n":1}␞']);
    expect(last.heard).toEqual(['{"n":1}␞']);
    b.edge.pass(6);
    const late = await b.edge.client(other, { userId: 'ann' });
    server.says(toGroup('timed'));
    await roundTrip();
    expect(late.heard).toEqual([]);
  });

  test('asks the next edge, too, when one has just been started and does not know them itself', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const b = join(broker, 'b');
    await settle(b);
    const server = await b.edge.server();
    server.says(rule('ann', 'kept'));
    const [a, c] = [join(broker, 'a'), join(broker, 'c')];
    await roundTrip();
    await a.edge.server({ serverId: 'server-2' });
    const other = await c.edge.server({ serverId: 'server-3' });
    // Of the two new ones only this one has been there for a round of heartbeats: it asks the other first.
    await settle(c);
    const ann = await c.edge.client(other, { userId: 'ann' });
    server.says(toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });

  test('takes nothing back that has been said since', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    const server = await a.edge.server();
    server.says(rule('ann', 'old'), rule('ann', 'kept'));
    const other = await b.edge.server({ serverId: 'server-2' });
    // The rules are on their way when one of them is taken back at the edge that learns.
    other.says({ type: MessageType.UserLeaveGroup, userId: 'ann', group: 'old' });
    await roundTrip();
    const ann = await b.edge.client(other, { userId: 'ann' });
    server.says(toGroup('old'), toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });

  test('goes on without them after three seconds, when nobody tells them', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const b = join(broker, 'b');
    const mute = joinMute(broker);
    await roundTrip();
    mute.sayThatItIsThere();
    await settle(b);
    const server = await b.edge.server();
    const client = b.edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    for (let second = 0; second < 3; second++) {
      expect(server.session.clients).toEqual([]);
      mute.sayThatItIsThere();
      await settle(b);
    }
    expect(server.session.clients).toHaveLength(1);
  });

  test('serves its own clients at once when the bus goes meanwhile', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const b = join(broker, 'b');
    await roundTrip();
    // It has not heard yet who else is there.
    const server = await b.edge.server();
    const client = b.edge.strangeClient();
    client.says(JSON_HANDSHAKE);
    expect(server.session.clients).toEqual([]);
    b.down('it is away');
    expect(server.session.clients).toHaveLength(1);
    const second = b.edge.strangeClient({ hub: 'other' });
    second.says(JSON_HANDSHAKE);
    await b.edge.server({ hub: 'other' });
    expect(second.session.host).toBeDefined();
  });

  test('learns again after a gap', async () => {
    const { b, server, other } = await joinPair();
    const ann = await b.edge.client(other, { userId: 'ann' });
    b.loses = 'hub.';
    server.says(rule('ann', 'kept'));
    await roundTrip();
    b.loses = undefined;
    b.gap('a', 'missing');
    await roundTrip();
    server.says(toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });

  test('asks again when answers are lost, and says meanwhile that it does not know all', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [b, z] = [join(broker, 'b'), join(broker, 'z')];
    await settle(b, z);
    const server = await z.edge.server();
    server.says(rule('ann', 'kept'));
    b.loses = 'edge.';
    const other = await b.edge.server({ serverId: 'server-2' });
    await roundTrip();
    const heard = async (member: Member, at: FakeServer): Promise<string[]> => {
      const ann = await member.edge.client(at, { userId: 'ann' });
      server.says(toGroup('kept'));
      await roundTrip();
      return ann.heard;
    };
    for (let second = 0; second < 3; second++) await settle(b, z);
    expect(await heard(b, other)).toEqual([]);
    b.loses = undefined;
    const c = join(broker, 'c');
    await settle(c);
    const third = await c.edge.server({ serverId: 'server-3' });
    await roundTrip();
    expect(await heard(c, third)).toEqual(['{"n":1}␞']);
    for (let second = 0; second < 5; second++) await settle(b, c, z);
    expect(await heard(b, other)).toEqual(['{"n":1}␞']);
  });

  test('asks once a second, however soon it is told that nobody can be asked', () => {
    const { learning, asked, hub } = learningFrom(() =>
      answerOf(AckStatus.InternalServerError, 'Too many questions.'),
    );
    learning.learn('chat');
    expect(asked).toEqual(['a', 'b']);
    learning.expire();
    expect([asked, learning.knows(hub)]).toEqual([['a', 'b', 'a', 'b'], false]);
  });

  test('asks the next edge when it cannot read what one says', () => {
    const { learning, asked, hub } = learningFrom((edge) =>
      edge === 'a'
        ? answerOf(AckStatus.Ok, '', Buffer.of(0x92, 0xc0, 0x90))
        : answerOf(
            AckStatus.Ok,
            '',
            encodeRulesPage({ rules: [], next: undefined, isWhole: true }),
          ),
    );
    learning.learn('chat');
    expect([asked, learning.knows(hub)]).toEqual([['a', 'b'], true]);
  });

  test('learns it from the very edge that it has missed something of, whatever others have missed', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const members = ['a', 'b', 'c'].map((edgeId) => join(broker, edgeId));
    const [a, b, c] = members as [Member, Member, Member];
    await settle(a, b, c);
    const server = await c.edge.server();
    const other = await b.edge.server({ serverId: 'server-2' });
    await a.edge.server({ serverId: 'server-3' });
    await roundTrip();
    for (const member of [a, b]) member.loses = 'hub.';
    server.says(rule('ann', 'kept'));
    await roundTrip();
    for (const member of [a, b]) member.loses = undefined;
    b.gap('c', 'missing');
    await roundTrip();
    const ann = await b.edge.client(other, { userId: 'ann' });
    server.says(toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });

  test('learns what it can when it has taken the hub up without the bus, once that is there again', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await settle(a, b);
    const server = await a.edge.server();
    server.says(rule('ann', 'kept'));
    b.down('it is away');
    b.gap(undefined, 'cut');
    const other = await b.edge.server({ serverId: 'server-2' });
    const ann = await b.edge.client(other, { userId: 'ann' });
    await roundTrip();
    b.up();
    await roundTrip();
    server.says(toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });

  test('learns of another edge, too, when something of that is missed while it learns', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b, c] = [join(broker, 'a'), join(broker, 'b'), join(broker, 'c')];
    await settle(a, b, c);
    const [server, third] = [await a.edge.server(), await c.edge.server()];
    await roundTrip();
    const other = await b.edge.server({ serverId: 'server-2' });
    b.loses = 'hub.';
    // Said when the answer of the first edge is on its way, and reported to be lost before that has come.
    await turn();
    third.says(rule('ann', 'kept'));
    b.gap('c', 'missing');
    await roundTrip();
    b.loses = undefined;
    await roundTrip();
    const ann = await b.edge.client(other, { userId: 'ann' });
    server.says(toGroup('kept'));
    await roundTrip();
    expect(ann.heard).toEqual(['{"n":1}␞']);
  });
});

describe('the rules of several hubs', () => {
  /** An answer with rules of these users, which goes on at `next`. */
  const page = (next?: number, ...users: string[]): Answer => {
    const rule = { group: 'g', ttlSeconds: undefined, ageSeconds: 0 };
    const rules = users.map((userId) => ({ userId, ...rule }));
    return answerOf(AckStatus.Ok, '', encodeRulesPage({ rules, next, isWhole: true }));
  };

  /** An edge with the hubs h0, h1, ... that learns from others, which answer when they are told to. */
  function learner(hubCount: number, edges: string[] = ['a', 'b']) {
    const edge = new TestEdge();
    const { hubs } = edge;
    for (let n = 0; n < hubCount; n++) hubs.open(`h${n}`, 'server');
    const time = new ManualTime();
    const asked: string[] = [];
    const open = new Map<string, Asker>();
    const learning = new RuleLearning(hubs, { edges }, time, {
      ask: (hub, after, edgeId, asker, ms) => {
        const question = `${edgeId} ${hub}${after > 0 ? ` ${after}` : ''}`;
        asked.push(question);
        open.set(question, asker);
        time.after(ms, () => settle(question, TIMED_OUT));
      },
      whenHeard: (_hub, then) => then(),
    });
    function settle(question: string, answer: Answer): void {
      const asker = open.get(question);
      open.delete(question);
      asker?.settle(answer);
    }
    const answer = (question: string, given = page()): void => {
      settle(question, given);
      time.endTurn();
    };
    /** Answers all that is asked, until nothing is. */
    const answerAll = (): void => {
      for (let [next] = open.keys(); next !== undefined; [next] = open.keys()) answer(next);
    };
    const known = (): boolean[] => [...hubs].map((hub) => learning.knows(hub));
    return { edge, learning, time, asked, settle, answer, answerAll, known };
  }

  test('are asked of one edge hub by hub, each page by page, and of every edge at once', () => {
    const { learning, asked, answer, answerAll, known } = learner(3);
    learning.learnAll('a');
    learning.learn('h2', 'b');
    learning.learn('h0', 'b');
    expect(asked.splice(0)).toEqual(['a h0']);
    answer('a h0', page(7));
    expect(asked.splice(0)).toEqual(['a h0 7']);
    // What is missed of an edge that has not told yet is told then; of another it is asked behind it.
    learning.learn('h0', 'a');
    learning.learn('h1', 'a');
    answer('a h0 7');
    expect(asked.splice(0)).toEqual(['b h0', 'a h1']);
    answer('a h1');
    expect(asked.splice(0)).toEqual(['a h2']);
    answerAll();
    expect([asked, known()]).toEqual([
      ['b h2', 'a h0'],
      [true, true, true],
    ]);
  });

  test('are asked one by one, too, after a gap that has lost what was asked', () => {
    const { learning, asked, time, settle, answerAll, known } = learner(50);
    learning.learnAll('a');
    settle('a h0', TIMED_OUT);
    learning.learnAll('a');
    expect(asked).toEqual(['a h0']);
    time.endTurn();
    expect(asked.splice(0)).toEqual(['a h0', 'a h1']);
    answerAll();
    // Each is asked once more; the first one, which has failed, until it has not.
    expect([asked.length, known().indexOf(true)]).toEqual([49, 1]);
    learning.expire();
    answerAll();
    expect(known()).not.toContain(false);
  });

  test('are asked of another edge where there is one, when the first is silent, or busy with others', () => {
    const { learning, asked, time, answer, known } = learner(4);
    for (const hub of ['h0', 'h1', 'h2', 'h3']) learning.learn(hub);
    time.pass(999);
    expect(asked.splice(0)).toEqual(['a h0']);
    time.pass(1);
    // One has its turn there, and those who have waited for as long have it elsewhere.
    expect(asked.splice(0)).toEqual(['b h0', 'a h1']);
    for (const hub of ['h0', 'h2', 'h3']) answer(`b ${hub}`);
    expect([asked.splice(0), known()]).toEqual([
      ['b h2', 'b h3'],
      [true, false, true, true],
    ]);
    time.pass(1_000);
    expect(asked).toEqual(['b h1']);
  });

  test('are asked of the edge that something is missed of, also when others are asked instead', () => {
    const { learning, asked, time, answer, answerAll } = learner(2);
    for (const hub of ['h0', 'h1']) learning.learn(hub);
    learning.learn('h1', 'a');
    time.pass(500);
    answer('a h0', page(5));
    time.pass(500);
    expect(asked.splice(0)).toEqual(['a h0', 'a h0 5', 'b h1']);
    answer('b h1');
    answerAll();
    expect(asked).toEqual(['a h1']);
  });

  test('are not asked of an edge that has gone meanwhile', () => {
    const edges = ['a', 'b'];
    const { learning, asked, answer, known } = learner(2, edges);
    learning.learnAll('a');
    edges.shift();
    answer('a h0', NOT_FOUND);
    expect([asked, known()]).toEqual([['a h0'], [true, true]]);
  });

  test('are learned of each hub, whatever another one has that takes too long', () => {
    const { learning, asked, time, answer } = learner(3, ['a']);
    learning.learnAll('a');
    for (let after = 1; after <= 30; after++) {
      answer(asked.at(-1)!, page(after));
      time.pass(100);
    }
    learning.expire();
    answer('a h0 30', page(31));
    learning.expire();
    expect(asked.slice(-1)).toEqual(['a h1']);
    answer('a h1');
    answer('a h2');
    expect(asked.slice(-3)).toEqual(['a h1', 'a h2', 'a h0']);
  });

  test('keep no client waiting for longer than three seconds, and are learned all the same', async () => {
    const { edge, learning, time, asked, answer } = learner(1, ['a']);
    const server = await edge.server();
    const hub = edge.hubs.get('chat')!;
    hub.holdForRules();
    const client = edge.strangeClient({ userId: 'ann' });
    client.says(JSON_HANDSHAKE);
    learning.learn('h0', 'a');
    time.pass(1_000);
    learning.learn('chat', 'a');
    time.pass(2_999);
    expect([asked, server.session.clients]).toEqual([['a h0', 'a chat'], []]);
    time.pass(1);
    expect([server.session.clients.length, learning.knows(hub)]).toEqual([1, false]);
    answer('a chat', page(undefined, 'ann'));
    expect([hub.model.rulesAfter(0, 0).rules.length, learning.knows(hub)]).toEqual([1, true]);
  });
});
