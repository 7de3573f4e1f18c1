import { LoadGenerator } from '@trunkline/testing';

import { NATS_ENGINE } from '../bus/engines.ts';
import { processesOf, startEdges } from '../processes/start-edges.ts';
import type { Contenders, SideNames } from './compare.ts';
import { type EchoOptions, measureEcho } from './echo.ts';
import { startAll, startApp, startEdgeSide, type StartSide } from './side.ts';
import { type Row, withoutFloor } from './table.ts';

const PROCESSES = 2;

export const PROCESSES_SIDES: SideNames = [`${PROCESSES} processes`, '1 process'];

/** Echo calls at a parent of two edges on NATS, beside a single edge; "server" is edges and parent. */
export async function measureProcesses(options: EchoOptions): Promise<Row[]> {
  const bare: StartSide = () => startEdgeSide('echo');
  const contenders: Contenders = { edge: startParent, bare, names: PROCESSES_SIDES };
  const rows = await measureEcho(contenders, options);
  return rows.map(withoutFloor);
}

const startParent: StartSide = () =>
  startAll(async (started) => {
    const nats = started(await NATS_ENGINE.start());
    const edges = started(await startEdges(PROCESSES, `${NATS_ENGINE.scheme}://${nats.host}`));
    const app = started(await startApp(edges.url, 'echo'));
    const load = started(await LoadGenerator.start(edges.url));
    const server = [edges.pid, ...processesOf(edges.pid).values()];
    return {
      load,
      serverPid: edges.pid,
      processes: { server, app: [app.pid], load: [load.pid] },
    };
  });
