import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { HubConnectionBuilder, LogLevel, Subject } from '@microsoft/signalr';
import type { HubConnection, IHubProtocol } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { startProcess } from '@trunkline/testing';
import type { StartedEdge, StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

/** The folder of the app. */
export const APP = fileURLToPath(new URL('app', import.meta.url));

/** The app as `script`, in that script's folder, under some Node; ready is its URL. */
function startApp(
  edge: StartedEdge,
  node: string,
  script: string,
): Promise<StartedProcess<string>> {
  return startProcess(node, [script], {
    name: 'app',
    cwd: dirname(script),
    env: { TRUNKLINE_CONNECTION_STRING: formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY) },
    ready: (line) => line.startsWith('http') && line,
  });
}

async function connect(url: string, protocol?: IHubProtocol): Promise<HubConnection> {
  const builder = new HubConnectionBuilder().withUrl(`${url}/chat`);
  if (protocol !== undefined) builder.withHubProtocol(protocol);
  const connection = builder.configureLogging(LogLevel.None).build();
  await connection.start();
  return connection;
}

function collect(connection: HubConnection, method: string, ...args: unknown[]) {
  return new Promise<unknown[]>((resolve, reject) => {
    const items: unknown[] = [];
    connection.stream(method, ...args).subscribe({
      next: (item) => void items.push(item),
      error: reject,
      complete: () => resolve(items),
    });
  });
}

/** Runs the app as `script` under some Node, with two clients; what they saw and how it ended. */
export async function tryOut(edge: StartedEdge, node: string, script: string) {
  await using app = await startApp(edge, node, script);
  const answer = await fetch(`${app.ready}/chat/negotiate`, { method: 'POST' });
  const { url } = (await answer.json()) as { url: string };
  const [caller, other] = await Promise.all([
    connect(app.ready),
    connect(app.ready, new MessagePackHubProtocol()),
  ]);
  const message = new Promise((resolve) => {
    other.on('message', (...args) => resolve(args));
  });
  const version = await caller.invoke<string>('send', 'ada', 'hello');
  const numbers = new Subject<number>();
  const sum = caller.invoke<number>('sum', numbers);
  for (const number of [1, 2, 3]) numbers.next(number);
  numbers.complete();
  const seen = {
    atEdge: url.startsWith(edge.url),
    version,
    message: await message,
    countdown: await collect(other, 'countdown', 3),
    sum: await sum,
    healthy: await other.invoke<boolean>('healthy'),
  };
  await Promise.all([caller.stop(), other.stop()]);
  const exit = await app.stop();
  return { ...seen, exit, complaints: app.output().replace(app.ready, '').trim() };
}

/** What `tryOut` sees of an app that works. */
export const working = (version: string) => ({
  atEdge: true,
  version,
  message: ['ada', 'hello'],
  countdown: [3, 2, 1],
  sum: 6,
  healthy: true,
  exit: { code: 0, signal: null },
  complaints: '',
});
