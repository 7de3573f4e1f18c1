/**
 * A TCP load balancer in a process of its own: `node balancer.ts <targets in JSON>`. Every new connection
 * goes to the next edge that says it is ready; one that does not answer, or is not ready, gets none. Where
 * an edge turns out to be gone the connection goes to another one, as with HAProxy and nginx.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** An edge: its public port, and the URL of its admin port. */
export interface Target {
  readonly port: number;
  readonly adminUrl: string;
}

const LOOK_EVERY_MS = 500;
const LOOK_TIMEOUT_MS = 1_000;

const targets = JSON.parse(process.argv[2]!) as Target[];
const ready = new Set<Target>(targets);
let next = 0;

async function look(target: Target): Promise<void> {
  const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
  const answer = await fetch(`${target.adminUrl}/ready`, { signal }).catch(() => undefined);
  await answer?.body?.cancel();
  if (answer?.ok === true) ready.add(target);
  else ready.delete(target);
}

/** In turn, among those that are ready; any where none is. */
function choose(): Target {
  for (let tried = 0; tried < targets.length; tried++) {
    const target = targets[next++ % targets.length]!;
    if (ready.has(target)) return target;
  }
  return targets[next++ % targets.length]!;
}

function join(from: Socket, to: Socket): void {
  from.on('error', () => to.resetAndDestroy());
  from.pipe(to);
}

function serve(near: Socket, tries = targets.length): void {
  const target = choose();
  const far = connect({ host: '127.0.0.1', port: target.port, noDelay: true });
  const onGone = (): void => {
    ready.delete(target);
    if (tries > 1 && !near.destroyed) serve(near, tries - 1);
    else near.resetAndDestroy();
  };
  far.once('error', onGone);
  far.once('connect', () => {
    far.off('error', onGone);
    if (near.destroyed) return void far.destroy();
    join(near, far);
    join(far, near);
  });
}

const server = createServer({ noDelay: true }, (near) => {
  near.on('error', () => {});
  serve(near);
});
setInterval(() => targets.forEach((target) => void look(target)), LOOK_EVERY_MS);
process.once('SIGTERM', () => process.exit());
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
