import type { ClientInvocation, MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import { Machine } from './clock.ts';
import { record } from './frames.ts';
import type { Ask, Audience, Conn } from './journal.ts';
import { ServerLine } from './server-line.ts';
import type { World } from './world.ts';

const LINES = 2;
const AGAIN_MS = 800;
const HOME_MS = 2_000;

/** What is asked of the service, with an id for the ack. */
export type AskWhat = Ask['what'];

/** The process of an app server, which dials its edge, or another one if that is not there. */
export class SimApp {
  readonly serverId: string;
  readonly machine: Machine;
  readonly world: World;
  readonly home: string;
  readonly #lines = new Set<ServerLine>();
  readonly #asks = new Map<number, Ask>();
  #lastAsk = 0;
  #lastLine = 0;
  hasEnded = false;

  constructor(world: World, serverId: string, home: string) {
    this.world = world;
    this.serverId = serverId;
    this.home = home;
    this.machine = new Machine(world.clock);
    for (let n = 0; n < LINES; n++) this.#dial();
    this.machine.time.every(HOME_MS, () => this.#goHome());
  }

  /** Those that have shaken hands. */
  get lines(): ServerLine[] {
    return [...this.#lines].filter(({ isReady }) => isReady);
  }

  send(line: ServerLine, to: Audience): void {
    const { journal } = this.world;
    const send = { line, number: line.nextNumber(), to, at: journal.now };
    const payload = record({ type: 1, target: 'm', arguments: [line.name, send.number] });
    journal.sent(send);
    line.say(sendMessage(to, new Map([['json', payload]])));
  }

  /** Says something to a client of the line itself, as answers to calls are said. */
  sayTo(line: ServerLine, id: string): void {
    const { journal } = this.world;
    const to = { kind: 'conn', name: id } as const;
    const send = { line, number: line.nextNumber(), to, at: journal.now };
    journal.sent(send);
    line.data(id, record({ type: 1, target: 'm', arguments: [line.name, send.number] }));
  }

  /** A process that has a client twice loses it (service protocol reference, section 20.9). */
  given(line: ServerLine, id: string): void {
    for (const other of this.#lines) {
      if (other === line || !other.clients.has(id)) continue;
      this.world.journal.violation('lines', `${line.name} is given ${id}, which ${other.name} has`);
    }
  }

  ask(line: ServerLine, what: AskWhat): void {
    const ackId = ++this.#lastAsk;
    const ask = {
      line,
      what,
      at: this.world.journal.now,
      others: line.edge.others,
      edgesLost: line.edge.edgesLost,
    };
    this.#asks.set(ackId, ask);
    this.world.journal.asked(ask);
    line.say(askMessage(what, ackId));
  }

  /** Asks a client for a result. */
  invoke(line: ServerLine, conn: Conn): void {
    const invocationId = `${this.serverId}-${++this.#lastAsk}`;
    const payload = record({ type: 1, invocationId, target: 'q', arguments: [] });
    const invocation: ClientInvocation = {
      type: MessageType.ClientInvocation,
      invocationId,
      connectionId: conn.id,
      callerServerId: this.serverId,
      payloads: new Map([['json', payload]]),
    };
    line.say(invocation);
  }

  acked(ackId: number, status: number): void {
    const ask = this.#asks.get(ackId);
    if (ask === undefined) return;
    this.world.journal.acked(ask, status);
    const { what } = ask;
    // What was joined is sent to at once, from anywhere.
    if (what.kind === 'join' || what.kind === 'joinUser') this.world.sendSoon(what.group);
  }

  lineEnded(line: ServerLine): void {
    this.#lines.delete(line);
    if (!this.hasEnded) this.#again();
  }

  /** Its process is killed. */
  kill(): void {
    this.hasEnded = true;
    this.machine.end();
    for (const line of this.#lines) line.leave();
    this.#lines.clear();
  }

  /** One of its connections breaks. */
  cut(): void {
    const [line] = this.lines;
    if (line === undefined) return;
    line.leave();
    this.lineEnded(line);
  }

  /** So that the clients of each edge have an app server there. */
  #goHome(): void {
    const { lines, home, world } = this;
    if (lines.some(({ edge }) => edge.edgeId === home)) return;
    if (lines.length === LINES && world.edgeFor(home)?.edgeId === home) this.cut();
  }

  #again(): void {
    const { clock, dice } = this.world;
    clock.in(dice.roll() * AGAIN_MS, this.machine, () => this.#dial());
  }

  #dial(): void {
    const edge = this.world.edgeFor(this.home);
    if (edge === undefined) return this.#again();
    const name = `${this.serverId}/${++this.#lastLine}`;
    this.#lines.add(new ServerLine(name, this, edge));
  }
}

function sendMessage(to: Audience, payloads: ReadonlyMap<string, Uint8Array>): MessageFromServer {
  switch (to.kind) {
    case 'all':
      return { type: MessageType.BroadcastData, excludedConnectionIds: [], payloads };
    case 'group':
      return {
        type: MessageType.GroupBroadcastData,
        group: to.name,
        excludedConnectionIds: [],
        excludedUserIds: [],
        callerUserId: undefined,
        payloads,
      };
    case 'user':
      return { type: MessageType.UserData, userId: to.name, payloads };
    case 'conn':
      return { type: MessageType.MultiConnectionData, connectionIds: [to.name], payloads };
  }
}

function askMessage(what: AskWhat, ackId: number): MessageFromServer {
  switch (what.kind) {
    case 'join':
    case 'leave': {
      const type =
        what.kind === 'join' ? MessageType.JoinGroupWithAck : MessageType.LeaveGroupWithAck;
      return { type, connectionId: what.conn.id, group: what.group, ackId };
    }
    case 'joinUser':
    case 'leaveUser': {
      const type =
        what.kind === 'joinUser'
          ? MessageType.UserJoinGroupWithAck
          : MessageType.UserLeaveGroupWithAck;
      return { type, userId: what.user, group: what.group, ackId };
    }
    case 'checkConn':
      return {
        type: MessageType.CheckConnectionExistenceWithAck,
        connectionId: what.conn.id,
        ackId,
      };
    case 'closeConn':
      return {
        type: MessageType.CloseConnectionWithAck,
        connectionId: what.conn.id,
        reason: undefined,
        ackId,
      };
    case 'checkUser':
      return { type: MessageType.CheckUserExistenceWithAck, userId: what.user, ackId };
    case 'checkGroup':
      return { type: MessageType.CheckGroupExistenceWithAck, group: what.group, ackId };
    case 'list':
      return {
        type: MessageType.GroupMemberQuery,
        group: what.group,
        top: undefined,
        continuationToken: undefined,
        maxPageSize: undefined,
        ackId,
      };
  }
}
