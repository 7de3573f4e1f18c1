import { LoadGenerator } from '@trunkline/testing';

import type { Contenders, SideNames } from './compare.ts';
import { type EchoOptions, measureEcho } from './echo.ts';
import { startAll, type StartSide } from './side.ts';
import { type Row, withoutFloor } from './table.ts';
import { startEchoEdges } from './two-edges.ts';

export const GUESTS_SIDES: SideNames = ['guests', 'local'];

/**
 * Echo calls of clients whose app server has dialled another edge than theirs, beside those of clients
 * of the app server's own edge. There are two edges on NATS on either side; "server" is both of them.
 */
export async function measureGuests(options: EchoOptions): Promise<Row[]> {
  const contenders: Contenders = {
    edge: startWithClientsAt(1),
    bare: startWithClientsAt(0),
    names: GUESTS_SIDES,
  };
  const rows = await measureEcho(contenders, options);
  return rows.map(withoutFloor);
}

function startWithClientsAt(edge: number): StartSide {
  return () =>
    startAll(async (started) => {
      const edges = started(await startEchoEdges());
      const { near, far, app } = edges.processes;
      const load = started(await LoadGenerator.start(edges.urls[edge]!));
      const processes = { server: [...near, ...far], app, load: [load.pid] };
      return { load, serverPid: [...near, ...far][edge]!, processes };
    });
}
