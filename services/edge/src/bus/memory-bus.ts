import type { Bus, BusListener } from '../ports/bus.ts';
import { edgeSubject } from '../ports/bus.ts';

/** The embedded bus: joins edges within one process, and costs a lone edge next to nothing. */
export class MemoryBroker {
  readonly #members = new Set<Member>();

  join(edgeId: string, listener: BusListener): Bus {
    const member = new Member(edgeId, listener);
    this.#members.add(member);
    member.inbox.add(() => listener.up());
    return {
      publish: (subject, bytes) => void this.#tell(member, subject, bytes),
      send: (to, bytes) => {
        const found = this.#tell(member, edgeSubject(to), bytes);
        if (!found) member.inbox.add(() => listener.gone(to));
      },
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
  #tell(from: Member, subject: string, bytes: Uint8Array): boolean {
    if (!this.#members.has(from)) return false;
    let copy: Uint8Array | undefined;
    for (const member of this.#members) {
      if (member === from || !member.subjects.has(subject)) continue;
      const message = (copy ??= Uint8Array.from(bytes));
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
  readonly inbox = new Inbox();

  constructor(edgeId: string, listener: BusListener) {
    this.edgeId = edgeId;
    this.listener = listener;
    this.subjects = new Set([edgeSubject(edgeId)]);
  }
}

/** Heard in a turn of its own, as from any bus: who publishes never runs the code of who hears it. */
class Inbox {
  #waiting: (() => void)[] = [];
  #closed = false;

  add(hear: () => void): void {
    if (this.#closed) return;
    if (this.#waiting.push(hear) === 1) setImmediate(() => this.#drain());
  }

  close(): void {
    this.#closed = true;
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const hear of waiting) if (!this.#closed) hear();
  }
}
