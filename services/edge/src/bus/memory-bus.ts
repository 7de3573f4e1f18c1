import type { Bus, BusListener } from '../ports/bus.ts';
import { edgeSubject } from '../ports/bus.ts';
import type { Time } from '../ports/time.ts';

const NOTHING = new Uint8Array();

/** The embedded bus: joins edges within one process, and costs a lone edge next to nothing. */
export class MemoryBroker {
  readonly #members = new Set<Member>();
  readonly #time: Pick<Time, 'endOfTurn'>;

  constructor(time: Pick<Time, 'endOfTurn'>) {
    this.#time = time;
  }

  join(edgeId: string, listener: BusListener): Bus {
    const member = new Member(edgeId, listener, new Inbox(listener, this.#time));
    this.#members.add(member);
    member.inbox.add(() => listener.up());
    return {
      publish: (subject, bytes, rest) => void this.#tell(member, subject, bytes, rest),
      send: (to, bytes, rest) => {
        const found = this.#tell(member, edgeSubject(to), bytes, rest);
        if (!found) member.inbox.add(() => listener.gone(to));
      },
      refuses: () => false,
      waiting: 0,
      subscribe: (subject) => void member.subjects.add(subject),
      unsubscribe: (subject) => void member.subjects.delete(subject),
      whenSubscribed: (then) => then(),
      close: async () => {
        this.#members.delete(member);
        member.inbox.close();
      },
    };
  }

  /** One copy for all who hear it. Answers whether anybody does. */
  #tell(from: Member, subject: string, bytes: Uint8Array, rest: Uint8Array = NOTHING): boolean {
    if (!this.#members.has(from)) return false;
    let copy: Uint8Array | undefined;
    for (const member of this.#members) {
      if (member === from || !member.subjects.has(subject)) continue;
      const message = (copy ??= Buffer.concat([bytes, rest]));
      member.inbox.add(() => {
        if (member.subjects.has(subject)) member.listener.message(subject, from.edgeId, message);
      });
    }
    return copy !== undefined;
  }
}

class Member {
  readonly edgeId: string;
  readonly listener: BusListener;
  readonly subjects: Set<string>;
  readonly inbox: Inbox;

  constructor(edgeId: string, listener: BusListener, inbox: Inbox) {
    this.edgeId = edgeId;
    this.listener = listener;
    this.inbox = inbox;
    this.subjects = new Set([edgeSubject(edgeId)]);
  }
}

/** Heard in a turn of its own, as from any bus: who publishes never runs the code of who hears it. */
class Inbox {
  readonly #listener: BusListener;
  readonly #time: Pick<Time, 'endOfTurn'>;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(listener: BusListener, time: Pick<Time, 'endOfTurn'>) {
    this.#listener = listener;
    this.#time = time;
  }

  add(hear: () => void): void {
    if (this.#closed) return;
    if (this.#waiting.push(hear) === 1) this.#time.endOfTurn(() => this.#drain());
  }

  close(): void {
    this.#closed = true;
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#listener.together(() => {
      for (const hear of waiting) if (!this.#closed) hear();
    });
  }
}
