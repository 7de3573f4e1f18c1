import { SettingsError } from './errors.ts';
import { flagName } from './options.ts';
import type { OptionTable, OptionValue } from './options.ts';

/** A key of HMAC-SHA256 is to be as long as what it makes (RFC 7518, section 3.2): shorter ones can be guessed. */
const MIN_BYTES = 32;

/**
 * Who guesses a key is an app server, or any user: outside `--dev` short ones are refused.
 * @throws SettingsError naming the first option with one; never the key
 */
export function refuseWeakSecrets(
  table: OptionTable,
  values: Readonly<Record<string, OptionValue | undefined>>,
): void {
  if (values['dev'] === true) return;
  for (const [key, row] of Object.entries(table)) {
    const value = values[key];
    if (row.isKey !== true || value === undefined) continue;
    for (const text of Array.isArray(value) ? value : [value]) {
      const bytes = Buffer.byteLength(String(text), 'utf8');
      if (bytes >= MIN_BYTES) continue;
      throw new SettingsError(
        `--${flagName(key)}: a key of ${bytes} bytes can be guessed, at least ${MIN_BYTES} are needed: make one with openssl rand -base64 32, or use --dev on your own machine`,
      );
    }
  }
}
