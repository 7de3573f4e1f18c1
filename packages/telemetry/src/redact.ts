const REDACTED = '[redacted]';

/** Everything but the quote that ends a JSON string: a redacted line of JSON stays JSON. */
const REST_OF_VALUE = String.raw`(?:[^;"\\\r\n]|\\.)*`;

/**
 * What gives a secret away, each with the part to keep in front of it. A key may be any text, so
 * what follows `AccessKey=` is masked up to the next `;`, quote or line: rather too much than a part
 * of a key. Every pattern is linear in the length of the text, which comes from outside.
 */
const SECRETS: readonly RegExp[] = [
  /(access_token=)[^&#;\s"'\\]+/gi,
  new RegExp(`(access[-_]?keys?=)${REST_OF_VALUE}`, 'gi'),
  /(bearer +)[^\s,;"'\\]+/gi,
  // A JSON web token: by the `{"` that its header begins with, or by the length of a signature.
  /(?<![\w-])()(?:eyJ[\w-]*\.[\w-]+\.[\w-]*|[\w-]{8,}\.[\w-]{2,}\.[\w-]{43,})/g,
  // The user and password of a URL, such as the one of the bus.
  /(:\/\/)[^\s/?#@"'\\]+(?=@)/g,
];

/**
 * Masks access tokens, access keys, connection strings' keys, JSON web tokens and passwords in URLs
 * wherever they appear in a text. Applied to one line of JSON it leaves JSON.
 */
export function redactText(text: string): string {
  return SECRETS.reduce((masked, secret) => masked.replace(secret, `$1${REDACTED}`), text);
}

/** As `redactText`, and masks the `id` of a request's query too, which is a connection token. */
export function redactUrl(url: string): string {
  return redactText(url.replace(/([?&]id=)[^&#]+/gi, `$1${REDACTED}`));
}
