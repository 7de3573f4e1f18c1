import { redactText } from './redact.ts';

/** Room for a hub name, an origin or an error's text, in characters. */
const LENGTH = 160;
/** What is looked at for secrets: cut before that, one might not look like one any more. */
const LOOK = 4 * LENGTH;
/** The begin of a token that is longer than what is looked at. */
const HALF_TOKEN = /(?<![\w-])eyJ[\w.-]*$/;

const PLAIN = /^[\x20-\x7e]*$/;
/** What is not seen, or turns what stands around it: control characters, marks of direction ... */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Text from outside, fit for a log: secrets masked while they are whole, cut to 160 characters, and
 * what is not seen written as `\u{...}`. Letters of any script stay.
 */
export function printable(text: string): string {
  const masked =
    text.length > LOOK
      ? redactText(text.slice(0, LOOK).replace(HALF_TOKEN, '[redacted]'))
      : redactText(text);
  const cut = masked.length > LENGTH ? `${masked.slice(0, LENGTH)}…` : masked;
  if (PLAIN.test(cut)) return cut;
  return cut.replace(UNSEEN, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}
