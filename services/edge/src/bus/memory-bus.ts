import type { Bus, BusReceiver } from '../ports/bus.ts';

/** The embedded bus: joins edges within one process, and costs a lone edge next to nothing. */
export class MemoryBroker {
  readonly #members = new Set<Membership>();

  join(receive: BusReceiver): Bus {
    const member = { subjects: new Set<string>(), receive };
    this.#members.add(member);
    return {
      publish: (subject, bytes) => this.#publish(member, subject, bytes),
      subscribe: (subject) => void member.subjects.add(subject),
      unsubscribe: (subject) => void member.subjects.delete(subject),
      close: async () => void this.#members.delete(member),
    };
  }

  /** Received in a turn of its own, as from any bus: a publisher never runs a receiver's code. */
  #publish(from: Membership, subject: string, bytes: Uint8Array): void {
    let copy: Uint8Array | undefined;
    for (const member of this.#members) {
      if (member === from || !member.subjects.has(subject)) continue;
      const message = (copy ??= Uint8Array.from(bytes));
      setImmediate(() => {
        if (this.#members.has(member)) member.receive(subject, message);
      });
    }
  }
}

interface Membership {
  readonly subjects: Set<string>;
  readonly receive: BusReceiver;
}
