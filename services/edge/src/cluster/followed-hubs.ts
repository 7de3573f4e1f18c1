import type { Interest } from '../model/interest.ts';
import type { Bus } from '../ports/bus.ts';
import type { Time } from '../ports/time.ts';
import { HubSubjects } from './hub-subjects.ts';

/** The hubs that this edge has, and what it hears of them. */
export class FollowedHubs {
  readonly #bus: Bus;
  readonly #isUp: () => boolean;
  readonly #time: Pick<Time, 'now'>;
  readonly #subjects = new Map<string, HubSubjects>();

  /** `isUp`: the bus is there; nobody waits for one that is not. */
  constructor(bus: Bus, isUp: () => boolean, time: Pick<Time, 'now'>) {
    this.#bus = bus;
    this.#isUp = isUp;
    this.#time = time;
  }

  follow(hub: string): void {
    const now = (): number => this.#time.now();
    this.#subjects.set(hub, new HubSubjects(hub, this.#bus, this.#isUp, now));
  }

  unfollow(hub: string): void {
    this.#subjects.get(hub)?.close();
    this.#subjects.delete(hub);
  }

  interestOf(hub: string): Interest {
    return {
      wanted: (kind, name) => this.#subjects.get(hub)?.wanted(kind, name),
      unwanted: (kind, name) => this.#subjects.get(hub)?.unwanted(kind, name),
    };
  }

  /** Runs `then` when all that the hub has subscribed to before is heard, or after a second. */
  whenHeard(hub: string, then: () => void): void {
    const subjects = this.#subjects.get(hub);
    if (subjects === undefined) then();
    else subjects.whenHeard(then);
  }

  /** The bus is down: clients and app servers of this edge go on with each other. */
  giveUp(): void {
    for (const subjects of this.#subjects.values()) subjects.giveUp();
  }

  /** `late`: how long this edge itself slept. */
  expire(now: number, late: number): void {
    for (const subjects of this.#subjects.values()) subjects.expire(now, late);
  }
}
