import { unheeded } from '../unheeded.ts';
import { groupName } from './destination.ts';

/** Joins or leaves, and resolves when the service has confirmed. */
export type ChangeGroup = (
  change: 'join' | 'leave',
  connectionId: string,
  group: string,
) => Promise<void>;

/** Which connections are in which groups. Membership ends with the connection. */
export class Groups {
  readonly #change: ChangeGroup;

  constructor(change: ChangeGroup) {
    this.#change = change;
  }

  /**
   * Resolves once whatever is sent to the group reaches the connection too, also when the connection
   * is unknown. Rejects with TrunklineError `ack-timeout` after 10 s.
   */
  add(connectionId: string, group: string): Promise<void> {
    return unheeded(this.#checked('join', connectionId, group));
  }

  /** The opposite of `add`, with the same promise. */
  remove(connectionId: string, group: string): Promise<void> {
    return unheeded(this.#checked('leave', connectionId, group));
  }

  async #checked(change: 'join' | 'leave', connectionId: string, group: string): Promise<void> {
    await this.#change(change, connectionId, groupName(group));
  }
}
