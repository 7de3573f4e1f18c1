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
  async add(connectionId: string, group: string): Promise<void> {
    await this.#change('join', connectionId, groupName(group));
  }

  /** The opposite of `add`, with the same promise. */
  async remove(connectionId: string, group: string): Promise<void> {
    await this.#change('leave', connectionId, groupName(group));
  }
}
