import type { NameKind } from '../model/interest.ts';
import type { Bus } from '../ports/bus.ts';

/** How long somebody waits at most for a subscription to be in force. */
const PATIENCE_MS = 1_000;
/** How long the subject of a user or group is listened to after the last connection: many come back. */
const LINGER_MS = 5_000;
/**
 * So many subjects at most for the groups of a hub, and for its users: names share them by their hash.
 * A subscription takes 1.2 KB of memory with NATS; with 20,000 names here, one in four that nobody
 * here has shares a subject with one of them, and is heard in vain.
 */
const BUCKETS = 65_536;

const HUB = 'hub.';

/** What all edges that have a hub hear. */
export function hubSubject(hub: string): string {
  return HUB + hub;
}

/** Whether it is the subject of a hub, rather than of a user, a group or an edge. */
export function isHubSubject(subject: string): boolean {
  return subject.startsWith(HUB);
}

/** What those hear that have somebody of a user or group, or of another one whose name falls into the same bucket. */
export function nameSubject(hub: string, kind: NameKind, name: string): string {
  return `${kind}.${hub}.${bucketOf(name).toString(36)}`;
}

/** FNV-1a, folded: it has to be the same on every edge. */
function bucketOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return ((hash >>> 16) ^ hash) & (BUCKETS - 1);
}

interface Waiter {
  readonly run: () => void;
  /** The subscription that it waits for. */
  readonly number: number;
  deadline: number;
}

interface Wanted {
  /** Names with somebody here that share the subject. */
  names: number;
  /** When the last of them went, while there is none. */
  since: number;
}

/** The subjects of one hub that this edge has subscribed to, and who waits for them to be in force. */
export class HubSubjects {
  readonly #hub: string;
  readonly #bus: Bus;
  readonly #isUp: () => boolean;
  readonly #now: () => number;
  readonly #wanted = new Map<string, Wanted>();
  readonly #unwanted = new Set<string>();
  /** In the order of what they wait for. */
  readonly #waiters: Waiter[] = [];
  /** Counts subscriptions; and how many of them are in force. */
  #latest = 0;
  #inForce = 0;
  /** The bus has been asked when they are in force, and has not answered. */
  #isAsking = false;

  /** `isUp`: the bus is there; nobody waits for one that is not. */
  constructor(hub: string, bus: Bus, isUp: () => boolean, now: () => number) {
    this.#hub = hub;
    this.#bus = bus;
    this.#isUp = isUp;
    this.#now = now;
    this.#subscribe(hubSubject(hub));
  }

  /** A name has somebody here. */
  wanted(kind: NameKind, name: string): void {
    const subject = nameSubject(this.#hub, kind, name);
    const wanted = this.#wanted.get(subject);
    if (wanted === undefined) {
      this.#wanted.set(subject, { names: 1, since: 0 });
      this.#subscribe(subject);
    } else {
      wanted.names++;
      this.#unwanted.delete(subject);
    }
  }

  /** It has nobody any more. */
  unwanted(kind: NameKind, name: string): void {
    const subject = nameSubject(this.#hub, kind, name);
    const wanted = this.#wanted.get(subject);
    if (wanted === undefined || --wanted.names > 0) return;
    wanted.since = this.#now();
    this.#unwanted.add(subject);
  }

  /** Runs `run` when all that was subscribed to before is heard, or after a second. */
  whenHeard(run: () => void): void {
    if (this.#inForce >= this.#latest || !this.#isUp()) return run();
    const deadline = this.#now() + PATIENCE_MS;
    this.#waiters.push({ run, number: this.#latest, deadline });
  }

  /** The bus is down: clients and app servers of this edge go on without it. */
  giveUp(): void {
    this.#heard(this.#latest);
  }

  /** `late`: how long this edge itself slept. */
  expire(now: number, late: number): void {
    const waiters = this.#waiters;
    for (const waiter of waiters) {
      // Who has begun to wait between that sleep and this call is not given more than others.
      waiter.deadline = Math.min(waiter.deadline + late, now + PATIENCE_MS);
    }
    this.#release(waiters.filter(({ deadline }) => deadline <= now).length);
    for (const subject of this.#unwanted) {
      if (now - this.#wanted.get(subject)!.since < LINGER_MS) return;
      this.#unwanted.delete(subject);
      this.#wanted.delete(subject);
      this.#bus.unsubscribe(subject);
    }
  }

  /** Nobody needs the hub any more. */
  close(): void {
    this.#bus.unsubscribe(hubSubject(this.#hub));
    for (const subject of this.#wanted.keys()) this.#bus.unsubscribe(subject);
    this.giveUp();
  }

  #subscribe(subject: string): void {
    this.#bus.subscribe(subject);
    this.#latest++;
    if (!this.#isAsking) this.#ask();
  }

  /** One question at a time: a bus that is down answers none, and would keep one for every name that comes. */
  #ask(): void {
    const number = this.#latest;
    this.#isAsking = true;
    this.#bus.whenSubscribed(() => {
      this.#isAsking = false;
      if (this.#latest > number) this.#ask();
      this.#heard(number);
    });
  }

  /** So many subscriptions are in force, or nobody waits for them any more. */
  #heard(number: number): void {
    this.#inForce = Math.max(this.#inForce, number);
    const others = this.#waiters.findIndex((waiter) => waiter.number > number);
    this.#release(others < 0 ? this.#waiters.length : others);
  }

  /** So many of those who wait, from the first on, wait no longer. */
  #release(count: number): void {
    for (const { run } of this.#waiters.splice(0, count)) run();
  }
}
