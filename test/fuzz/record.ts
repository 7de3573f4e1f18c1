/**
 * `npx node test/fuzz/record.ts`: writes the corpus anew. Real clients of every transport and hub
 * protocol, and the SDK's app server, speak to an edge through a tap; the golden frames of the
 * service protocol become an app server of their own.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pass } from 'node:timers/promises';

import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IHubProtocol,
  JsonHubProtocol,
  LogLevel,
  Subject,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { encodeServiceMessage, type ServiceMessage } from '@trunkline/protocol';
import { createServer, Hub } from '@trunkline/sdk';
import { FakeAppServer, startEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import { VECTORS } from '../../packages/protocol/src/service/vectors/index.ts';
import { userToken } from '../edge/support/tokens.ts';
import { withParts } from '../tasks/with-parts.ts';
import { CONNECTION_ID, type Conversation, CORPUS_FILE, type Step } from './corpus.ts';
import { startNegotiate } from './services.ts';
import { Tap } from './tap.ts';

const HUB = 'recorded';
const BINARY = 2;
/** Longer golden frames are left out: mutations of their payload would tell little. */
const LONGEST = 4096;
/** What a peer needs to have said all it is going to say. */
const SAID_MS = 200;

const TRANSPORTS = [
  ['WebSockets', HttpTransportType.WebSockets],
  ['server-sent events', HttpTransportType.ServerSentEvents],
  ['long polling', HttpTransportType.LongPolling],
] as const;

async function connect(
  url: string,
  transport: HttpTransportType,
  protocol: IHubProtocol,
): Promise<HubConnection> {
  const connection = new HubConnectionBuilder()
    .withUrl(url, { transport, accessTokenFactory: () => userToken(HUB, 'ann') })
    .withHubProtocol(protocol)
    .configureLogging(LogLevel.None)
    .build();
  await connection.start();
  return connection;
}

/** One of everything a client can say. */
async function speak(connection: HubConnection): Promise<void> {
  await connection.invoke('echo', 'text');
  await connection.invoke('echo', { number: 1.5, list: [null, true, 'é'] });
  await connection.send('all', 'hello');
  const upload = new Subject<number>();
  await connection.send('upload', upload);
  upload.next(1);
  upload.complete();
  const items = connection.stream<number>('count', 3);
  items.subscribe({ next: () => {}, error: () => {}, complete: () => {} }).dispose();
  await pass(SAID_MS);
  await connection.stop();
}

async function recordClients(tap: Tap): Promise<Conversation[]> {
  const conversations: Conversation[] = [];
  for (const [name, transport] of TRANSPORTS) {
    for (const protocol of [new JsonHubProtocol(), new MessagePackHubProtocol()]) {
      // No event stream carries bytes.
      if (transport === HttpTransportType.ServerSentEvents && protocol.name !== 'json') continue;
      await speak(await connect(`${tap.url}/client/?hub=${HUB}`, transport, protocol));
      conversations.push({
        name: `client, ${name}, ${protocol.name}`,
        speaker: 'client',
        steps: tap.take(),
      });
    }
  }
  return conversations;
}

async function recordNegotiate(tap: Tap): Promise<Conversation> {
  // What the answer points at is not there.
  await connect(`${tap.url}/chat`, HttpTransportType.WebSockets, new JsonHubProtocol()).catch(
    () => {},
  );
  return { name: 'client, negotiate service', speaker: 'negotiate', steps: tap.take() };
}

class Everything extends Hub {
  static readonly ids = new Set<string>();

  override async onConnected(): Promise<void> {
    Everything.ids.add(this.context.connectionId);
    await this.groups.add(this.context.connectionId, 'room');
  }

  echo(value: unknown): unknown {
    return value;
  }

  async *count(end: number): AsyncGenerator<number> {
    for (let number = 0; number < end; number++) yield number;
  }

  async upload(): Promise<void> {}

  async all(text: string): Promise<void> {
    const { connectionId } = this.context;
    await this.clients.all.send('message', text);
    await this.clients.group('room').send('message', text);
    await this.clients.user('ann').send('message', text);
    await this.clients.allExcept([connectionId]).send('message', text);
    await this.groups.remove(connectionId, 'room');
  }
}

async function recordServer(tap: Tap, edgeUrl: string): Promise<Conversation[]> {
  const server = createServer({
    connectionString: formatConnectionString(tap.url, DEVELOPMENT_ACCESS_KEY),
  });
  server.hub('/everything', Everything, { hub: HUB });
  await server.start();
  try {
    for (const protocol of [new JsonHubProtocol(), new MessagePackHubProtocol()]) {
      const url = `${edgeUrl}/client/?hub=${HUB}`;
      await speak(await connect(url, HttpTransportType.WebSockets, protocol));
    }
  } finally {
    await server.stop();
  }
  const steps = tap.take().map((step) => anonymous(step, Everything.ids));
  const sockets = [...new Set(steps.map(({ socket }) => socket))];
  return sockets
    .map((socket) => steps.filter((step) => step.socket === socket))
    .filter((own) => own.some((step) => 'payload' in step && step.payload.includes(CONNECTION_ID)))
    .map((own, at) => ({
      name: `app server of the SDK, connection ${at + 1}`,
      speaker: 'server',
      steps: own.map((step) => ({ ...step, socket: 0 })),
    }));
}

function anonymous(step: Step, ids: ReadonlySet<string>): Step {
  if ('head' in step) return step;
  let { payload } = step;
  for (const id of ids) payload = payload.replaceAll(id, CONNECTION_ID);
  return { ...step, payload };
}

/** All golden frames, those that only the service sends too, behind the upgrade of a real server. */
function goldenServer(real: Conversation): Conversation {
  const upgrade = real.steps.find((step) => 'head' in step)!;
  const frames = VECTORS.map(({ message }): Step => {
    const bytes = Buffer.from(encodeServiceMessage(addressed(message)));
    return { socket: 0, opcode: BINARY, payload: bytes.toString('latin1') };
  }).filter((step) => 'payload' in step && step.payload.length <= LONGEST);
  return { name: 'golden frames', speaker: 'server', steps: [upgrade, ...frames] };
}

function addressed(message: ServiceMessage): ServiceMessage {
  const one = 'connectionId' in message && message.connectionId !== undefined;
  const many = 'connectionIds' in message;
  return {
    ...message,
    ...(one && { connectionId: CONNECTION_ID }),
    ...(many && { connectionIds: [CONNECTION_ID, 'nobody'] }),
  } as ServiceMessage;
}

async function record(edgeUrl: string): Promise<Conversation[]> {
  const servers = await withParts(async (own) =>
    recordServer(await own(Tap.start(edgeUrl)), edgeUrl),
  );
  const clients = await withParts(async (own) => {
    await own(FakeAppServer.connect(edgeUrl, { hub: HUB }));
    return recordClients(await own(Tap.start(edgeUrl)));
  });
  const negotiate = await withParts(async (own) => {
    const { url } = await own(startNegotiate());
    return recordNegotiate(await own(Tap.start(url)));
  });
  return [...clients, negotiate, ...servers, goldenServer(servers[0]!)];
}

const corpus = await withParts(async (own) => record((await own(startEdge())).url));
writeFileSync(CORPUS_FILE, `${JSON.stringify(corpus, null, 2)}\n`);
for (const { name, steps } of corpus) console.log(`${name}: ${steps.length} steps`);
