/** Settings a process cannot start with. The message is one line that says what to change. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
