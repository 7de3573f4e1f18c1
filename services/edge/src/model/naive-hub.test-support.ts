import type { Command, Exclusions, Target } from './command.ts';

interface Rule {
  readonly userId: string;
  readonly group: string;
  readonly expiresAt: number;
}

interface Outcome {
  /** Sorted ids that a send or close reaches. */
  readonly audience: string[];
  /** The answer, where the command has one. */
  readonly found: boolean | undefined;
}

/** A hub as simple as can be, in plain lists: what the real one is held against. */
export class NaiveHub {
  /** Connection id to user id. */
  readonly users = new Map<string, string | undefined>();
  #memberships: (readonly [id: string, group: string])[] = [];
  #rules: Rule[] = [];

  attach(id: string, userId: string | undefined, now: number): void {
    this.users.set(id, userId);
    for (const rule of this.#rules) {
      if (rule.userId === userId && rule.expiresAt > now) this.#join(id, rule.group);
    }
  }

  detach(id: string): void {
    this.users.delete(id);
    this.#leave([id], undefined);
  }

  execute(command: Command, now: number): Outcome {
    switch (command.kind) {
      case 'send':
        return { audience: this.#audience(command), found: undefined };
      case 'close': {
        const audience = this.#audience(command);
        return { audience, found: command.target.kind !== 'connections' || audience.length > 0 };
      }
      case 'filtered':
        return this.#filtered(command);
      default:
        return { audience: [], found: this.#answer(command, now) };
    }
  }

  #filtered({ chosen, steps }: Command & { kind: 'filtered' }): Outcome {
    const ids = [...this.users.keys()].filter((connectionId) =>
      chosen({
        connectionId,
        userId: this.users.get(connectionId),
        isIn: (group) => this.#in(group).includes(connectionId),
      }),
    );
    for (const step of steps) {
      if (step.kind === 'join') for (const id of ids) this.#join(id, step.group);
      if (step.kind === 'leave') this.#leave(ids, step.group);
    }
    const reached = steps.filter(({ kind }) => kind === 'send' || kind === 'close');
    return { audience: reached.flatMap(() => ids).sort(), found: true };
  }

  #answer(
    command: Exclude<Command, { kind: 'send' | 'close' | 'filtered' }>,
    now: number,
  ): boolean {
    switch (command.kind) {
      case 'join':
        if (this.users.has(command.connectionId)) this.#join(command.connectionId, command.group);
        return this.users.has(command.connectionId);
      case 'leave':
        this.#leave([command.connectionId], command.group);
        return this.users.has(command.connectionId);
      case 'joinUser': {
        const { userId, group, ttlSeconds = Infinity } = command;
        for (const id of this.#of(userId)) this.#join(id, group);
        this.#forget(userId, group);
        if (ttlSeconds > 0) this.#rules.push({ userId, group, expiresAt: now + ttlSeconds * 1000 });
        return true;
      }
      case 'leaveUser':
        this.#leave(this.#of(command.userId), command.group);
        this.#forget(command.userId, command.group);
        return true;
      case 'checkConnection':
        return this.users.has(command.connectionId);
      case 'checkUser':
        return this.#of(command.userId).length > 0;
      case 'checkGroup':
        return this.#in(command.group).length > 0;
      case 'checkUserInGroup':
        return (
          this.#in(command.group).some((id) => this.users.get(id) === command.userId) ||
          this.#rules.some(
            ({ userId, group, expiresAt }) =>
              userId === command.userId && group === command.group && expiresAt > now,
          )
        );
    }
  }

  #of(userId: string): string[] {
    return [...this.users].filter(([, user]) => user === userId).map(([id]) => id);
  }

  #in(group: string): string[] {
    return this.#memberships.filter(([, name]) => name === group).map(([id]) => id);
  }

  #join(id: string, group: string): void {
    if (!this.#in(group).includes(id)) this.#memberships.push([id, group]);
  }

  #leave(ids: readonly string[], group: string | undefined): void {
    this.#memberships = this.#memberships.filter(
      ([id, name]) => !(ids.includes(id) && (group === undefined || name === group)),
    );
  }

  #forget(userId: string, group: string | undefined): void {
    this.#rules = this.#rules.filter(
      (rule) => !(rule.userId === userId && (group === undefined || rule.group === group)),
    );
  }

  #audience({ target, excluded }: { target: Target; excluded: Exclusions }): string[] {
    return [...this.users.keys()]
      .filter((id) => this.#isTarget(id, target))
      .filter((id) => !excluded.connections.includes(id))
      .filter((id) => !excluded.users.some((user) => user === this.users.get(id)))
      .sort();
  }

  #isTarget(id: string, target: Target): boolean {
    switch (target.kind) {
      case 'all':
        return true;
      case 'connections':
        return target.ids.includes(id);
      case 'users':
        return target.ids.some((user) => user === this.users.get(id));
      case 'groups':
        return target.names.some((name) => this.#in(name).includes(id));
    }
  }
}
