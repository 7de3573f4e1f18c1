import { FakeAppServer } from '@trunkline/testing';

import { JSON_HANDSHAKE } from '../edge/support/hub-client.ts';
import { frame, Opcode } from '../edge/support/raw-socket.ts';
import { type Attack, comeAgain, each, every, keepUp } from './attack.ts';
import { greetingClient, openClient, type Wire } from './wire.ts';

/** Attacks by what clients say. */

const KIB = 1024;
const MIB = 1024 * KIB;
const WAITING = 1_100;
const SEPARATOR = '\x1e';
const PING = `{"type":6}${SEPARATOR}`;
const BEGINNING = '{"type":1,"target":"echo","arguments":["';

/** One WebSocket message of so many bytes: one hub message again and again. */
const filled = (message: string, bytes: number): Buffer =>
  frame(Opcode.Text, Buffer.from(message.repeat(Math.floor(bytes / message.length))));

const unfinishedMessages: Attack = {
  name: 'unfinished-messages',
  what: '60 clients with 4 MiB of a hub message each, and 8 MiB of a WebSocket message, both without an end',
  served: true,
  async prepare(target) {
    const hubMessage = frame(Opcode.Text, BEGINNING.padEnd(4 * MIB - KIB, 'x'));
    const webSocketMessage = frame(Opcode.Text, ''.padEnd(8 * MIB, 'x')).subarray(0, -1);
    return (signal) =>
      keepUp(60, signal, async () => {
        const wire = await openClient(target);
        await wire.send(hubMessage);
        await wire.send(webSocketMessage);
        await wire.ended;
        await comeAgain(signal);
      });
  },
};

const waitingClients: Attack = {
  name: 'waiting-clients',
  what: `${WAITING.toLocaleString('en')} clients that wait for an app server, with 63 KiB each`,
  served: false,
  async prepare(target) {
    const message = frame(Opcode.Text, `${BEGINNING.padEnd(63 * KIB, 'x')}"]}${SEPARATOR}`);
    const connect = async (): Promise<Wire> => {
      const wire = await greetingClient(target);
      await wire.send(frame(Opcode.Text, JSON_HANDSHAKE));
      return wire;
    };
    const wires = await each(WAITING, 64, connect);
    return (signal) =>
      keepUp(WAITING, signal, async (index) => {
        if (wires[index]!.over) wires[index] = await connect();
        await wires[index]!.send(message);
        await wires[index]!.ended;
        await comeAgain(signal);
      });
  },
};

/** Clients that send `message` every second, and come again when they are cut. */
function everySecond(clients: number, message: Buffer): Attack['prepare'] {
  return async (target) => {
    const wires = await each(clients, clients, () => openClient(target));
    return (signal) =>
      every(1_000, signal, async () => {
        await each(clients, clients, async (index) => {
          if (wires[index]!.over) wires[index] = await openClient(target);
          await wires[index]!.send(message);
        });
      });
  };
}

const separators: Attack = {
  name: 'separators',
  what: 'a client sends 8 MiB of record separators in one message, every second',
  served: true,
  prepare: everySecond(1, filled(SEPARATOR, 8 * MIB)),
};

const tinyMessages: Attack = {
  name: 'tiny-messages',
  what: '60 clients send 1 MiB of pings each in one message, every second',
  served: true,
  prepare: everySecond(60, filled(PING, MIB)),
};

const acks: Attack = {
  name: 'acks',
  what: 'four clients send Ack and Sequence messages, 64 KiB at a time, as fast as they are read',
  served: true,
  async prepare(target) {
    const message = filled(
      `{"type":8,"sequenceId":1}${SEPARATOR}{"type":9,"sequenceId":1}${SEPARATOR}`,
      64 * KIB,
    );
    return (signal) =>
      keepUp(4, signal, async () => {
        const wire = await openClient(target);
        while (!signal.aborted && !wire.over) await wire.send(message);
      });
  },
};

const DEAF_CLIENTS = 11;

const deafAppServer: Attack = {
  name: 'deaf-app-server',
  what: 'eleven clients send messages of one byte to an app server that does not read',
  served: false,
  async prepare(target) {
    const piece = Buffer.concat(Array.from({ length: 4_096 }, () => frame(Opcode.Text, SEPARATOR)));
    const flood = async (wire: Wire, signal: AbortSignal): Promise<void> => {
      while (!signal.aborted && !wire.over) await wire.send(piece);
    };
    return (signal) =>
      keepUp(1, signal, async () => {
        const server = await FakeAppServer.connect(target.url, {
          hub: target.hub,
          answers: 'handshakes',
        });
        const clients = await each(DEAF_CLIENTS, DEAF_CLIENTS, () => openClient(target));
        server.pause();
        await Promise.all(clients.map((wire) => flood(wire, signal)));
        await server.cut();
      });
  },
};

export const MESSAGE_ATTACKS: readonly Attack[] = [
  unfinishedMessages,
  waitingClients,
  separators,
  tinyMessages,
  acks,
  deafAppServer,
];
