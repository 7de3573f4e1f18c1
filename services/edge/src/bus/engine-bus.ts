import type { LogDigest } from '@trunkline/telemetry';
import type { Bus, BusListener, GapCause } from '../ports/bus.ts';
import { edgeSubject } from '../ports/bus.ts';
import type { Random } from '../ports/random.ts';
import type { EndTimer, Time } from '../ports/time.ts';
import { FORMAT_MAJOR, headerOf, INCARNATION_BYTES, senderOf } from './batch-format.ts';
import { Batching, LOSSES_SUBJECT } from './batching.ts';
import type { BusStats } from './bus-stats.ts';
import { EngineSubjects } from './engine-subjects.ts';
import type { Engine, EngineEvents } from './engine.ts';
import { Incoming } from './incoming.ts';
import { Subscriptions } from './subscriptions.ts';

const TICK_MS = 1_000;
/**
 * How long an edge that has come back waits for the others before it says anything: they have lost the
 * engine too, most of the time, and would not hear what it has kept for them. They try every 100 to
 * 200 ms, on machines that may be busy.
 */
const SETTLE_MS = 500;

/** What an edge brings to a bus. */
export interface BusMembership {
  readonly edgeId: string;
  /** Edges of one cluster hear each other, whatever else is on the engine. */
  readonly cluster: string;
  readonly stats: BusStats;
  readonly digest: LogDigest;
  readonly time: Time;
  readonly random: Random;
}

/** Makes an engine, which connects from then on and tells of it by `events`. */
export type ConnectEngine = (names: EngineSubjects, events: EngineEvents) => Engine;

/** `connecting`: to the engine, or waiting to. `settling`: connected, not part of the bus yet. */
type State = 'connecting' | 'settling' | 'up' | 'closed';

/** A bus that others see through an engine. */
export class EngineBus implements Bus {
  readonly #listener: BusListener;
  readonly #stats: BusStats;
  readonly #digest: LogDigest;
  readonly #time: Time;
  readonly #address: string;
  readonly #names: EngineSubjects;
  readonly #engine: Engine;
  readonly #batching: Batching;
  readonly #incoming: Incoming;
  readonly #subscriptions: Subscriptions;
  readonly #endTicks: EndTimer;
  #state: State = 'connecting';
  #wasUp = false;
  /** It was cut off, and nothing that came since has been passed on. */
  #isCut = false;
  #endSettling: EndTimer | undefined;

  /** `address`: of the engine, for people, without a secret. */
  constructor(
    membership: BusMembership,
    address: string,
    listener: BusListener,
    connect: ConnectEngine,
  ) {
    const { edgeId, cluster, stats, digest, time, random } = membership;
    this.#listener = listener;
    this.#stats = stats;
    this.#digest = digest;
    this.#time = time;
    this.#address = address;
    this.#names = new EngineSubjects(cluster);
    const header = headerOf(edgeId, random(INCARNATION_BYTES));
    this.#engine = connect(this.#names, this.#events());
    const writer = {
      write: (subject: string, batch: Buffer, to: string | undefined) =>
        this.#engine.write(this.#names.nameOf(subject), batch, to),
      underway: () => this.#engine.underway(),
    };
    this.#batching = new Batching(header, stats, writer, time);
    this.#incoming = new Incoming(senderOf(header), {
      message: (subject, from, bytes) => this.#receive(subject, from, bytes),
      gap: (from, why) => this.#gap(from, why),
      refused: (major) => this.#refuse(major),
    });
    this.#subscriptions = new Subscriptions(this.#engine, this.#names, stats, time);
    this.#subscriptions.add(LOSSES_SUBJECT);
    this.#subscriptions.add(edgeSubject(edgeId));
    this.#endTicks = time.every(TICK_MS, () => this.#tick());
  }

  publish(subject: string, bytes: Uint8Array, rest?: Uint8Array): void {
    if (this.#state !== 'closed') this.#batching.publish(subject, bytes, rest);
  }

  send(edgeId: string, bytes: Uint8Array, rest?: Uint8Array): void {
    if (this.#state !== 'closed') this.#batching.send(edgeId, bytes, rest);
  }

  get waiting(): number {
    return this.#batching.waiting;
  }

  refuses(bytes: number): boolean {
    return this.#batching.refuses(bytes);
  }

  subscribe(subject: string): void {
    this.#subscriptions.add(subject);
  }

  unsubscribe(subject: string): void {
    this.#subscriptions.remove(subject);
    this.#incoming.forget(subject);
  }

  whenSubscribed(then: () => void): void {
    this.#subscriptions.whenInForce(then);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#batching.flush();
    this.#state = 'closed';
    this.#stats.isUp = false;
    this.#endTicks();
    this.#endSettling?.();
    this.#subscriptions.pause();
    await this.#engine.close();
  }

  #tick(): void {
    this.#engine.check();
    this.#batching.expire();
    this.#incoming.expire();
  }

  #events(): EngineEvents {
    return {
      connected: () => this.#connected(),
      lost: (why) => this.#lost(why),
      failed: (why) => {
        if (this.#state === 'closed') return;
        this.#digest.warn({ bus: this.#address, why }, 'bus not reached: trying again');
      },
      received: (name, batch) => {
        const subject = this.#names.subjectOf(name);
        if (this.#state === 'closed' || !this.#subscriptions.has(subject)) return;
        this.#tellOfCut();
        this.#stats.received.batches++;
        this.#together(() => this.#incoming.receive(subject, batch));
      },
      unheard: (edgeId) => this.#tell(() => this.#listener.gone(edgeId)),
      taken: () => this.#batching.taken(),
    };
  }

  #connected(): void {
    if (this.#state === 'closed') return;
    this.#state = 'settling';
    this.#engine.sync(() => {
      const up = (): void => this.#up();
      if (this.#wasUp) this.#endSettling = this.#time.after(SETTLE_MS, up);
      else up();
    });
  }

  #up(): void {
    const { reconnects } = this.#stats;
    this.#state = 'up';
    this.#stats.isUp = true;
    this.#stats.since = this.#time.now();
    this.#digest.info({ bus: this.#address }, 'bus joined', { reconnects });
    this.#tellOfCut();
    this.#batching.start(this.#wasUp);
    this.#wasUp = true;
    this.#tell(() => this.#listener.up());
    this.#subscriptions.start();
  }

  #lost(why: string): void {
    if (this.#state === 'closed') return;
    this.#endSettling?.();
    const wasUp = this.#state === 'up';
    this.#state = 'connecting';
    this.#isCut ||= this.#wasUp;
    this.#batching.pause();
    this.#subscriptions.pause();
    if (!wasUp) return;
    this.#stats.isUp = false;
    this.#stats.since = this.#time.now();
    this.#stats.reconnects++;
    this.#digest.warn({ bus: this.#address, why }, 'bus lost: connecting again');
    this.#tell(() => this.#listener.down(why));
  }

  /** Before anything is passed on that came after it was cut off. */
  #tellOfCut(): void {
    if (!this.#isCut) return;
    this.#isCut = false;
    this.#incoming.reset();
    this.#gap(undefined, 'cut');
  }

  #together(hear: () => void): void {
    try {
      this.#listener.together(hear);
    } catch (error) {
      throwLater(error);
    }
  }

  #receive(subject: string, from: string, bytes: Uint8Array): void {
    this.#stats.received.messages++;
    this.#stats.received.bytes += bytes.length;
    try {
      this.#listener.message(subject, from, bytes);
    } catch (error) {
      throwLater(error);
    }
  }

  #gap(from: string | undefined, why: GapCause): void {
    this.#stats.gaps[why]++;
    this.#tell(() => this.#listener.gap(from, why));
  }

  #refuse(major: number): void {
    this.#digest.error(
      { bus: this.#address, theirs: major, ours: FORMAT_MAJOR },
      'bus batch refused: another edge has another major version of the format; run the same release on all',
    );
  }

  #tell(say: () => void): void {
    if (this.#state === 'closed') return;
    try {
      say();
    } catch (error) {
      throwLater(error);
    }
  }
}

/** Out of the client library, which would take an error of ours for one of the connection. */
function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
