import { parseConnectionString } from '@trunkline/tokens';
import type { ConnectionString } from '@trunkline/tokens';

import { TrunklineError } from '../errors.ts';

/** The service that all hubs of a server connect to. */
export class Service {
  /** What negotiate needs to sign clients in. */
  readonly address: ConnectionString;

  /** Throws ConnectionStringError. */
  constructor(connectionString: string) {
    this.address = parseConnectionString(connectionString);
  }

  /** The error that an HTTP answer other than 101 stands for. */
  refusal(status: number): TrunklineError {
    const { endpoint } = this.address;
    return status === 401
      ? new TrunklineError(
          'unauthorized',
          `${endpoint} answered 401: the AccessKey of the connection string is not one of its access keys`,
        )
      : new TrunklineError('not-connected', `${endpoint} answered ${status} instead of 101`);
  }
}
