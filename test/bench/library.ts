import { fileURLToPath } from 'node:url';

import { askProcess, startProcess, type StartedProcess } from '@trunkline/testing';

import { NATS_ENGINE } from '../bus/engines.ts';
import { type SendingSide, startClusterSide } from './cluster-side.ts';
import { type SideNames, withSides } from './compare.ts';
import { measureDeliveries, type Rounds } from './delivery.ts';
import { MEMBERSHIPS, TOGETHER } from './relay.ts';
import { startAll } from './side.ts';
import type { Row } from './table.ts';

export const LIBRARY_SIDES: SideNames = ['edges', 'library'];

const ANSWER_MS = 30_000;
const MAIN = fileURLToPath(new URL('./library-client.ts', import.meta.url));

/**
 * 500,000 relayed messages a second and core are 2 us each, where NATS's client by itself takes 0.9 us to say
 * a message and 0.75 us to hear one: 2.22 and 2.67 times as much. Machines differ by more than a factor of
 * two in what that is, and so do two minutes of one that is shared: this says what of `relay` is the machine.
 */
const SAYS = { of: 'ratio', atMost: 2.22 } as const;
const HEARS = { of: 'ratio', atMost: 2.67 } as const;

/**
 * A message from an app server at one edge to a client at another, in bursts, beside one that NATS's client
 * library says by itself, each in a publish of its own, and hears.
 */
export function measureLibrary(rounds: Rounds): Promise<Row[]> {
  const plan = { engine: NATS_ENGINE, clients: [0, 1], memberships: MEMBERSHIPS };
  const contenders = {
    edge: () => startClusterSide(plan),
    bare: startLibrarySide,
  };
  return withSides<undefined, SendingSide, Row[]>(contenders, undefined, async (sides) => {
    const sending = { to: 'all', names: [''], times: TOGETHER } as const;
    const turn = { sending, heard: [TOGETHER] };
    const name = `${TOGETHER} to all`;
    const turns = { edge: turn, bare: turn };
    const cost = await measureDeliveries(name, LIBRARY_SIDES, sides, turns, rounds);
    const unit = { unit: 'CPU us per message', digits: 2 };
    return [
      { ...cost.near, name: 'who says a message to another', ...unit, floor: SAYS },
      { ...cost.far, name: 'who hears it', ...unit, floor: HEARS },
      { ...cost.engine, name: '  engine', ...unit },
    ];
  });
}

/** Somebody who says messages and somebody who hears them, by nothing but the library. */
export const startLibrarySide = (): Promise<SendingSide> =>
  startAll(async (started) => {
    const engine = started(await NATS_ENGINE.start());
    const [hears, says] = [
      started(await start('hears', engine.host)),
      started(await start('says', engine.host)),
    ];
    const tell = (who: StartedProcess<true>, messages: number): Promise<unknown> =>
      askProcess(who, messages, ANSWER_MS, `${messages} messages were not heard`);
    return {
      processes: { near: [says.pid], far: [hears.pid], engine: [engine.pid], app: [], load: [] },
      crowds: [],
      send: async ({ times }) => void (await Promise.all([tell(hears, times), tell(says, times)])),
    };
  });

function start(role: 'says' | 'hears', host: string): Promise<StartedProcess<true>> {
  return startProcess<true>(process.execPath, [MAIN, role, `nats://${host}`], {
    name: `NATS's client, which ${role} it`,
    ipc: true,
    ready: (line) => line === 'ready' || undefined,
  });
}
