import { createHistogram } from 'node:perf_hooks';

import type { LoadClient } from './client.ts';
import { echoFrame, invocationId } from './hub-messages.ts';
import type { Swarm } from './swarm.ts';

export interface FlatOutOptions {
  /** Calls that each client keeps under way. */
  outstanding: number;
  seconds: number;
}

export interface PacedOptions {
  /** Calls a second over all clients. */
  perSecond: number;
  seconds: number;
}

/** What a run of echo calls came to. Times from the write of a call to the read of its answer. */
export interface EchoResult {
  echoes: number;
  /** From the first call to the last answer. */
  seconds: number;
  p50Microseconds: number;
  p99Microseconds: number;
}

/** The most calls of one client under way; over it the run has failed. */
const WINDOW = 256;
/** How often a paced run sends what is due. Nothing finer is asked of timers. */
const TICK_MS = 1;

/** Each client calls again as soon as it is answered, for as long as the run lasts. */
export async function echoFlatOut(swarm: Swarm, options: FlatOutOptions): Promise<EchoResult> {
  const calls = new Calls(swarm.clients);
  await swarm.run(
    (done) => {
      calls.onIdle = done;
      for (let turn = 0; turn < options.outstanding; turn++) {
        for (const client of swarm.clients) calls.send(client, performance.now());
      }
    },
    (client, bytes, start, end) => {
      const now = performance.now();
      if (now < calls.startedAt + options.seconds * 1000) calls.send(client, now);
      calls.answered(client, invocationId(bytes, start, end), now);
    },
  );
  return calls.result();
}

/** The clients call in turn at a fixed rate, however fast the answers come. */
export async function echoPaced(swarm: Swarm, options: PacedOptions): Promise<EchoResult> {
  const calls = new Calls(swarm.clients);
  const { clients } = swarm;
  const total = Math.round(options.seconds * options.perSecond);
  let timer: NodeJS.Timeout | undefined;
  let sent = 0;
  const sendDue = (): void => {
    const due = ((performance.now() - calls.startedAt) / 1000) * options.perSecond;
    for (; sent < Math.min(due, total); sent++) {
      calls.send(clients[sent % clients.length]!, performance.now());
    }
  };
  const run = swarm.run(
    (done, fail) => {
      calls.onIdle = () => sent === total && done();
      timer = setInterval(() => {
        try {
          sendDue();
        } catch (error) {
          fail(error as Error);
        }
      }, TICK_MS);
    },
    (client, bytes, start, end) =>
      calls.answered(client, invocationId(bytes, start, end), performance.now()),
  );
  await run.finally(() => clearInterval(timer));
  return calls.result();
}

/** One client's calls under way, by the low bits of their ids; 0 where there is none. */
interface Sent {
  readonly ids: Float64Array;
  readonly times: Float64Array;
}

/** Keeps account of all calls of a run. */
class Calls {
  readonly startedAt = performance.now();
  /** Called when every call has been answered. */
  onIdle: () => void = () => {};
  readonly #sent: Map<LoadClient, Sent>;
  readonly #microseconds = createHistogram();
  #underWay = 0;
  #lastAnswerAt = 0;

  constructor(clients: readonly LoadClient[]) {
    const none = (): Sent => ({ ids: new Float64Array(WINDOW), times: new Float64Array(WINDOW) });
    this.#sent = new Map(clients.map((client) => [client, none()]));
  }

  send(client: LoadClient, now: number): void {
    const { ids, times } = this.#sent.get(client)!;
    const id = ++client.lastId;
    const slot = id % WINDOW;
    if (ids[slot] !== 0) throw new Error(`call ${ids[slot]} has not been answered, ${id} is due`);
    ids[slot] = id;
    times[slot] = now;
    this.#underWay += 1;
    client.write(echoFrame(id));
  }

  answered(client: LoadClient, id: number, now: number): void {
    const { ids, times } = this.#sent.get(client)!;
    const slot = id % WINDOW;
    if (id <= 0 || ids[slot] !== id) throw new Error(`an answer to call ${id}, which is not due`);
    ids[slot] = 0;
    this.#microseconds.record(Math.max(1, Math.round((now - times[slot]!) * 1000)));
    this.#lastAnswerAt = now;
    this.#underWay -= 1;
    if (this.#underWay === 0) this.onIdle();
  }

  result(): EchoResult {
    return {
      echoes: this.#microseconds.count,
      seconds: (this.#lastAnswerAt - this.startedAt) / 1000,
      p50Microseconds: this.#microseconds.percentile(50),
      p99Microseconds: this.#microseconds.percentile(99),
    };
  }
}
