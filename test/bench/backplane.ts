import { REDIS_ENGINE } from '../bus/engines.ts';
import { restore, type RestoredPart } from '../interop/dotnet/part.ts';
import { type SendingSide, startClusterSide, startCrowds } from './cluster-side.ts';
import { type SideNames, withSides } from './compare.ts';
import { measureDeliveries, type Rounds } from './delivery.ts';
import { startAll } from './side.ts';
import type { Row } from './table.ts';

export interface BackplaneOptions extends Rounds {
  /** At each of the two servers. */
  readonly clients: number;
  /** So many broadcasts together, beside one at a time. */
  readonly burst: number;
}

export const BACKPLANE_SIDES: SideNames = ['edges', 'Kestrels'];

/** The hub on Kestrel, or why it cannot be had. */
export const restoreBackplane = (): Promise<RestoredPart | string> =>
  restore({ project: 'BackplaneApp', how: 'with its package' });

/**
 * Broadcasts to clients of two servers that one Redis joins: two edges, each with an app server of the
 * SDK, beside two Kestrels with the Redis backplane of ASP.NET Core.
 */
export async function measureBackplane({
  clients,
  burst,
  ...rounds
}: BackplaneOptions): Promise<Row[]> {
  const kestrel = await restoreBackplane();
  if (typeof kestrel === 'string') throw new Error(kestrel);
  await kestrel.build();
  const counts = [clients, clients];
  const contenders = {
    edge: (): Promise<SendingSide> => startClusterSide({ engine: REDIS_ENGINE, clients: counts }),
    bare: () => startKestrels(kestrel, counts),
  };
  return withSides(contenders, undefined, async (sides) => {
    const rows: Row[] = [];
    for (const times of [1, burst]) {
      const turn = {
        sending: { to: 'all' as const, names: [''], times },
        heard: counts.map((count) => count * times),
      };
      const many = times === 1 ? 'broadcast' : `${times} broadcasts together`;
      const name = `${many} to ${clients} clients at each of two`;
      const turns = { edge: turn, bare: turn };
      const cost = await measureDeliveries(name, BACKPLANE_SIDES, sides, turns, rounds);
      const all = {
        edge: cost.edges.edge + cost.app.edge + cost.engine.edge,
        bare: cost.edges.bare + cost.app.bare + cost.engine.bare,
      };
      const unit = 'CPU us per delivery';
      rows.push(
        { ...all, name: `${name}: in all`, unit },
        { ...cost.edges, name: '  edges, or Kestrels', unit },
        { ...cost.app, name: '  app servers', unit },
        { ...cost.engine, name: '  Redis', unit, digits: 2 },
        { ...cost.load, name: '  load generators', unit },
      );
    }
    return rows;
  });
}

const startKestrels = (kestrel: RestoredPart, clients: readonly number[]): Promise<SendingSide> =>
  startAll(async (started) => {
    const engine = started(await REDIS_ENGINE.start());
    const start = async () => started(await kestrel.start({ REDIS: engine.host }));
    const [near, far] = [await start(), await start()];
    const crowds = await startCrowds([near.url, far.url], clients, started);
    return {
      crowds,
      processes: {
        near: [near.pid],
        far: [far.pid],
        engine: [engine.pid],
        app: [],
        load: crowds.map(({ load }) => load.pid),
      },
      // Whom it is to and how often is all that this hub knows.
      send: async ({ times }) => {
        const answer = await fetch(`${near.url}/send/${times}`, { method: 'POST' });
        if (!answer.ok) throw new Error(`Kestrel does not send: ${answer.status}`);
      },
    };
  });
