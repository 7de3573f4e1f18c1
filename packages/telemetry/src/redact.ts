const REDACTED = '[redacted]';

/** Everything but the quote that ends a JSON string: a redacted line of JSON stays JSON. */
const REST_OF_VALUE = String.raw`(?:[^;"\\\r\n]|\\.)*`;

/** A name of a query, in lower case, however it is written: percent-encoded once or many times over too. */
function written(name: string): string {
  const ways = Array.from(name, (letter) => {
    const codes = [letter, letter.toUpperCase()].map((text) => text.charCodeAt(0).toString(16));
    return `(?:${letter}|%(?:25)*(?:${codes.join('|')}))`;
  });
  return ways.join('');
}

/** What stands between name and value; a query within the value of another has it encoded. */
const EQUALS = '(?:=|%(?:25)*3d)';

/**
 * What gives a secret away, each with the part to keep in front of it. A key may be any text, so
 * what follows `AccessKey=` is masked up to the next `;`, quote or line: rather too much than a part
 * of a key. Every pattern is linear in the length of the text, which comes from outside.
 */
const SECRETS: readonly RegExp[] = [
  new RegExp(String.raw`(${written('access_token')}${EQUALS})[^&#;\s"'\\]+`, 'gi'),
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

const CONNECTION_TOKEN = new RegExp(`([?&]${written('id')}=)[^&#]+`, 'gi');

/** As `redactText`, and masks the `id` of a request's query too, which is a connection token. */
export function redactUrl(url: string): string {
  return redactText(url.replace(CONNECTION_TOKEN, `$1${REDACTED}`));
}
