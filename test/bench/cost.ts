import type { Pair } from './compare.ts';
import { cpuMicroseconds } from './process-usage.ts';
import type { Row } from './table.ts';

/** What processes of a measurement are for, and their ids. */
export type Processes<Role extends string> = Readonly<Record<Role, readonly number[]>>;

/** CPU microseconds that the processes of each role spent on one operation. */
export type Cost<Role extends string = 'server' | 'app' | 'load'> = Record<Role, number>;

/** Does `work`, which answers how many operations it was, and says what one of them cost. */
export async function costOf<T, Role extends string>(
  { processes }: { readonly processes: Processes<Role> },
  work: () => Promise<T>,
  operations: (result: T) => number,
): Promise<{ result: T; cost: Cost<Role> }> {
  const before = cpu(processes);
  const result = await work();
  const after = cpu(processes);
  const roles = Object.keys(processes) as Role[];
  const each = (role: Role): number => (after[role] - before[role]) / operations(result);
  return {
    result,
    cost: Object.fromEntries(roles.map((role) => [role, each(role)])) as Cost<Role>,
  };
}

function cpu<Role extends string>(processes: Processes<Role>): Cost<Role> {
  const entries = Object.entries<readonly number[]>(processes);
  const sum = (pids: readonly number[]): number =>
    pids.reduce((total, pid) => total + cpuMicroseconds(pid), 0);
  return Object.fromEntries(entries.map(([role, pids]) => [role, sum(pids)])) as Cost<Role>;
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
