import { randomBytes } from 'node:crypto';
import { MemoryBroker } from '../bus/memory-bus.ts';
import { Pools } from '../pools.ts';
import type { BusListener, JoinBus } from '../ports/bus.ts';
import type { Random } from '../ports/random.ts';
import { TestHttpEdge } from '../sessions/client/http/door.test-support.ts';
import type { SessionLimits } from '../sessions/edge-context.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import { payloads, TestTime, turn } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { ClusterStats } from './cluster-stats.ts';
import type { Cluster } from './cluster.ts';
import { NO_STATUS } from './edge-status.ts';
import { encodeClusterFrame } from './cluster-frames.ts';

export const json = payloads({ json: '{"n":1}␞' });

/** An edge on a memory bus, with what its tests look at and meddle with. */
export interface Member {
  readonly edge: TestHttpEdge;
  readonly cluster: Cluster;
  readonly stats: ClusterStats;
  /** Subjects that this edge has published commands to. */
  readonly published: string[];
  /** What it has sent to single edges. */
  sentBytes: number;
  /** Why it has to go. */
  readonly refused: string[];
  /** Subjects, other than that of all members and its own, by which it has heard something. */
  readonly heard: string[];
  /** What others say on subjects that begin so does not arrive. */
  loses: string | undefined;
  /** Messages of more bytes are too long for its bus. */
  refusesOver: number;
  /** Bytes that its engine has not taken. */
  waiting: number;
  /** Set: its subscriptions are in force when these are called. */
  subscribing: (() => void)[] | undefined;
  /** What the bus says of losses, and of being away. */
  gap: BusListener['gap'];
  down: BusListener['down'];
  up: BusListener['up'];
  /** What it says of an edge that nobody hears. */
  gone: BusListener['gone'];
}

/** Random bytes, but for the first: they make the tag of an edge's connection ids. */
function randomWithTag(tag: string): Random {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let first: Uint8Array | undefined = Uint8Array.from(tag, (letter) => ALPHABET.indexOf(letter));
  return (bytes) => {
    const given = first ?? randomBytes(bytes);
    first = undefined;
    return given;
  };
}

interface MemberOptions {
  readonly tag?: string;
  readonly startsAfter?: number;
  readonly limits?: Partial<SessionLimits>;
  readonly pools?: Pools;
  readonly publicUrl?: string;
}

/** Bytes are only lent to a bus: when it has returned they are others. */
function lend(
  bytes: Uint8Array,
  rest: Uint8Array | undefined,
  say: (bytes: Uint8Array, rest: Uint8Array | undefined) => void,
): void {
  const lent = Buffer.from(bytes);
  const lentRest = rest && Buffer.from(rest);
  say(lent, lentRest);
  lent.fill(0xff);
  lentRest?.fill(0xff);
}

export function join(
  broker: MemoryBroker,
  edgeId: string,
  {
    tag = `tag${edgeId}`.slice(-4),
    startsAfter = 0,
    limits = {},
    pools = new Pools(),
    publicUrl = '',
  }: MemberOptions = {},
): Member {
  const published: string[] = [];
  const heard: string[] = [];
  let gap: BusListener['gap'] = () => {};
  let down: BusListener['down'] = () => {};
  let up: BusListener['up'] = () => {};
  let gone: BusListener['gone'] = () => {};
  const joinBus: JoinBus = (listener) => {
    gap = (from, why) => listener.gap(from, why);
    down = (why) => listener.down(why);
    up = () => listener.up();
    gone = (id) => listener.gone(id);
    const bus = broker.join(edgeId, {
      ...listener,
      message: (subject, from, bytes) => {
        if (member.loses !== undefined && subject.startsWith(member.loses)) return;
        if (subject !== 'members' && !subject.startsWith('edge.')) heard.push(subject);
        listener.message(subject, from, bytes);
      },
    });
    return {
      ...bus,
      publish: (subject, bytes, rest) => {
        if (subject !== 'members') published.push(subject);
        lend(bytes, rest, (...lent) => bus.publish(subject, ...lent));
      },
      refuses: (bytes) => bytes > member.refusesOver,
      get waiting() {
        return member.waiting;
      },
      whenSubscribed: (then) => {
        if (member.subscribing === undefined) bus.whenSubscribed(then);
        else member.subscribing.push(then);
      },
      send: (to, bytes, rest) => {
        member.sentBytes += bytes.length + (rest?.length ?? 0);
        lend(bytes, rest, (...lent) => bus.send(to, ...lent));
      },
    };
  };
  const time = new TestTime();
  time.pass(startsAfter * 1000);
  const edge = new TestHttpEdge(limits, {
    edgeId,
    joinBus,
    time,
    random: randomWithTag(tag),
    pools,
    publicUrl,
  });
  const { cluster } = edge.core;
  const { clusterStats: stats, refused } = edge;
  const member: Member = {
    edge,
    cluster,
    stats,
    published,
    sentBytes: 0,
    refused,
    heard,
    loses: undefined,
    refusesOver: Infinity,
    waiting: 0,
    subscribing: undefined,
    gap,
    down,
    up,
    gone,
  };
  return member;
}

/** Lets a second pass, after which they know each other; hubs that are opened now know of all rules. */
export async function settle(...members: readonly Member[]): Promise<void> {
  await roundTrip();
  for (const { edge } of members) edge.pass(1);
  await roundTrip();
}

/** Time for a question to another edge and its answer. */
export async function roundTrip(): Promise<void> {
  for (let n = 0; n < 6; n++) await turn();
}

/** Two edges that know each other, with an app server at each. */
export interface Pair {
  readonly a: Member;
  readonly b: Member;
  /** At the first edge, and at the second. */
  readonly server: FakeServer;
  readonly other: FakeServer;
}

export async function joinPair(): Promise<Pair> {
  const broker = new MemoryBroker(SYSTEM_TIME);
  const [a, b] = [join(broker, 'a'), join(broker, 'b')];
  await settle(a, b);
  const server = await a.edge.server();
  const other = await b.edge.server({ serverId: 'server-2' });
  await roundTrip();
  return { a, b, server, other };
}

/** An edge that says that it is there, and nothing else. */
export function joinMute(broker: MemoryBroker): { sayThatItIsThere(): void } {
  const nothing = (): void => {};
  const bus = broker.join('mute', {
    message: nothing,
    together: (hear) => hear(),
    gap: nothing,
    gone: nothing,
    up: nothing,
    down: nothing,
  });
  const beat = { edgeId: 'mute', incarnation: 'i', startedAt: 1, tag: 'mute', status: NO_STATUS };
  return {
    sayThatItIsThere: () =>
      bus.publish('members', encodeClusterFrame({ kind: 'heartbeat', beat, isAsking: false })),
  };
}
