import type { MigrationPolicy } from './migration-policy.ts';
import type { UpstreamRule } from './upstream/rules.ts';

/** What becomes of clients while no app server of their hub is connected. */
export const WITHOUT_SERVER = ['wait', 'upstream', 'refuse'] as const;
export type WithoutServer = (typeof WITHOUT_SERVER)[number];

/** What an operator has settled for one hub. */
export interface HubPolicy {
  readonly withoutServer: WithoutServer;
  readonly migration: MigrationPolicy;
  /** In their order. None: events go nowhere. */
  readonly upstream: readonly UpstreamRule[];
}

/** What an operator has settled for all hubs. */
export interface GivenPolicies {
  /** By hub key, lower case. */
  readonly named: ReadonlyMap<string, HubPolicy>;
  /** For every other hub. */
  readonly others: HubPolicy;
}

/** The policies of hubs, which may change while an edge runs. */
export class HubPolicies {
  #given: GivenPolicies;

  constructor(given: GivenPolicies) {
    this.#given = given;
  }

  of(hub: string): HubPolicy {
    return this.#given.named.get(hub) ?? this.#given.others;
  }

  replace(given: GivenPolicies): void {
    this.#given = given;
  }
}
