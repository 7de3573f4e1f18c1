import { alternate, type Both, type Pair, type SideNames, withSides } from './compare.ts';
import { costOf } from './cost.ts';
import { repeat, type Rounds } from './delivery.ts';
import { type RestSide, startRestSide } from './rest-side.ts';
import type { Sending } from './sending.ts';
import type { Row } from './table.ts';

export const REST_SIDES: SideNames = ['REST', 'server'];

/** Sends before it is waited for that the client has heard all of them. */
const TOGETHER = 2_000;
const HEAR_TIMEOUT_MS = 60_000;

/**
 * Sends to one client by the REST API, over connections that are kept, beside the same sends of an app
 * server over its server connections. Either side has an edge of its own.
 */
export function measureRest(rounds: Rounds): Promise<Row[]> {
  const start = () => startRestSide(1);
  return withSides({ edge: start, bare: start }, undefined, async (sides) => {
    const rows: Row[] = [];
    for (const to of ['all', 'group', 'connection'] as const) {
      rows.push(...(await measureSends(to, sides, rounds)));
    }
    return rows;
  });
}

async function measureSends(
  to: 'all' | 'group' | 'connection',
  sides: Both<RestSide>,
  { rounds, seconds }: Rounds,
): Promise<Row[]> {
  const run = async (name: keyof Pair) => {
    const side = sides[name];
    const { app, caller, crowd, edgePid } = side;
    const sender = name === 'edge' ? caller : app;
    const sending = { to, names: await targetsOf(to, side), times: TOGETHER };
    const processes = { edge: [edgePid], sender: [sender.pid] };
    const send = async (): Promise<void> => {
      const heard = crowd.load.do('hear', { messages: TOGETHER }, HEAR_TIMEOUT_MS);
      await Promise.all([sender.send(sending), heard]);
    };
    const startedAt = performance.now();
    const { result: times, cost } = await costOf(
      { processes },
      () => repeat(seconds, send),
      (done) => done * TOGETHER,
    );
    const rate = (times * TOGETHER * 1000) / (performance.now() - startedAt);
    return { rate, edgeCost: cost.edge, sender: cost.sender };
  };
  // Until everything has been compiled.
  await run('edge');
  await run('bare');
  const figures = await alternate(rounds, REST_SIDES, `sends to ${to}`, run);
  const unit = 'CPU us per send';
  return [
    { ...figures.rate, name: `sends to ${to}`, unit: 'per second', digits: 0 },
    { ...figures.edgeCost, name: '  edge', unit },
    { ...figures.sender, name: '  who sends', unit },
  ];
}

async function targetsOf(to: Sending['to'], { app }: RestSide): Promise<readonly string[]> {
  return to === 'connection' ? app.connections() : ['group-0'];
}
