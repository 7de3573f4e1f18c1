import type { MessageFromServer } from '@trunkline/protocol';
import { decodeServiceMessage, ProtocolError } from '@trunkline/protocol';
import type { Bus, JoinBus } from '../ports/bus.ts';
import type { EdgeContext } from './edge-context.ts';
import type { HubDirectory } from './hub-directory.ts';
import { toCommand } from './server/commands.ts';

const PREFIX = 'hub.';

/**
 * Carries commands between edges as the very service messages that the app servers sent. What comes
 * over the bus is carried out here and goes no further, so nothing circles.
 */
export class BusBridge {
  readonly #context: EdgeContext;
  readonly #hubs: HubDirectory;
  readonly #bus: Bus;

  constructor(context: EdgeContext, hubs: HubDirectory, join: JoinBus) {
    this.#context = context;
    this.#hubs = hubs;
    const nothing = (): void => undefined;
    this.#bus = join({
      message: (subject, _from, bytes) => this.#receive(subject, bytes),
      // Nothing to be done about a gap: nobody waits for the outcome of a command that was lost.
      gap: nothing,
      gone: nothing,
      up: nothing,
      down: nothing,
    });
  }

  /** From the first connection of a hub on, this edge takes part in it. */
  follow(hub: string): void {
    this.#bus.subscribe(PREFIX + hub);
  }

  unfollow(hub: string): void {
    this.#bus.unsubscribe(PREFIX + hub);
  }

  publish(hub: string, frame: Uint8Array): void {
    this.#bus.publish(PREFIX + hub, frame);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  #receive(subject: string, bytes: Uint8Array): void {
    try {
      const message = decodeServiceMessage(bytes) as MessageFromServer | undefined;
      const command = message === undefined ? undefined : toCommand(message);
      if (command === undefined) return;
      this.#hubs.get(subject.slice(PREFIX.length))?.execute(command, 'bus', bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message } = error;
      this.#context.digest.warn({ subject, code }, 'refused bus message', { err: message });
    }
  }
}
