import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** One shared key, ready to sign and verify with. Its text is not kept, so it cannot be logged. */
export interface AccessKey {
  /** What goes into a token's `kid`. Readers ignore it (service protocol reference, section 3.1). */
  readonly kid: string;
  readonly secret: KeyObject;
}

/** The configured keys cannot be used. The message says what to change and never holds a key. */
export class AccessKeyError extends Error {
  override readonly name = 'AccessKeyError';
}

/**
 * The key material is the raw UTF-8 text, never base64-decoded. The `kid` has the .NET SDK's shape,
 * a decimal 32-bit integer, but is derived from the key, so that it is the same in every process.
 * @throws AccessKeyError when the text is empty
 */
export function accessKey(text: string): AccessKey {
  if (text === '') throw new AccessKeyError('an access key is empty; give its text');
  const secret = createSecretKey(text, 'utf8');
  const digest = createHmac('sha256', secret).update('kid').digest();
  return { kid: String(digest.readInt32BE(0)), secret };
}

/** The keys of a service: the first signs, all of them verify, so that a key can be rotated. */
export class AccessKeys {
  readonly first: AccessKey;
  readonly all: readonly AccessKey[];

  /** @throws AccessKeyError unless there are one or two keys, none of them empty */
  constructor(keys: readonly string[]) {
    const [first, ...others] = keys.map(accessKey);
    if (first === undefined || others.length > 1) {
      throw new AccessKeyError(`give one or two access keys, not ${keys.length}`);
    }
    this.first = first;
    this.all = [first, ...others];
  }
}
