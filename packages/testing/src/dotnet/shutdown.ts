import { type Clock, pass } from './clock.ts';
import type { ClientTable } from './clients/client-table.ts';
import { Deferred } from './deferred.ts';
import type { Profile } from './profiles.ts';
import type { Container } from './trunk/container.ts';

/** `GracefulShutdown.Mode`. */
export type ShutdownMode = 'Off' | 'WaitForClientsClose' | 'MigrateClients';

const FIN: Readonly<Record<ShutdownMode, string>> = {
  Off: 'fin:0',
  MigrateClients: 'fin:1',
  WaitForClientsClose: 'fin:2',
};

export interface Shutdown {
  readonly mode: ShutdownMode;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly clients: ClientTable;
  readonly containers: readonly Container[];
  readonly log: (line: string) => void;
}

/** Stops as the package does at SIGTERM (service protocol reference, sections 7.5 and 20.8). */
export async function shutDown(shutdown: Shutdown): Promise<void> {
  const { mode, profile, timeout, clock, containers, log } = shutdown;
  if (mode === 'Off' && !profile.finWhenOff) {
    for (const container of containers) container.drop();
    return;
  }
  const late = new Deferred<void>();
  const done = announce(shutdown, late.promise).then(() => true);
  const inTime = await Promise.race([done, pass(clock, timeout, done).then(() => false)]);
  if (!inTime) log('Timeout: existing client connections will be dropped.');
  late.resolve();
  for (const container of containers) container.close();
}

/** Settles when the clients are gone, too. */
async function announce(shutdown: Shutdown, late: Promise<void>): Promise<void> {
  const { mode, clients, containers } = shutdown;
  await Promise.all(containers.map((container) => container.fin(FIN[mode], late)));
  if (mode !== 'Off') return clients.idle();
  const ended = clients.running.flatMap(({ id }) => clients.remove(id) ?? []);
  await Promise.all(ended.map((client) => client.end()));
}
