import { randomUUID } from 'node:crypto';
import { redirectAnswer, redirectUrl } from '@trunkline/protocol';
import type { RedirectAnswer } from '@trunkline/protocol';
import { AccessKeys, mintClientToken } from '@trunkline/tokens';
import type { AccessKey, ConnectionString } from '@trunkline/tokens';
import { identifyBy } from './identity.ts';
import type { Identify, Identity } from './identity.ts';
import type { NegotiateSettings } from './options.ts';

/** The settings that change while the service runs: those with secrets. */
export type DeskSettings = Pick<NegotiateSettings, 'connection' | 'admission'>;

/** Knows who may come in, and signs for where they are sent. */
export class Desk {
  #identify!: Identify;
  #connection!: ConnectionString;
  #key!: AccessKey;

  constructor(settings: DeskSettings) {
    this.use(settings);
  }

  /** From the next caller on. */
  use({ connection, admission }: DeskSettings): void {
    this.#identify = identifyBy(admission);
    this.#connection = connection;
    this.#key = new AccessKeys([connection.accessKey]).first;
  }

  get identify(): Identify {
    return this.#identify;
  }

  /**
   * Where the edge is and a token for it (service protocol reference, section 4). The hub key is the
   * name in lower case; the original path, which the app server sees as `asrs.op`, is `/{hub}`.
   */
  redirect(hub: string, originalQuery: string, { userId, claims }: Identity): RedirectAnswer {
    const { audienceBase, clientEndpoint } = this.#connection;
    const hubKey = hub.toLowerCase();
    const token = mintClientToken({ key: this.#key, audienceBase, hub: hubKey, userId, claims });
    const url = redirectUrl({
      clientEndpoint,
      hub: hubKey,
      originalPath: `/${hub}/negotiate`,
      originalQuery,
      requestId: randomUUID(),
    });
    return redirectAnswer(url, token);
  }
}
