import type { Pair } from './compare.ts';
import { cpuMicroseconds } from './process-usage.ts';
import type { Side } from './side.ts';
import type { Row } from './table.ts';

/** CPU microseconds that each process of a side spent on one operation. */
export interface Cost {
  server: number;
  app: number;
  load: number;
}

/** Does `work`, which answers how many operations it was, and says what one of them cost. */
export async function costOf<T>(
  side: Side,
  work: () => Promise<T>,
  operations: (result: T) => number,
): Promise<{ result: T; cost: Cost }> {
  const before = cpu(side);
  const result = await work();
  const after = cpu(side);
  const each = (process: keyof Cost): number =>
    (after[process] - before[process]) / operations(result);
  return { result, cost: { server: each('server'), app: each('app'), load: each('load') } };
}

function cpu({ serverPid, appPid, load }: Side): Cost {
  return {
    server: cpuMicroseconds(serverPid),
    app: appPid === undefined ? 0 : cpuMicroseconds(appPid),
    load: cpuMicroseconds(load.pid),
  };
}

/** The rows of a cost: the server's, held to a ratio where one is given, and the others' beside. */
export function costRows(
  cost: Readonly<Record<keyof Cost, Pair>>,
  operation: string,
  ratio?: number,
): Row[] {
  const unit = `CPU us per ${operation}`;
  return [
    {
      ...cost.server,
      name: '  server',
      unit,
      ...(ratio === undefined ? {} : { floor: { of: 'ratio', atMost: ratio } }),
    },
    { ...cost.app, name: '  app server', unit },
    { ...cost.load, name: '  load generator', unit },
  ];
}
