import { setTimeout as pass } from 'node:timers/promises';

import { JSON_HANDSHAKE } from '../edge/support/json-client.ts';
import { negotiate } from '../edge/support/negotiate.ts';
import { frame, Opcode, UPGRADE } from '../edge/support/raw-socket.ts';
import { userToken } from '../edge/support/tokens.ts';
import { fuzzedToken } from './access-tokens.ts';
import { CONNECTION_ID, type Conversation, type Step } from './corpus.ts';
import { mutateSteps, oneOf, pick, type Random, type Sent } from './mutate.ts';
import { ENDINGS, Sockets } from './sockets.ts';

/** What the last step may set off, before the sockets go. */
const LAST_WORDS_MS = 20;

/** Where a conversation goes. */
export interface Targets {
  readonly edgeUrl: string;
  readonly negotiateUrl: string;
}

/** The hub of clients, where an app server of the SDK is, and the hub of app servers, where none is. */
export const HUBS = { client: 'fuzz', server: 'fuzz_servers', negotiate: 'fuzz' } as const;

/** What the placeholders of a conversation stand for in one replay. */
interface Live {
  readonly hub: string;
  readonly id: string;
  readonly token: string;
  readonly connectionId: string;
}

/** Says a mutation of a conversation; resolves when all of it is said and its sockets are gone. */
export async function replay(
  conversation: Conversation,
  random: Random,
  others: readonly string[],
  { edgeUrl, negotiateUrl }: Targets,
): Promise<void> {
  const { speaker, steps } = conversation;
  const hub = HUBS[speaker];
  const { connectionId, connectionToken } = await negotiate(edgeUrl, { hub, userId: 'ann' });
  const token = fuzzedToken(speaker === 'server' ? 'server' : 'client', hub, random, others);
  const live = { hub, id: connectionToken, token, connectionId };
  const filledIn = steps.map((step) => filled(step, live));
  const sent = mutateSteps(filledIn, random, others);
  // Drawn before anything is sent, so that it does not depend on what is answered.
  const ending = oneOf(random, ENDINGS);
  const pieces = random() < 0.2 ? 1 + pick(random, 64) : Infinity;
  const sockets = new Sockets(speaker === 'negotiate' ? negotiateUrl : edgeUrl, pieces);
  const client = new Sockets(edgeUrl, Infinity);
  try {
    if (speaker === 'server') void startClient(client, live);
    for (const step of sent) await sockets.write(step.socket, bytesOf(step));
    await pass(LAST_WORDS_MS);
  } finally {
    sockets.end(ending);
    client.end('destroy');
  }
}

function filled(step: Step, { hub, id, token, connectionId }: Live): Step {
  if ('payload' in step) {
    return { ...step, payload: step.payload.replaceAll(CONNECTION_ID, connectionId) };
  }
  const head = step.head
    .replace('{hub}', hub)
    .replace('{id}', encodeURIComponent(id))
    .replace('{token}', token);
  return { ...step, head };
}

function bytesOf(sent: Sent): Buffer {
  if ('payload' in sent) {
    return frame(sent.opcode, Buffer.from(sent.payload, 'latin1'), sent.final);
  }
  const bytes = sent.head.replace('{length}', `${sent.body.length}`) + sent.body;
  return Buffer.from(sent.mangle === undefined ? bytes : sent.mangle(bytes), 'latin1');
}

/** The client that an app server speaks of: it comes as soon as it is let in. */
async function startClient(client: Sockets, { hub, id }: Live): Promise<void> {
  const headers = { Host: 'edge', Authorization: `Bearer ${userToken(hub, 'ann')}`, ...UPGRADE };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `GET /client/?hub=${hub}&id=${id} HTTP/1.1\r\n${lines.join('')}\r\n`;
  await client.write(0, Buffer.from(head));
  await client.write(0, frame(Opcode.Text, JSON_HANDSHAKE));
}
