import type { EchoResult } from '@trunkline/testing';

import { alternate, type Both, type Contenders, type SideNames, withSides } from './compare.ts';
import { costOf, costRows } from './cost.ts';
import type { Side } from './side.ts';
import type { Row } from './table.ts';
import { newTokens } from './tokens.ts';

export interface EchoOptions {
  rounds: number;
  /** Of each round. */
  seconds: number;
}

export const CLIENTS = 64;
export const OUTSTANDING = 4;
const PER_SECOND = 5_000;
/** Left out of the figures, so that what is measured has been compiled. */
const WARM_UP_SECONDS = 2;
/** On top of a run's own time, for the last answers and a busy machine. */
export const GRACE_MS = 15_000;

/** Echo calls: first as many as will go, then a fixed number a second. */
export async function measureEcho(contenders: Contenders, options: EchoOptions): Promise<Row[]> {
  return withSides(contenders, 'echo', async (sides) => {
    await warmUp(sides);
    return [
      ...(await flatOut(sides, contenders.names, options)),
      ...(await paced(sides, contenders.names, options)),
    ];
  });
}

/** Connects the clients of both sides, and lets them talk until everything has been compiled. */
export async function warmUp(sides: Both<Side>): Promise<void> {
  for (const { load } of [sides.edge, sides.bare]) {
    await load.do('connect', { tokens: newTokens(CLIENTS), concurrency: CLIENTS }, GRACE_MS);
    const command = { outstanding: OUTSTANDING, seconds: WARM_UP_SECONDS };
    await load.do('echoFlatOut', command, WARM_UP_SECONDS * 1000 + GRACE_MS);
  }
}

/** As many calls as will go. The clients are there, and all has been compiled. */
export async function flatOut(
  sides: Both<Side>,
  names: SideNames,
  { rounds, seconds }: EchoOptions,
): Promise<Row[]> {
  const command = { outstanding: OUTSTANDING, seconds };
  const figures = await alternate(rounds, names, 'echo flat out', async (name) => {
    const run = () => sides[name].load.do('echoFlatOut', command, seconds * 1000 + GRACE_MS);
    const { result, cost } = await costOf(sides[name], run, ({ echoes }) => echoes);
    return { ...cost, ...milliseconds(result), rate: result.echoes / result.seconds };
  });
  const name = `echo flat out, ${CLIENTS} clients x ${OUTSTANDING}`;
  return [
    { ...figures.rate, name, unit: 'per second', digits: 0 },
    { ...figures.p50, name: '  p50', unit: 'ms', digits: 2 },
    { ...figures.p99, name: '  p99', unit: 'ms', digits: 2 },
    ...costRows(figures, 'echo', 1.6),
  ];
}

async function paced(
  sides: Both<Side>,
  names: SideNames,
  { rounds, seconds }: EchoOptions,
): Promise<Row[]> {
  const command = { perSecond: PER_SECOND, seconds };
  const figures = await alternate(rounds, names, 'echo paced', async (name) => {
    const run = () => sides[name].load.do('echoPaced', command, seconds * 1000 + GRACE_MS);
    const { result, cost } = await costOf(sides[name], run, ({ echoes }) => echoes);
    return { ...cost, ...milliseconds(result) };
  });
  const name = `echo at ${PER_SECOND} a second, ${CLIENTS} clients: p50`;
  const floor = { of: 'difference', atMost: 0.5 } as const;
  return [
    { ...figures.p50, name, unit: 'ms', digits: 2, floor },
    { ...figures.p99, name: '  p99', unit: 'ms', digits: 2 },
    ...costRows(figures, 'echo'),
  ];
}

function milliseconds(result: EchoResult): { p50: number; p99: number } {
  return { p50: result.p50Microseconds / 1000, p99: result.p99Microseconds / 1000 };
}
