/**
 * A text as one line for a terminal: what would break the line or steer the terminal is written as it
 * is in a JavaScript string. Error texts quote what somebody has set, whatever that is.
 */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return NAMED[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
