import type { Clock } from './clock.ts';
import type { ClientTable } from './clients/client-table.ts';
import type { Profile } from './profiles.ts';
import type { ClientResults } from './sending/client-results.ts';

/** What the hubs of one app process share. */
export interface Environment {
  readonly profile: Profile;
  readonly clock: Clock;
  /** One per process: machine name and a guid. */
  readonly serverId: string;
  /** Client connections are known process-wide, by id alone. */
  readonly clients: ClientTable;
  readonly results: ClientResults;
  /** What the package would write to the app's log. */
  readonly log: (line: string) => void;
}
