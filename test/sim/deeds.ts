import type { AskWhat, SimApp } from './app.ts';
import type { SimEdge } from './edge.ts';
import type { Audience, Conn } from './journal.ts';
import type { Deed, Step } from './plan.ts';
import type { ServerLine } from './server-line.ts';
import { GROUPS, type World } from './world.ts';

/** One of them, by a number from 0 to 1. */
function one<T>(from: readonly T[], which: number): T | undefined {
  return from[Math.min(from.length - 1, Math.floor(which * from.length))];
}

type Which = Step['which'];

/** A server connection, and whose it is. */
interface Speaker {
  readonly app: SimApp;
  readonly line: ServerLine;
}

const speakersOf = ({ apps }: World): Speaker[] =>
  apps.flatMap((app) => app.lines.map((line) => ({ app, line })));
const connOf = (world: World, which: number): Conn | undefined =>
  one(
    world.clients.flatMap(({ conn }) => conn ?? []),
    which,
  );
const groupOf = (which: number): string => one(GROUPS, which)!;
const userOf = (world: World, which: number): string => one(world.clients, which)!.user;

function send(world: World, [a]: Which, to: Audience | undefined): void {
  const speaker = one(speakersOf(world), a);
  if (to !== undefined) speaker?.app.send(speaker.line, to);
}

function sayToOwn(world: World, [a, b]: Which): void {
  const speaker = one(speakersOf(world), a);
  const id = speaker && one([...speaker.line.welcomed], b);
  if (id !== undefined) speaker!.app.sayTo(speaker!.line, id);
}

function ask(world: World, a: number, what: AskWhat | undefined): void {
  const speaker = one(speakersOf(world), a);
  if (what !== undefined) speaker?.app.ask(speaker.line, what);
}

/** Something about a client that is there. */
function withConn<T>(world: World, which: number, make: (conn: Conn) => T): T | undefined {
  const conn = connOf(world, which);
  return conn && make(conn);
}

/** From some tenths of a second up to `most` seconds. */
const spanOf = (which: number, most: number): number => 200 + which ** 2 * most * 1_000;

function endEdge(world: World, edge: SimEdge, ms: number): void {
  const { edgeId } = edge;
  world.journal.edgeEnded(edge, world.live);
  world.later(ms, () => world.startEdge(edgeId));
}

function kill(world: World, [a, b]: Which): void {
  const edge = one(world.live, a);
  if (edge === undefined || world.live.length === 1) return;
  edge.kill();
  endEdge(world, edge, spanOf(b, 8));
}

function stop(world: World, [a, b]: Which): void {
  const edge = one(world.live, a);
  if (edge === undefined || world.live.length === 1 || edge.machine.isFrozen) return;
  edge.leave();
  endEdge(world, edge, 1_000 + spanOf(b, 8));
}

/** One edge, or two. */
function drain(world: World, [a, b, c]: Which): void {
  for (let left = c < 0.5 ? 1 : 2; left > 0; left--) {
    const staying = world.live.filter(({ drainsSince }) => drainsSince === undefined);
    const edge = one(staying, a);
    if (edge === undefined || staying.length === 1 || edge.machine.isFrozen) return;
    edge.drain();
    stopDrained(world, edge, b);
  }
}

/** As soon as it can: another one has to be there. */
function stopDrained(world: World, edge: SimEdge, which: number): void {
  world.later(2_000 + spanOf(which, 4), () => {
    if (!edge.isServing) return;
    if (world.live.length === 1 || edge.machine.isFrozen) return stopDrained(world, edge, which);
    edge.leave();
    endEdge(world, edge, 1_000 + spanOf(which, 8));
  });
}

function freeze(world: World, edge: SimEdge | undefined, ms: number): void {
  if (edge === undefined || edge.machine.isFrozen) return;
  const calm = world.journal.disturb(edge.edgeId);
  edge.freeze();
  world.later(ms, () => {
    if (!edge.machine.hasEnded) edge.thaw();
    calm();
  });
}

function partition(world: World, [a, b]: Which): void {
  const edge = one(world.live, a);
  if (edge === undefined || edge.line.isPartitioned) return;
  const calm = world.journal.disturb(edge.edgeId);
  edge.line.partition();
  world.later(spanOf(b, 12), () => {
    edge.line.isPartitioned = false;
    // It is noticed, and connected again, in a while.
    world.later(3_500, calm);
  });
}

function restartEngine(world: World, [a]: Which): void {
  if (world.engine.isDown) return;
  const calm = [...world.edges.keys()].map((edgeId) => world.journal.disturb(edgeId));
  world.engine.stop();
  world.later(spanOf(a, 10), () => {
    world.engine.start();
    world.later(1_000, () => calm.forEach((end) => end()));
  });
}

function weather(world: World, which: 'loss' | 'duplication', [a, b]: Which): void {
  world.engine.weather[which] = 0.05 + a * 0.3;
  world.later(spanOf(b, 2), () => (world.engine.weather[which] = 0));
}

/** Questions of one edge, while a second one sleeps for a moment and a third one leaves. */
function askWhileEdgesGo(world: World, [a, b, c]: Which): void {
  const { live } = world;
  if (live.length < 3) return;
  const order = [0, 1, 2].map((n) => live[(n + Math.floor(a * 3)) % 3]!);
  const [asking, sleeping, leaving] = order as [SimEdge, SimEdge, SimEdge];
  const speaker = speakersOf(world).find(({ line }) => line.edge === asking);
  freeze(world, sleeping, 300 + b * 900);
  for (const { user } of world.clients.slice(0, 4)) {
    speaker?.app.ask(speaker.line, { kind: 'checkUser', user });
  }
  world.later(40 + c * 200, () => {
    if (leaving.isServing) stop(world, [world.live.indexOf(leaving) / world.live.length, c, 0]);
  });
}

function restartApp(world: World, [a, b]: Which): void {
  const app = one(world.apps, a);
  if (app === undefined || app.hasEnded) return;
  app.kill();
  world.later(spanOf(b, 3), () =>
    world.apps.splice(world.apps.indexOf(app), 1, world.newApp(app.home)),
  );
}

/** Does what a step says, as far as there is what it is about. */
export const DO: Readonly<Record<Deed, (world: World, which: Which) => void>> = {
  sendToAll: (world, which) => send(world, which, { kind: 'all' }),
  sendToGroup: (world, which) => send(world, which, { kind: 'group', name: groupOf(which[1]) }),
  sendToUser: (world, which) => send(world, which, { kind: 'user', name: userOf(world, which[1]) }),
  sendToConn: (world, which) =>
    send(
      world,
      which,
      withConn(world, which[1], ({ id }) => ({ kind: 'conn', name: id })),
    ),
  sayToOwn,
  join: (world, [a, b, c]) =>
    ask(
      world,
      a,
      withConn(world, b, (conn) => ({ kind: 'join', conn, group: groupOf(c) })),
    ),
  leave: (world, [a, b, c]) =>
    ask(
      world,
      a,
      withConn(world, b, (conn) => ({ kind: 'leave', conn, group: groupOf(c) })),
    ),
  joinUser: (world, [a, b, c]) =>
    ask(world, a, { kind: 'joinUser', user: userOf(world, b), group: groupOf(c) }),
  leaveUser: (world, [a, b, c]) =>
    ask(world, a, { kind: 'leaveUser', user: userOf(world, b), group: groupOf(c) }),
  checkConn: (world, [a, b]) =>
    ask(
      world,
      a,
      withConn(world, b, (conn) => ({ kind: 'checkConn', conn })),
    ),
  checkUser: (world, [a, b]) => ask(world, a, { kind: 'checkUser', user: userOf(world, b) }),
  checkGroup: (world, [a, b]) => ask(world, a, { kind: 'checkGroup', group: groupOf(b) }),
  list: (world, [a, b]) => ask(world, a, { kind: 'list', group: groupOf(b) }),
  closeConn: (world, [a, b]) =>
    ask(
      world,
      a,
      withConn(world, b, (conn) => ({ kind: 'closeConn', conn })),
    ),
  askClient: (world, [a, b]) => {
    const speaker = one(speakersOf(world), a);
    const conn = connOf(world, b);
    if (conn !== undefined) speaker?.app.invoke(speaker.line, conn);
  },
  call: (world, [a]) => one(world.clients, a)?.call(),
  reconnect: (world, [a]) => one(world.clients, a)?.leave(),
  cutLine: (world, [a]) => one(world.apps, a)?.cut(),
  restartApp,
  killEdge: kill,
  stopEdge: stop,
  drainEdge: drain,
  freezeEdge: (world, [a, b]) => freeze(world, one(world.live, a), spanOf(b, 15)),
  cutBus: (world, [a]) => {
    const edge = one(world.live, a);
    if (edge === undefined) return;
    world.later(1_000, world.journal.disturb(edge.edgeId));
    edge.line.cut('the network broke');
  },
  partition,
  restartEngine,
  loseBatches: (world, which) => weather(world, 'loss', which),
  doubleBatches: (world, which) => weather(world, 'duplication', which),
  askWhileEdgesGo,
};
