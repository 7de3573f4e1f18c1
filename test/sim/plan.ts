import type { Dice } from './dice.ts';

/** What can happen, and how often beside the others. */
const DEEDS = {
  sendToAll: 6,
  sendToGroup: 10,
  sendToUser: 6,
  sendToConn: 4,
  sayToOwn: 4,
  join: 8,
  leave: 3,
  joinUser: 4,
  leaveUser: 2,
  checkConn: 4,
  checkUser: 4,
  checkGroup: 2,
  list: 2,
  closeConn: 1,
  askClient: 3,
  call: 8,
  reconnect: 4,
  cutLine: 1,
  restartApp: 0.5,
  drainEdge: 0.5,
} as const;

/** What goes wrong among edges and with their bus. */
const FAULTS = {
  killEdge: 1,
  stopEdge: 1,
  freezeEdge: 1.5,
  cutBus: 2,
  partition: 1,
  restartEngine: 0.7,
  loseBatches: 1.5,
  doubleBatches: 1,
  askWhileEdgesGo: 1.5,
} as const;

export type Deed = keyof typeof DEEDS | keyof typeof FAULTS;

/** One step. What it is about is chosen by numbers from 0 to 1, so that a plan makes sense without some of its steps. */
export interface Step {
  readonly deed: Deed;
  readonly which: readonly [number, number, number];
  /** What passes after it, in milliseconds. */
  readonly ms: number;
}

/** The steps of a seed. Some seeds have many faults, some few, some none. */
export function planOf(dice: Dice, steps: number): Step[] {
  const faults = dice.pick([0, 0.3, 1, 2])!;
  const weights: [Deed, number][] = Object.entries(DEEDS) as [Deed, number][];
  for (const [deed, weight] of Object.entries(FAULTS))
    weights.push([deed as Deed, weight * faults]);
  const sum = weights.reduce((all, [, weight]) => all + weight, 0);
  return Array.from({ length: steps }, () => {
    let at = dice.roll() * sum;
    const [deed] = weights.find(([, weight]) => (at -= weight) < 0) ?? weights[0]!;
    const which = [dice.roll(), dice.roll(), dice.roll()] as const;
    const ms = dice.chance(0.05) ? dice.between(300, 3_000) : dice.roll() * 25;
    return { deed, which, ms };
  });
}
