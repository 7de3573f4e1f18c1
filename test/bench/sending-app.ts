/** The app server that sends what it is told to over IPC: see `sending.ts`. */
import { createServer, Hub } from '@trunkline/sdk';

import { groupsOf, type Memberships, numberOf, type Request, type Sending } from './sending.ts';

interface BenchClient {
  tick(text: string): void;
}

const TEXT = 'thirty-two bytes of chat message';
const memberships = JSON.parse(process.argv[2]!) as Memberships;
const connectionIds: string[] = [];

class Bench extends Hub<BenchClient> {
  override async onConnected(): Promise<void> {
    const { connectionId, userIdentifier } = this.context;
    connectionIds.push(connectionId);
    const groups = groupsOf(numberOf(userIdentifier!), memberships);
    await Promise.all(groups.map((group) => this.groups.add(connectionId, group)));
    await this.clients.caller.tick(TEXT);
  }
}

const server = createServer({ connectionString: process.env['TRUNKLINE_CONNECTION_STRING'] });
const { clients } = server.hub('/bench', Bench);

const tick: Record<Sending['to'], (name: string) => Promise<void>> = {
  all: () => clients.all.tick(TEXT),
  group: (name) => clients.group(name).tick(TEXT),
  user: (name) => clients.user(name).tick(TEXT),
  connection: (name) => clients.client(name).tick(TEXT),
};

async function send({ to, names, times }: Sending): Promise<void> {
  const sends: Promise<void>[] = [];
  for (let time = 0; time < times; time++) for (const name of names) sends.push(tick[to](name));
  await Promise.all(sends);
}

process.on('message', (request: Request) => {
  if (request === 'connections') process.send!(connectionIds);
  else void send(request).then(() => process.send!('sent'));
});
await server.start();
console.log('app server ready');
process.once('SIGTERM', () => void server.stop({ timeout: 1000 }).then(() => process.exit()));
