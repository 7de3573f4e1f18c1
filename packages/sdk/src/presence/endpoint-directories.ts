import type { Clock } from '../clock.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { HubEndpoints } from '../endpoints/hub-endpoints.ts';
import type { SendTarget } from '../endpoints/router.ts';
import type { Logger } from '../options.ts';
import type { ConnectionScope, Directories, Directory } from './directory.ts';
import { Watches } from './watches.ts';

export interface EndpointDirectoriesOptions {
  readonly hub: string;
  readonly endpoints: HubEndpoints;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The endpoints of a hub server: of several those that are online, as for all that is asked of clients. */
export class EndpointDirectories implements Directories {
  readonly watches = new Watches();
  readonly #options: EndpointDirectoriesOptions;
  readonly #known = new Map<Endpoint, Directory>();

  constructor(options: EndpointDirectoriesOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get logger(): Logger {
    return this.#options.logger;
  }

  about(scope: ConnectionScope): readonly Directory[] {
    const lines = this.#options.endpoints.linesAbout(targetOf(scope));
    return lines.map(({ endpoint }) => this.#of(endpoint));
  }

  #of(endpoint: Endpoint): Directory {
    const known = this.#known.get(endpoint);
    if (known !== undefined) return known;
    const { hub, clock } = this.#options;
    const made = endpoint.directory(hub, clock);
    this.#known.set(endpoint, made);
    return made;
  }
}

function targetOf({ group, userId }: ConnectionScope): SendTarget {
  if (group !== undefined) return { kind: 'groups', names: [group] };
  return userId === undefined ? { kind: 'all' } : { kind: 'users', names: [userId] };
}
