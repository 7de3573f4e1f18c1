import { createInterface } from 'node:readline';

import type { StartedEdge, StartedProcess } from '@trunkline/testing';

import { type Metrics, scrape } from '../edge/support/metrics.ts';
import { HUBS } from './drive.ts';

/** What pending ids, held posts and closed connections take to be forgotten, and some time more. */
const GIVEN_BACK_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** Groups that users join on arrival are kept for as long as their rules say. */
const KEPT_POOL = 'user_group_rules';

const ERRORS = [/^\{.*"level":"(error|fatal)"/, /^(\S+: )?\w*Error\b/, /^\s+at .*:\d+:\d+\)?$/];

/** Tells of the end of a process, whatever ended it, and of errors in its log. */
export function watchProcess(
  name: string,
  { child, exited }: StartedProcess<unknown>,
  isOver: () => boolean,
  report: (finding: string) => void,
): void {
  void exited.then(({ code, signal }) => {
    if (!isOver()) report(`the ${name} ended with ${signal ?? `code ${code}`}`);
  });
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (isError(line)) report(`the ${name} wrote: ${line}`);
    });
  }
}

/** A line of the log that is an error, or one of a stack: nothing that a peer sends is the edge's error. */
export function isError(line: string): boolean {
  return ERRORS.some((error) => error.test(line));
}

/** Waits until nothing is held for any peer. Answers what still is; nothing when all is well. */
export async function heldStill(edge: StartedEdge): Promise<string[]> {
  const until = performance.now() + GIVEN_BACK_MS;
  for (;;) {
    const held = heldIn(await scrape(edge));
    if (held.length === 0 || performance.now() > until) return held;
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_EVERY_MS);
    });
  }
}

function heldIn({ text }: Metrics): string[] {
  const hubs = Object.values(HUBS).join('|');
  const connections = `trunkline_client_connections\\{.*hub="(?:${hubs})".*\\}`;
  const pools = `trunkline_pool_used\\{pool="(?!${KEPT_POOL})\\w+"\\}`;
  return text.match(new RegExp(`^(?:${connections}|${pools}) [1-9]\\d*$`, 'gm')) ?? [];
}
