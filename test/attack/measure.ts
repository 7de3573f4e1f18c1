import { setTimeout as pass } from 'node:timers/promises';

import { startEdge } from '@trunkline/testing';

import { residentBytes } from '../bench/process-usage.ts';
import { progress } from '../bench/progress.ts';
import { startAppServer } from '../chaos/start-app-server.ts';
import { type Own, withParts } from '../tasks/with-parts.ts';
import type { Attack } from './attack.ts';
import { type Felt, Healthy } from './healthy.ts';
import { type Cost, startAttacker } from './start-attacker.ts';

const CLIENTS = 20;
/** Before anything is measured, so that what is has been compiled. */
const WARM_UP_MS = 3_000;
const SAMPLE_MS = 100;
/** How soon after an attack the edge's memory is to be what it was, or nearly. */
const BACK_MS = 30_000;
/** What malloc and V8 may keep of what was freed, for the next time. */
export const KEPT_BYTES = 32 * 1024 * 1024;

/** What an attack came to. */
export interface Row {
  readonly attack: Attack;
  readonly seconds: number;
  readonly cost: Cost;
  readonly felt: Felt;
  readonly memory: Memory;
}

/** Resident bytes of the edge. */
interface Memory {
  readonly before: number;
  readonly most: number;
  readonly after: number;
  /** How long after the attack `after` was read: when it was back, or 30 s. */
  readonly afterMs: number;
}

interface Plan {
  readonly attack: Attack;
  readonly seconds: number;
  /** The attacker's, once it is prepared. */
  readonly nice: number;
}

/** Attacks an edge that is started for it. Nothing when told to stop meanwhile. */
export async function measure(plan: Plan, signal: AbortSignal): Promise<Row | undefined> {
  try {
    return await withParts((own) => measureWith(own, plan, signal));
  } catch (error) {
    // Told to stop, processes end under it.
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function measureWith(
  own: Own,
  { attack, seconds, nice }: Plan,
  signal: AbortSignal,
): Promise<Row | undefined> {
  const { openFiles } = attack;
  const { url, pid } = await own(startEdge(openFiles === undefined ? {} : { openFiles }));
  await own(startAppServer({ edgeUrl: url, hub: 'healthy' }));
  if (attack.served) await own(startAppServer({ edgeUrl: url, hub: 'attacked' }));
  const healthy = await own(Healthy.connect(url, 'healthy', CLIENTS));
  progress(`${attack.name}: prepares`);
  const attacker = await own(startAttacker(attack, { url, hub: 'attacked' }, nice));
  if (!(await wait(WARM_UP_MS, signal))) return undefined;
  const before = residentBytes(pid);
  progress(`${attack.name}: attacks for ${seconds} s`);
  healthy.begin();
  attacker.strike();
  const most = await watch(pid, seconds * 1000, signal, () => false);
  const noticed = healthy.end();
  const cost = await attacker.end();
  const felt = await noticed;
  const ended = performance.now();
  await watch(pid, BACK_MS, signal, (bytes) => bytes <= before + KEPT_BYTES);
  if (signal.aborted) return undefined;
  const memory = { before, most, after: residentBytes(pid), afterMs: performance.now() - ended };
  return { attack, seconds, cost, felt, memory };
}

/** The most that an edge held within `ms`, or until `enough`. */
async function watch(
  pid: number,
  ms: number,
  signal: AbortSignal,
  enough: (bytes: number) => boolean,
): Promise<number> {
  const until = performance.now() + ms;
  let most = 0;
  do {
    const bytes = residentBytes(pid);
    most = Math.max(most, bytes);
    if (enough(bytes)) break;
  } while ((await wait(SAMPLE_MS, signal)) && performance.now() < until);
  return most;
}

/** False when told to stop meanwhile. */
async function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  await pass(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
