import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files of tests that take longest, in the order in which they begin. With two that keep the machine's
 * cores busy there is always one that waits for real times. A file that is not here begins after these.
 */
const LONG = [
  'test/interop/dotnet/hub-app.test.ts',
  'test/interop/dotnet/blazor-app.test.ts',
  'test/edge/stalled-messages.test.ts',
  'test/bus/outage/nats.test.ts',
  'test/processes/processes.test.ts',
  'test/interop/stand-in/server-connections.test.ts',
  'test/conformance/conformance.test.ts',
  'test/conformance/edges.test.ts',
  'test/conformance/mixed.test.ts',
  'test/conformance/guests.test.ts',
  'test/chaos/silence.test.ts',
  'test/bus/outage/redis.test.ts',
  'test/conformance/stand-in.test.ts',
  'test/bus/redis.test.ts',
  'test/sim/sim.test.ts',
  'test/interop/stand-in/management.test.ts',
  'test/interop/stand-in/management-clients.test.ts',
  'test/conformance/control.test.ts',
  'test/chaos/migration.test.ts',
  'test/serverless/serverless.test.ts',
  'test/bus/nats.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/edge/slow-requests.test.ts',
  'test/interop/stand-in/migration.test.ts',
  'test/edge/connection-tokens.test.ts',
  'test/package/readme/readme.test.ts',
  'test/traps/time.test.ts',
  'test/start/fresh-start.test.ts',
  'test/bus/edges.test.ts',
  'test/bus/guests.test.ts',
  'test/bus/flood.test.ts',
  'test/serverless/events.test.ts',
  'test/bus/answers.test.ts',
  'test/bus/presence.test.ts',
  'test/start/edges.test.ts',
  'test/package/bundles.test.ts',
  'test/edge/vanished-peers.test.ts',
  'test/edge/waiting-doors.test.ts',
  'test/e2e/chat.test.ts',
  'test/e2e/serverless-sample.test.ts',
  'test/edge/long-polling.test.ts',
  'test/attack/attack.test.ts',
  'test/edge/memory.test.ts',
  'test/interop/stand-in/shutdown.test.ts',
  'test/e2e/proxied-chat.test.ts',
  'test/chaos/app-server-lost.test.ts',
  'test/edge/poll-memory.test.ts',
  'test/interop/dotnet/guide.test.ts',
  'test/chaos/rooms.test.ts',
  'test/package/install.test.ts',
  'test/start/start.test.ts',
  'test/deploy/dashboard.test.ts',
];

/**
 * Begins long files of tests first, since workers that run out of files wait for the last of them. By
 * itself Vitest goes by how long files took before, which nobody knows in a fresh clone.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const long = LONG.map((file) => join(this.ctx.config.root, file));
    const gone = long.find((file) => !existsSync(file));
    if (gone !== undefined) throw new Error(`scripts/longest-first.ts: there is no ${gone}`);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = long.indexOf(moduleId);
      return at === -1 ? long.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
