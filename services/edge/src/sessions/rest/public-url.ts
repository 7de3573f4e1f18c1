import type { HttpRequest } from '../../ports/listener.ts';
import type { Provenance } from '../client/visitor.ts';
import { Forwarded } from '../forwarded.ts';

/** The URL by which a caller has reached the service: what links in answers begin with. */
export class PublicUrl {
  readonly #forwarded: Forwarded;
  readonly #scheme: 'http' | 'https';

  constructor({ trustedProxies, tls }: Pick<Provenance, 'trustedProxies' | 'tls'>) {
    this.#forwarded = new Forwarded(trustedProxies);
    this.#scheme = tls === undefined ? 'http' : 'https';
  }

  /** `scheme://host`, the word of trusted proxies reckoned in. */
  of(request: HttpRequest): string {
    const { host = 'localhost', trusted } = this.#forwarded.read(request);
    const named = trusted ? request.headers.get('x-forwarded-proto')?.split(',', 1)[0]?.trim() : '';
    const scheme = named === 'http' || named === 'https' ? named : this.#scheme;
    return `${scheme}://${host}`;
  }
}
