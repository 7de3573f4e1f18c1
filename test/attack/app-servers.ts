import { type MessageFromServer, ByteWriter, MessageType } from '@trunkline/protocol';
import { encodeServiceMessage, writeServiceMessage } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';

import { frame, Opcode } from '../edge/support/raw-socket.ts';
import { type Attack, each, every, keepUp, type Target } from './attack.ts';
import { openClient, openServer, type Wire } from './wire.ts';

/** Attacks by what app servers say, which have a key, but for a hub of their own. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GROUP = 'everybody';
const MEMBERS = 2_000;
const RULES = 1_000_000;

/** One WebSocket message with as many service messages as go into so many bytes. */
function batch(bytes: number, message: (index: number) => MessageFromServer): Buffer {
  const writer = new ByteWriter(bytes);
  for (let index = 0; writer.length < bytes; index++) writeServiceMessage(writer, message(index));
  return frame(Opcode.Binary, writer.view());
}

/** What lets the clients of the attacker's hub in. */
const host = ({ url, hub }: Target): Promise<FakeAppServer> =>
  FakeAppServer.connect(url, { hub, answers: 'handshakes' });

/** Sends `bytes` at once every so many milliseconds, on a new connection when the last one was cut. */
async function sendEvery(target: Target, ms: number, bytes: Buffer, signal: AbortSignal) {
  let wire: Wire | undefined;
  await every(ms, signal, async () => {
    if (wire === undefined || wire.over) wire = await openServer(target);
    await wire.send(bytes);
  });
}

const halfFrames: Attack = {
  name: 'half-frames',
  what: '20 server connections with 100 MiB of a service message each, without an end',
  served: false,
  async prepare(target) {
    const writer = new ByteWriter();
    writer.varInt(120 * MIB);
    const beginning = frame(Opcode.Binary, writer.view());
    const piece = frame(Opcode.Binary, Buffer.alloc(MIB));
    return (signal) =>
      keepUp(20, signal, async () => {
        const wire = await openServer(target);
        await wire.send(beginning);
        for (let sent = 0; sent < 100 && !wire.over; sent++) await wire.send(piece);
        await wire.ended;
      });
  },
};

const clientResults: Attack = {
  name: 'client-results',
  what: 'a hub asks one of its clients back without end, and the client never answers',
  served: false,
  async prepare(target) {
    const server = await host(target);
    await openClient(target);
    const { connectionId } = await server.received.first(
      (message) => message.type === MessageType.OpenConnection,
      'the client',
    );
    const wire = await openServer(target);
    let asked = 0;
    const questions = (): Buffer =>
      batch(64 * KIB, () => ({
        type: MessageType.ClientInvocation,
        invocationId: `question ${asked++}`,
        connectionId,
        callerServerId: server.serverId,
        payloads: new Map([['json', Buffer.from('{"type":1,"target":"ask","arguments":[]}\x1e')]]),
      }));
    return async (signal) => {
      while (!signal.aborted && !wire.over) await wire.send(questions());
    };
  },
};

const rules: Attack = {
  name: 'user-rules',
  what: 'a million timed group rules for one user, who connects all the while',
  served: false,
  async prepare(target) {
    await host(target);
    const wire = await openServer(target);
    let made = 0;
    const some = (): Buffer =>
      batch(64 * KIB, () => ({
        type: MessageType.UserJoinGroup,
        userId: 'attacker',
        group: `group ${made++ % RULES}`,
        ttl: 3_600,
      }));
    return async (signal) => {
      const making = async (): Promise<void> => {
        while (!signal.aborted && !wire.over) await wire.send(some());
      };
      const connecting = keepUp(1, signal, async () => {
        const client = await openClient(target, 'attacker');
        client.close();
      });
      await Promise.all([making(), connecting]);
    };
  },
};

const groupQueries: Attack = {
  name: 'group-queries',
  what: `an app server asks for the members of a group of ${MEMBERS.toLocaleString('en')}, 110 KB of questions every second`,
  served: false,
  async prepare(target) {
    const server = await host(target);
    await each(MEMBERS, 64, () => openClient(target));
    for (const message of server.received.all) {
      if (message.type !== MessageType.OpenConnection) continue;
      server.write({
        type: MessageType.JoinGroup,
        connectionId: message.connectionId,
        group: GROUP,
      });
    }
    const questions = batch(110 * 1_000, (index) => ({
      type: MessageType.GroupMemberQuery,
      ackId: index,
      group: GROUP,
      top: undefined,
      continuationToken: undefined,
      maxPageSize: undefined,
    }));
    return (signal) => sendEvery(target, 1_000, questions, signal);
  },
};

const broadcasts: Attack = {
  name: 'broadcasts',
  what: 'an app server sends 20 MiB of broadcasts to ten clients, every five seconds',
  served: false,
  async prepare(target) {
    await host(target);
    await each(10, 10, () => openClient(target));
    const message = encodeServiceMessage({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: new Map([['json', Buffer.from('{"type":1,"target":"tick","arguments":[]}\x1e')]]),
    });
    const bytes = Buffer.alloc(20 * MIB - ((20 * MIB) % message.length), message);
    return (signal) => sendEvery(target, 5_000, frame(Opcode.Binary, bytes), signal);
  },
};

export const APP_SERVER_ATTACKS: readonly Attack[] = [
  halfFrames,
  clientResults,
  rules,
  groupQueries,
  broadcasts,
];
